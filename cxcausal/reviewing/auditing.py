"""The record for auditors: in words, as an anchor to keep elsewhere, as an archive to take away, and joined."""

from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.progress import SILENT, Progress, Wrote

if TYPE_CHECKING:
    from cxcausal.tracking.anchors import Anchor
    from cxcausal.tracking.export import Exported
    from cxcausal.tracking.ledger_words import LogLine


def audit_log(folder: Path, experiment: str | None = None) -> "tuple[LogLine, ...]":
    """Return the ledger of the project around `folder` in words, or what it says of one experiment.

    Raises:
        IntegrityError: the ledger is broken.
    """
    from cxcausal.tracking import ledger
    from cxcausal.tracking.ledger_words import told

    return told(ledger.read(_root(folder)), experiment)


def audit_anchor(folder: Path, out: Path | None = None) -> "Anchor":
    """Return what is to be kept of the ledger elsewhere, and write it to a file where one is named.

    Raises:
        IntegrityError: the ledger is broken.
        MachineError: the file can't be written.
    """
    from cxcausal.tracking import ledger
    from cxcausal.tracking.anchors import anchor_bytes, anchor_of
    from cxcausal.tracking.files import write_atomic

    anchor = anchor_of(ledger.read(_root(folder)))
    if out is not None:
        write_atomic(out, anchor_bytes(anchor))
    return anchor


def audit_export(folder: Path, name: str, out: Path, *, progress: Progress = SILENT) -> "Exported":
    """Write an archive of one run, or of all runs of an experiment, that an auditor can check alone.

    Raises:
        UsageError: nothing of that name is on record, or the file exists.
        IntegrityError: the record is not sound.
    """
    from cxcausal.tracking.export import export

    with progress.stage("packing the record"):
        done = export(_root(folder), name, out)
    progress.tell(Wrote(what="archive", path=str(out)))
    return done


def audit_merge(folder: Path, *, actor: str | None = None) -> str | None:
    """Join the chains of two git branches, and return the new head; None where there is nothing to join.

    Raises:
        IntegrityError: a line of either branch is broken.
    """
    from cxcausal.tracking import ledger
    from cxcausal.tracking.actor import resolve_actor

    root = _root(folder)
    line = ledger.merge(root, resolve_actor(root, actor))
    return None if line is None else line.hash


def _root(folder: Path) -> Path:
    from cxcausal.core.spec.project import find_root

    return find_root(folder) or folder
