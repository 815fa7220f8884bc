"""Runs whose process died without a word get the status that they deserve."""

from collections.abc import Mapping
from pathlib import Path

from cxcausal.core.errors import IntegrityError, MachineError
from cxcausal.tracking import ledger
from cxcausal.tracking.layout import MANIFEST_FILE, run_folders
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import owner_lives, read_status
from cxcausal.tracking.run_store import RunStore


def reap(root: Path, experiment: str | None = None) -> tuple[str, ...]:
    """Close the runs whose process on this host is gone, of one experiment or of all, and return their ids.

    A run that the ledger knows, with the manifest that its files match, had ended but for its status: it is FINISHED.
    Any other is KILLED. What can't be read or written is left alone: who asks for something else is not stopped.
    """
    asked = (directory for directory in run_folders(root) if experiment in {None, directory.parent.name})
    dead = [directory for directory in asked if _is_dead(directory)]
    if not dead:
        return ()
    known = _manifests(root)
    return tuple(directory.name for directory in dead if _closed(root, directory, known))


def is_entered(root: Path, directory: Path) -> bool:
    """Tell whether the ledger has a run, with the manifest that the run's files match."""
    return _is_whole(directory, _manifests(root))


def _is_dead(directory: Path) -> bool:
    """Tell whether a run says RUNNING and its process is gone."""
    try:
        status = read_status(directory)
    except IntegrityError:
        return False
    return status.status == "RUNNING" and not owner_lives(status)


def _closed(root: Path, directory: Path, known: Mapping[str, str]) -> bool:
    """Give one run its final status, where the disk allows it."""
    store = RunStore(root=root, experiment=directory.parent.name, run_id=directory.name)
    try:
        if _is_whole(directory, known):
            store.finish("FINISHED")
        else:
            store.finish("KILLED", "its process ended without a word")
    except (IntegrityError, MachineError):
        return False
    return True


def _is_whole(directory: Path, known: Mapping[str, str]) -> bool:
    """Tell whether a run's files are those that the ledger vouches for."""
    if directory.name not in known or not (directory / MANIFEST_FILE).exists():
        return False
    try:
        return verify_manifest(directory) == known[directory.name]
    except (IntegrityError, MachineError):
        return False


def _manifests(root: Path) -> Mapping[str, str]:
    """Return run id → SHA-256 of its manifest, as the ledger has it; nothing where the ledger is broken."""
    try:
        lines = ledger.read(root)
    except (IntegrityError, MachineError):
        return {}
    return {line.payload["run_id"]: line.payload["manifest"] for line in lines if line.kind in {"analyse", "rerun"}}
