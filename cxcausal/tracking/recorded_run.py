"""A run as it was recorded, after a check that its files are those that the ledger vouches for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.errors import IntegrityError, Problem, UsageError
from cxcausal.tracking import ledger
from cxcausal.tracking.erasing import vouched_erasures
from cxcausal.tracking.layout import MANIFEST_FILE, PLAN, RESULTS, run_folders
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.reaper import is_entered
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.start import Start, read_start

_LIST = "`cxcausal audit log` names the runs on record"


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """One finished run.

    Attributes:
        directory: its folder. plan, results, manifest: as they were written.
        start: what it began with; None for runs of versions that did not note it.
        later: lines of the ledger after the run's own.
        erased: whether customers were erased from what it kept.
    """

    directory: Path
    plan: Mapping[str, Any]
    results: Mapping[str, Any]
    manifest: Mapping[str, Any]
    start: Start | None
    later: tuple[LedgerLine, ...]
    erased: bool = False


def read_run(root: Path, run_id: str) -> RecordedRun:
    """Return a finished run; nothing is written, not even the status of a run that died.

    Raises:
        UsageError: there is no such run, or it did not finish.
        IntegrityError: the ledger is broken, or the run's files are not those that were recorded.
    """
    directory = next((folder for folder in run_folders(root) if folder.name == run_id), None)
    if directory is None:
        raise _refused("U222", f"there is no run {run_id[:40]} on this disk", _LIST)
    lines = ledger.read(root)
    own = next((line for line in lines if line.payload.get("run_id") == run_id and "manifest" in line.payload), None)
    if own is None:
        status = read_status(directory).status
        raise _refused("U223", f"the run {run_id} is {status} and recorded nothing", f"name a finished one; {_LIST}")
    verify_manifest(directory)
    if not is_entered(root, directory):
        what = f"its manifest is not the one that line {own.seq} of the ledger has"
        mend = "restore the run's folder and the ledger from copies that belong together"
        where = f"{directory.parent.name}/{run_id}"
        raise IntegrityError(Problem(where=where, code="I730", what=what, mend=mend))
    return RecordedRun(
        directory=directory,
        plan=_read(directory, PLAN),
        results=_read(directory, RESULTS),
        manifest=_read(directory, MANIFEST_FILE),
        start=read_start(directory),
        later=lines[lines.index(own) + 1 :],
        erased=vouched_erasures(directory, lines),
    )


def _read(directory: Path, name: str) -> Mapping[str, Any]:
    """Return a file that the manifest has just vouched for."""
    content: Mapping[str, Any] = json.loads((directory / name).read_bytes())
    return content


def _refused(code: str, what: str, mend: str) -> UsageError:
    return UsageError(Problem(where="RUN", code=code, what=what, mend=mend))
