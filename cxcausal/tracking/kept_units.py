"""Units that runs kept for their reruns, removed when their time is over, with a line in the ledger."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cxcausal.core.canonical import canonical_json
from cxcausal.core.interrupts import held
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.files import machine_error, write_atomic
from cxcausal.tracking.layout import KEPT_UNITS, MANIFEST_FILE, REMOVED_FILE, now_text, run_folders
from cxcausal.tracking.ulid import milliseconds_of

_DAY = 86_400_000
_REASON = "reruns.keep_days is over"


def remove_old_units(root: Path, actor: Actor, *, now: datetime | None = None) -> tuple[str, ...]:
    """Remove kept units that are older than their own plan allows, and return the runs that they were of.

    The ledger's line comes first, so that no file goes without one; the note beside the run says the same to whoever
    looks at its files.

    Args:
        root: the project's root.
        actor: who runs what removes them.
        now: this moment, with its zone.

    Raises:
        MachineError: the disk refuses.
        IntegrityError: the ledger is broken.
    """
    over = tuple(_over(root, now or datetime.now(UTC)))
    for folder in over:
        payload = {"run_id": folder.name, "files": [KEPT_UNITS], "reason": _REASON}
        with held():
            ledger.append(root, ledger.Entry(kind="erase", experiment=folder.parent.name, actor=actor, payload=payload))
            _remove(folder)
    return tuple(folder.name for folder in over)


def _over(root: Path, now: datetime) -> Iterator[Path]:
    """Yield the folders of runs whose units were kept for long enough."""
    for folder in run_folders(root):
        if (folder / KEPT_UNITS).is_file() and (folder / MANIFEST_FILE).is_file():
            try:
                days = json.loads((folder / "stages/kept.json").read_bytes())["keep_days"]
            except (OSError, ValueError, KeyError, TypeError):
                continue  # what is damaged stays as it is: the audit has to say so
            if milliseconds_of(folder.name) + days * _DAY < 1000 * now.timestamp():
                yield folder


def _remove(folder: Path) -> None:
    write_atomic(folder / REMOVED_FILE, canonical_json({"files": [KEPT_UNITS], "reason": _REASON, "at": now_text()}))
    try:
        (folder / KEPT_UNITS).unlink(missing_ok=True)
    except OSError as error:
        raise machine_error(folder / KEPT_UNITS, "remove", error) from error
