"""A customer's wish to be erased: out of what runs kept, and on record without an id."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.errors import DataError, Problem, UsageError
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.small_cells import told_count

if TYPE_CHECKING:
    from cxcausal.tracking.erasing import Rewritten

_LONGEST_REASON = 500


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What was erased: ids listed, runs whose kept units lost rows, and how many rows; None where fewer than ten."""

    listed: int
    runs: int
    rows: int | None
    at: str
    actor: str
    ledger_hash: str


def erase(
    ids: Path,
    *,
    reason: str,
    column: str | None = None,
    folder: Path | None = None,
    actor: str | None = None,
    progress: Progress = SILENT,
) -> Erased:
    """Take customers out of the units that runs kept, and record that in the ledger without an id.

    Data sources are not touched: they are others', and whoever keeps them erases there.

    Args:
        ids: a text file with one id a line, as they stand in the data.
        reason: why, for the ledger; no id and no name.
        column: the id's column in the data; each plan's own `data.unit` by default.
        folder: any folder of the project; the working folder by default.
        actor: who erases.
        progress: told how far the work is.

    Raises:
        DataError: the list can't be read or is empty, or a kept file is damaged.
        UsageError: the reason is empty, or holds an id of the list.
        IntegrityError: the ledger is broken, or a run is not what was recorded.
        MachineError: the disk refuses.
    """
    from cxcausal.core.spec.project import find_root
    from cxcausal.data.erasing import keyed_hashes
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.erasing import Erasure, record_erasure
    from cxcausal.tracking.nuisance_store import remove_nuisances
    from cxcausal.tracking.project_key import project_key

    here = folder or Path.cwd()
    root = find_root(here) or here
    names = _listed(ids)
    _refuse_reason(reason, names)
    key = project_key(root)
    with progress.stage("looking for them among kept units"):
        found = tuple(_rewritten(root, keyed_hashes(names, key), column))
    remove_nuisances(root)
    digest = hmac.new(key, "\n".join(names).encode(), sha256).hexdigest()
    erasure = Erasure(listed=len(names), list_hash=digest, column=column, reason=reason.strip())
    line = record_erasure(root, erasure, [one for one, _ in found], actor=resolve_actor(root, actor))
    return Erased(
        listed=len(names),
        runs=len(found),
        rows=told_count(sum(rows for _, rows in found)),
        at=line.at,
        actor=line.actor,
        ledger_hash=line.hash,
    )


def _listed(path: Path) -> tuple[str, ...]:
    """Return the ids of a list, each once and sorted; the file's name is not told, as it may be somebody's."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = "the list of ids can't be read" + (f": {error.strerror}" if isinstance(error, OSError) else "")
        mend = "name a text file in UTF-8 with one id a line"
        raise DataError(Problem(where="--ids", code="F841", what=what, mend=mend)) from error
    names = sorted({line.strip() for line in text.splitlines()} - {""})
    if not names:
        raise DataError(Problem(where="--ids", code="F842", what="the list is empty", mend="write one id a line"))
    return tuple(names)


def _refuse_reason(reason: str, names: tuple[str, ...]) -> None:
    """Refuse a reason that says nothing, or that names somebody: it stands in the ledger for good."""
    words = set(reason.split())
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        what, mend = "the reason is empty or too long", f"say in a sentence of up to {_LONGEST_REASON} signs why"
        raise UsageError(Problem(where="--reason", code="U233", what=what, mend=mend))
    if any(name in words or (len(name) > len("12345") and name in reason) for name in names):
        what, mend = "the reason names an id of the list", "say why without naming anybody, such as a ticket's number"
        raise UsageError(Problem(where="--reason", code="U233", what=what, mend=mend))


def _rewritten(root: Path, hashes: frozenset[str], column: str | None) -> "Iterator[tuple[Rewritten, int]]":
    """Yield the kept files that have any of the customers, without them, and how many rows are gone."""
    from cxcausal.data.erasing import UNIT, without_customers
    from cxcausal.tracking.erasing import Rewritten
    from cxcausal.tracking.layout import KEPT_UNITS, MANIFEST_FILE, run_folders
    from cxcausal.tracking.manifest import verify_manifest

    for folder in (folder for folder in run_folders(root) if (folder / KEPT_UNITS).is_file()):
        unit = _plan(folder).get("data", {}).get("unit")
        if unit is None and column is None:
            continue
        if (folder / MANIFEST_FILE).exists():
            verify_manifest(folder)  # what somebody else has changed must not be vouched for
        found = without_customers(folder / KEPT_UNITS, hashes, UNIT if column in {None, unit} else f"id:{column}")
        if found is not None:
            yield Rewritten(directory=folder, content=found.content), found.rows


def _plan(folder: Path) -> dict[str, Any]:
    """Return a run's resolved plan; empty where it was not written yet."""
    from cxcausal.tracking.layout import PLAN

    path = folder / PLAN
    plan: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return plan
