"""What a project has on record: its runs, what MLflow still lacks, and whether all of it is as it was written."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.errors import PlanError
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.load import load_experiment

if TYPE_CHECKING:
    from cxcausal.tracking.audit import Audit
    from cxcausal.tracking.listing import RunListing
    from cxcausal.tracking.sync import Synced


def list_runs(folder: Path, experiment: str | None = None) -> "tuple[RunListing, ...]":
    """Return the runs of the project around `folder`, or of one experiment, the newest first."""
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.listing import list_runs as listed

    return listed(find_root(folder) or folder, experiment)


def sync(folder: Path, *, progress: Progress = SILENT) -> "Synced":
    """Send to MLflow the finished runs of the project around `folder` that it doesn't have yet."""
    from cxcausal.core.spec.project import find_root, read_project
    from cxcausal.tracking.sync import sync as send

    project, _ = read_project(find_root(folder) or folder)
    return send(project.root, project.tracking_uri, progress)


def audit(folder: Path, *, anchor: str | None = None, progress: Progress = SILENT) -> "Audit":
    """Check the ledger's chain and every run of the project around `folder` against its manifest.

    Args:
        folder: any folder of the project.
        anchor: a ledger head that was kept elsewhere, or a file of `audit anchor`; without one, a chain that was
            rewritten whole looks sound.
        progress: told how far the work is.
    """
    from cxcausal.core.spec.project import find_root, read_project
    from cxcausal.tracking.anchors import anchor_from
    from cxcausal.tracking.audit import audit as audited

    kept = None if anchor is None else anchor_from(anchor)
    project, _ = read_project(find_root(folder) or folder)
    found = audited(project.root, anchor=kept, tracking_uri=project.tracking_uri, progress=progress)
    with progress.stage("comparing plans with their registration"):
        return replace(found, notes=(*found.notes, *_edited_plans(project.root, found.in_force)))


def _edited_plans(root: Path, in_force: Mapping[str, str]) -> Iterator[str]:
    """Yield the plans that are not those that were registered; which is no fault until one of them is run."""
    from cxcausal.core.spec.library import config_files

    for path in config_files(root / "experiments"):
        try:
            resolved = load_experiment(path, root=root)
        except PlanError:
            continue
        if in_force.get(resolved.spec.id, resolved.plan_hash) != resolved.plan_hash:
            place = path.relative_to(root).as_posix()
            yield f"{place} is not the plan that was registered; amend it, or take the changes back"
