"""The mark of one store: a run that the ledger says was made here, and that is not here, was deleted."""

from pathlib import Path

from cxcausal.tracking.files import machine_error, write_atomic
from cxcausal.tracking.layout import STATE
from cxcausal.tracking.ulid import is_ulid, new_ulid

MARK_FILE = "store"


def mark_of(root: Path) -> str | None:
    """Return the mark of the project's private folder, or None where it has none that can be read."""
    try:
        mark = (root / STATE / MARK_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return mark if is_ulid(mark) else None


def marked(root: Path) -> str:
    """Return the store's mark, made where it has none; the caller holds the ledger's lock.

    Raises:
        MachineError: the disk refuses.
    """
    known = mark_of(root)
    if known is not None:
        return known
    path = root / STATE / MARK_FILE
    if path.is_dir():
        raise machine_error(path, "write", IsADirectoryError())
    mark = new_ulid()
    write_atomic(path, f"{mark}\n".encode("ascii"))
    return mark
