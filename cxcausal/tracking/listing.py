"""What a project has run so far, newest first."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.errors import IntegrityError
from cxcausal.tracking.layout import REPORT, RESULTS, run_folders
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import owner_lives, read_status
from cxcausal.tracking.sync import sent_state


@dataclass(frozen=True, kw_only=True)
class RunListing:
    """One line of `cxcausal list`; verdict and grade are None where the run has no results.

    `status` is that of the run, or UNREADABLE where a file of it is damaged; `mlflow` is projected or pending.
    """

    experiment: str
    run_id: str
    status: str
    verdict: str | None = None
    grade: str | None = None
    created_at: str | None = None
    report: Path | None = None
    mlflow: str | None = None


def list_runs(root: Path, experiment: str | None = None) -> tuple[RunListing, ...]:
    """Return every run of the project, or of one experiment, the newest first; dead runs are closed before."""
    reap(root, experiment)
    folders = sorted(run_folders(root), key=lambda folder: folder.name, reverse=True)
    return tuple(_listed(folder) for folder in folders if experiment in {None, folder.parent.name})


def _listed(directory: Path) -> RunListing:
    """Return the line of one run."""
    sent = sent_state(directory)
    report = directory / REPORT
    results, status = _results(directory), _status(directory)
    return RunListing(
        experiment=directory.parent.name,
        run_id=directory.name,
        status="UNREADABLE" if results is None else status,
        verdict=(results or {}).get("verdict"),
        grade=(results or {}).get("grade"),
        created_at=(results or {}).get("created_at"),
        report=report if report.exists() else None,
        mlflow=None if sent is None else sent.state,
    )


def _status(directory: Path) -> str:
    """Return the run's status in a word; a run that died on a disk which takes no status was killed."""
    try:
        status = read_status(directory)
    except IntegrityError:
        return "UNREADABLE"
    return "KILLED" if status.status == "RUNNING" and not owner_lives(status) else status.status


def _results(directory: Path) -> dict[str, Any] | None:
    """Return the run's results, empty before it has any, None where they are damaged."""
    path = directory / RESULTS
    if not path.exists():
        return {}
    try:
        results = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return results if isinstance(results, dict) else None
