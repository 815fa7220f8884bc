"""What was read, as hashes of the files' bytes, after a check that no compressed file is cut short."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from cxcausal.core.canonical import sha256_of
from cxcausal.core.errors import DataError, MachineError, Problem
from cxcausal.core.progress import SILENT, CountedReader, Progress, Stage
from cxcausal.data.sources import Source

_CHUNK = 1 << 20


def hash_inputs(source: Source, progress: Progress = SILENT) -> tuple[tuple[str, str], ...]:
    """Return (name, SHA-256 of the bytes) of every input file.

    Raises:
        DataError: a compressed file is cut short or damaged, or a database has changes beside its file.
        MachineError: a file can't be read.
    """
    pairs = tuple(zip(source.files, source.names, strict=True))
    with progress.stage(f"hashing {source.label}", _size(source.files), "bytes") as hashing:
        inputs = tuple((name, _sha256(file, name, hashing)) for file, name in pairs)
    with progress.stage(f"checking that {source.label} is whole"):
        problems = tuple(problem for file, name in pairs for problem in _flaws(file, name))
    if problems:
        raise DataError(problems)
    return inputs


def fingerprint_of(inputs: tuple[tuple[str, str], ...]) -> str:
    """Return one hash over the contents, whatever the files are called.

    Example:
        >>> fingerprint_of((("a.csv", "1" * 64),)) == fingerprint_of((("b.csv", "1" * 64),))
        True
    """
    return sha256_of([digest for _, digest in inputs])


def _size(files: tuple[Path, ...]) -> int | None:
    """Return the bytes of all files; None where one can't be looked at, which its reading then tells."""
    try:
        return sum(file.stat().st_size for file in files)
    except OSError:
        return None


def _sha256(file: Path, name: str, hashing: Stage) -> str:
    try:
        with file.open("rb") as stream:
            digest, counted = hashlib.sha256(), CountedReader(stream, hashing)
            while piece := counted.read(_CHUNK):
                digest.update(piece)
            return digest.hexdigest()
    except OSError as error:
        what = f"the file can't be read: {error.strerror}"
        raise MachineError(Problem(where=name, code="D110", what=what, mend="check its permissions")) from None


def _flaws(file: Path, name: str) -> Iterator[Problem]:
    """Yield what is wrong with a file as a container."""
    if file.suffix.lower() == ".gz" and not _decompresses(file):
        what = "the compressed file is cut short or damaged"
        yield Problem(where=name, code="D111", what=what, mend="copy or export it again")
    if file.with_name(f"{file.name}.wal").exists():
        what = "another process is writing to the database, or did not finish"
        yield Problem(where=name, code="D112", what=what, mend="close every connection to it, then run again")


def _decompresses(file: Path) -> bool:
    try:
        with gzip.open(file) as stream:
            while stream.read(_CHUNK):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
