"""What a run is made of: SHA-256 of its plan, inputs, code, lock file and artifacts, and the machine it ran on."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.core.results import RunResult
from cxcausal.tracking.code_state import CodeState, code_state
from cxcausal.tracking.erasing import excused
from cxcausal.tracking.files import TEMPORARY_SUFFIX, sha256_file, write_atomic
from cxcausal.tracking.layout import KEPT, MANIFEST_FILE, PROJECTION_FILE, REMOVED_FILE, STATUS_FILE
from cxcausal.tracking.redaction import without_secrets

MANIFEST_VERSION = 1
PACKAGES = ("cxcausal", "numpy", "scipy", "pandas", "pyarrow", "duckdb", "ibis-framework", "mlflow")
LOCK_FILES = ("requirements.lock", "uv.lock", "poetry.lock", "requirements.txt")
_PRIVATE = f"{KEPT}/"
_MUTABLE = frozenset({MANIFEST_FILE, STATUS_FILE, PROJECTION_FILE})


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file of the run's folder: its path there, its SHA-256 and its size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the numbers were computed: what can change their last digits."""

    platform: str
    processor: str
    python: str
    blas: str
    packages: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything one run is made of; the SHA-256 of its file goes into the ledger.

    Attributes:
        plan_hash: of the resolved plan's meaning. data_fingerprint: of what was read.
        inputs: name and SHA-256 of every input file. seeds: every seed the plan sets.
        lock_file: name and SHA-256 of the dependency lock in the project's root; None without one.
        artifacts: every file of the run but the status, the projection's state and the manifest itself.
        previous_manifest: SHA-256 of the manifest of the run before it in the ledger; None for the first.
        private: files that may be removed later, when a note beside them says so: units kept for reruns.
    """

    manifest_version: int = MANIFEST_VERSION
    run_id: str
    experiment: str
    created_at: str
    plan_hash: str
    data_fingerprint: str
    inputs: tuple[tuple[str, str], ...]
    code: CodeState
    lock_file: tuple[str, str] | None
    machine: Machine
    seeds: Mapping[str, int] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...]
    previous_manifest: str | None = None
    private: tuple[Artifact, ...] = ()


def build_manifest(root: Path, directory: Path, result: RunResult, previous: str | None) -> Manifest:
    """Return the manifest of the run whose files lie in `directory`.

    Args:
        root: the project's root, where git and the lock file are looked for.
        directory: the run's folder, complete but for the manifest.
        result: what the run found.
        previous: SHA-256 of the manifest before it.
    """
    return Manifest(
        run_id=result.run_id,
        experiment=result.experiment,
        created_at=result.created_at,
        plan_hash=result.plan_hash,
        data_fingerprint=result.data.fingerprint,
        inputs=tuple((without_secrets(name), digest) for name, digest in result.data.inputs),
        code=code_state(root),
        lock_file=lock_file(root),
        machine=machine(),
        seeds=seeds_of(result.plan),
        artifacts=artifacts_of(directory),
        previous_manifest=previous,
        private=private_of(directory),
    )


def write_manifest(directory: Path, manifest: Manifest) -> str:
    """Write `manifest.json` atomically and return its SHA-256."""
    write_atomic(directory / MANIFEST_FILE, canonical_json(manifest))
    return sha256_file(directory / MANIFEST_FILE)


def verify_manifest(directory: Path) -> str:
    """Compare every file of a run with its manifest and return the manifest's SHA-256.

    Raises:
        IntegrityError: all files that are missing, changed or not listed; or a manifest that can't be read.
    """
    listed = _listed(directory)
    present = {artifact.path: artifact for artifact in artifacts_of(directory)}
    problems = [
        _mismatch(directory, path, "is missing" if path not in present else "is not the file that the run wrote")
        for path, artifact in listed.items()
        if present.get(path) != artifact
    ]
    problems += [_mismatch(directory, path, "was added later") for path in present if path not in listed]
    problems += _private_problems(directory)
    problems = excused(directory, problems)
    if problems:
        raise IntegrityError(problems)
    return sha256_file(directory / MANIFEST_FILE)


def lists(directory: Path, name: str) -> bool:
    """Tell whether a run wrote a file, by its path from the run's folder, whether or not it is still there.

    Raises:
        IntegrityError: the manifest can't be read.
    """
    return name in _listed(directory)


def artifacts_of(directory: Path) -> tuple[Artifact, ...]:
    """Return every file of a run that must never change again nor be removed, by path."""
    return tuple(_artifact(path, name) for path, name in _files(directory) if not name.startswith(_PRIVATE))


def private_of(directory: Path) -> tuple[Artifact, ...]:
    """Return every file of a run that must never change again, and may be removed, by path."""
    names = ((path, name) for path, name in _files(directory) if name.startswith(_PRIVATE))
    return tuple(_artifact(path, name) for path, name in names if name != REMOVED_FILE)


def _files(directory: Path) -> tuple[tuple[Path, str], ...]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix != TEMPORARY_SUFFIX)
    names = ((path, path.relative_to(directory).as_posix()) for path in paths)
    return tuple((path, name) for path, name in names if name not in _MUTABLE)


def _artifact(path: Path, name: str) -> Artifact:
    return Artifact(path=name, sha256=sha256_file(path), size=path.stat().st_size)


def machine() -> Machine:
    """Return this machine, its Python, its BLAS kernel and the versions that make the numbers."""
    return Machine(
        platform=platform.platform(),
        processor=platform.machine(),
        python=platform.python_version(),
        blas=_blas(),
        packages={name: found for name in PACKAGES if (found := _version(name)) is not None},
    )


def seeds_of(plan: Mapping[str, Any]) -> dict[str, int]:
    """Return every whole number that the plan names `seed`, by its dotted path.

    Example:
        >>> seeds_of({"analysis": {"seed": 7, "alpha": 0.05}})
        {'analysis.seed': 7}
    """
    found: dict[str, int] = {}
    for key, value in plan.items():
        if isinstance(value, Mapping):
            found.update({f"{key}.{inner}": seed for inner, seed in seeds_of(value).items()})
        elif key == "seed" and isinstance(value, int):
            found[key] = value
    return found


def _private_problems(directory: Path) -> list[Problem]:
    """Return what is wrong with files that may be removed: they changed, or went without a note."""
    listed = _listed(directory, "private")
    present = {artifact.path: artifact for artifact in private_of(directory)}
    may_go = (directory / REMOVED_FILE).is_file()
    problems = [_mismatch(directory, path, "was added later") for path in present if path not in listed]
    for path, artifact in listed.items():
        if path not in present and not may_go:
            problems.append(_mismatch(directory, path, "is missing"))
        elif path in present and present[path] != artifact:
            problems.append(_mismatch(directory, path, "is not the file that the run wrote"))
    return problems


def _listed(directory: Path, key: str = "artifacts") -> dict[str, Artifact]:
    """Return the artifacts that the manifest lists, by path; manifests of earlier versions know no private ones."""
    try:
        content = json.loads((directory / MANIFEST_FILE).read_bytes())
        listed = content["artifacts"] if key == "artifacts" else content.get(key, [])
        return {item["path"]: Artifact(**item) for item in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(_mismatch(directory, MANIFEST_FILE, "is missing or damaged")) from error


def _mismatch(directory: Path, path: str, what: str) -> Problem:
    """Return the problem that locates one file."""
    return Problem(
        where=f"{directory.parent.name}/{directory.name}/{path}",
        code="I702",
        what=f"{what}",
        mend="restore the run's folder from a copy, or run the analysis again",
    )


def lock_file(root: Path) -> tuple[str, str] | None:
    """Return name and SHA-256 of the first lock file in the root; None without one."""
    for name in LOCK_FILES:
        if (root / name).is_file():
            return name, sha256_file(root / name)
    return None


@cache
def _version(package: str) -> str | None:
    """Return a package's installed version, or None; looked up once, as what is loaded stays."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _blas() -> str:
    """Return the name and version of the BLAS that numpy was built with."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    parts = (blas.get("name"), blas.get("version"), blas.get("openblas configuration"))
    return " ".join(str(part) for part in parts if part) or "unknown"
