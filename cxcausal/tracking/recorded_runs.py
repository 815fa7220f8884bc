"""Finished runs as they were recorded: found by their name, vouched for by their manifest, and read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.errors import Problem, UsageError
from cxcausal.tracking.layout import MANIFEST_FILE, RESULTS, STATUS_FILE, run_folders
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.ulid import is_ulid

_LIST = "`cxcausal audit log` names them"


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """One finished run: its folder, the object of `run --json`, and its manifest."""

    directory: Path
    results: Mapping[str, Any]
    manifest: Mapping[str, Any]


def recorded_run(root: Path, run_id: str) -> RecordedRun:
    """Return a finished run by its id.

    Raises:
        UsageError: there is none of that id, or it did not finish.
        IntegrityError: its files are not those that were recorded.
    """
    wanted = run_id.upper()
    folder = next((folder for folder in run_folders(root) if folder.name == wanted), None)
    if folder is None:
        what = f"there is no run {wanted}" if is_ulid(wanted) else f"'{run_id[:80]}' is neither a run nor an experiment"
        raise UsageError(Problem(where="run", code="U230", what=what, mend=f"name a run of this project: {_LIST}"))
    if not _is_finished(folder):
        what, mend = f"the run {wanted} did not finish, and has no results", f"name another: {_LIST}"
        raise UsageError(Problem(where="run", code="U232", what=what, mend=mend))
    return _read(folder)


def newest_runs(root: Path, experiment: str, count: int) -> tuple[RecordedRun, ...]:
    """Return the newest finished runs of an experiment, the oldest of them first.

    Raises:
        UsageError: there are fewer.
        IntegrityError: files are not those that were recorded.
    """
    folders = [folder for folder in run_folders(root) if folder.parent.name == experiment and _is_finished(folder)]
    if len(folders) < count:
        found = f"{len(folders)} finished run{'' if len(folders) == 1 else 's'}"
        what, mend = f"the experiment '{experiment[:80]}' has {found}, and {count} are needed", f"run it, or: {_LIST}"
        raise UsageError(Problem(where="experiment", code="U231", what=what, mend=mend))
    return tuple(_read(folder) for folder in folders[-count:])


def _is_finished(folder: Path) -> bool:
    return (folder / STATUS_FILE).exists() and read_status(folder).status == "FINISHED"


def _read(folder: Path) -> RecordedRun:
    """Return a run whose files are vouched for."""
    verify_manifest(folder)
    results, manifest = (json.loads((folder / name).read_bytes()) for name in (RESULTS, MANIFEST_FILE))
    return RecordedRun(directory=folder, results=results, manifest=manifest)
