"""Learned nuisances between runs: arrays without a name or an id, in the project's private folder."""

import os
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.tracking.files import TEMPORARY_SUFFIX
from cxcausal.tracking.layout import STATE

MOST_BYTES = 2_000_000_000
"""What the folder may hold; beyond, the files that were not used for longest are removed."""
_KEY, _SUFFIX = "key", ".npz"
_DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def nuisances_folder(root: Path) -> Path:
    """Return where learned nuisances of a project lie."""
    return root / STATE / "cache" / "nuisances"


def remove_nuisances(root: Path) -> None:
    """Remove all of them: what was learned of somebody who is to be forgotten is learned anew without them."""
    rmtree(nuisances_folder(root), ignore_errors=True)


@dataclass(frozen=True, kw_only=True)
class NuisanceStore:
    """Keeps arrays in files that their owner alone can read; what is damaged or no file of its own counts as absent.

    Attributes:
        root: of the project. most: bytes in all.
    """

    root: Path
    most: int = MOST_BYTES

    def load(self, key: str) -> Mapping[str, npt.NDArray[Any]] | None:
        """Return the arrays of a key; every byte is held to its checksum."""
        path = self._path(key)
        try:
            with path.open("rb") as handle, np.lib.npyio.NpzFile(handle, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            if found.pop(_KEY).tobytes() != key.encode():
                return None
            os.utime(path)
        except _DAMAGED:
            return None
        return found

    def save(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write arrays whole or not at all; on a full or read-only disk, not at all."""
        if sum(array.nbytes for array in arrays.values()) > self.most:
            return
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
        with suppress(OSError):
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.parent.chmod(0o700)
                _write(temporary, {**arrays, _KEY: np.frombuffer(key.encode(), dtype=np.uint8)})
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            self._let_go()

    def _path(self, key: str) -> Path:
        return nuisances_folder(self.root) / f"{key}{_SUFFIX}"

    def _let_go(self) -> None:
        """Remove the files that were used longest ago, as long as there are too many bytes."""
        files = [(path.stat(), path) for path in nuisances_folder(self.root).glob(f"*{_SUFFIX}")]
        total = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda one: (one[0].st_mtime_ns, one[1].name)):
            if total <= self.most:
                return
            path.unlink(missing_ok=True)
            total -= status.st_size


def _write(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
        handle.flush()
        os.fsync(handle.fileno())
