"""The audit: the ledger's chain, every run against its manifest, and runs that appeared or disappeared."""

import json
from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.core.progress import SILENT, Progress
from cxcausal.tracking import ledger
from cxcausal.tracking.erasing import erasure_problems
from cxcausal.tracking.layout import MANIFEST_FILE, run_folders, runs_folder
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import read_status


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was checked, and what was found.

    Attributes:
        lines: lines of the ledger. runs: runs on this disk that were compared with manifest and ledger.
        absent: run ids that the ledger knows and this disk doesn't have: deleted, or made on another machine.
        problems: everything that does not match, with its place.
    """

    lines: int
    runs: int
    absent: tuple[str, ...]
    problems: tuple[Problem, ...]


def audit(root: Path, *, anchor: str | None = None, progress: Progress = SILENT) -> Audit:
    """Check the whole project and tell all that is wrong at once.

    A chain shows tampering only to someone who kept an earlier head: pass it as `anchor`.
    """
    try:
        with progress.stage("checking the ledger's chain"):
            lines = ledger.read(root)
            if anchor is not None:
                ledger.verify_anchor(root, anchor)
    except IntegrityError as error:
        return Audit(lines=0, runs=0, absent=(), problems=error.problems)
    entered = {line.payload["run_id"]: line for line in lines if line.kind in {"analyse", "rerun"}}
    folders = run_folders(root)
    present = {folder.name for folder in folders}
    problems: list[Problem] = []
    with progress.stage("checking runs against their hashes", total=len(folders)) as checking:
        for folder in folders:
            problems += _run_problems(folder, entered.get(folder.name))
            checking.advance()
    return Audit(
        lines=len(lines),
        runs=len(folders),
        absent=tuple(run_id for run_id in entered if run_id not in present),
        problems=(*problems, *_order_problems(root, lines), *erasure_problems(folders, lines)),
    )


def _run_problems(folder: Path, line: LedgerLine | None) -> tuple[Problem, ...]:
    """Return what is wrong with one run."""
    try:
        finished = read_status(folder).status == "FINISHED"
        if line is None:
            return (_problem(folder, "I703", "is finished, but the ledger has no line about it"),) if finished else ()
        if verify_manifest(folder) != line.payload["manifest"]:
            return (_problem(folder, "I704", f"has another manifest than line {line.seq} of the ledger says"),)
    except IntegrityError as error:
        return error.problems
    return ()


def _order_problems(root: Path, lines: tuple[LedgerLine, ...]) -> tuple[Problem, ...]:
    """Return the runs whose manifest names a predecessor that the ledger never had."""
    known = {line.payload["manifest"] for line in lines if line.kind in {"analyse", "rerun"}}
    found = []
    for line in (line for line in lines if line.kind in {"analyse", "rerun"}):
        folder = runs_folder(root) / line.experiment / line.payload["run_id"]
        previous = _previous(folder)
        if previous is not None and previous not in known:
            found.append(_problem(folder, "I705", "names a manifest before it that the ledger doesn't know"))
    return tuple(found)


def _previous(folder: Path) -> str | None:
    """Return the manifest before this one, where the file can be read (if not, `_run_problems` says so)."""
    try:
        previous = json.loads((folder / MANIFEST_FILE).read_bytes()).get("previous_manifest")
    except (OSError, ValueError, AttributeError):
        return None
    return None if previous is None else str(previous)


def _problem(folder: Path, code: str, what: str) -> Problem:
    """Return the problem that locates one run."""
    return Problem(
        where=f"{folder.parent.name}/{folder.name}",
        code=code,
        what=what,
        mend="restore the run's folder and the ledger from copies that belong together",
    )
