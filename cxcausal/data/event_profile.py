"""One pass over an event table: its size, its newest row, whose rows it has, and which of them don't count."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cxcausal.core.entry import EventTable
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader, is_whole
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.event_rows import AT, ID, RECORDED, UNTIL
from cxcausal.data.event_streams import Measured, Size, Stream, shared_ids, summed_columns
from cxcausal.data.events import ARM, Enrolled

_CLOCKS_DIFFER = timedelta(days=1)
_LARGEST, _SMALLEST, _WHOLE, _MISSING, _MATCHED = "largest", "smallest", "whole", "missing", "matched"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was found.

    Attributes:
        told: for the record.
        measured: for exact sums.
        newest: when the last row arrived, or happened where the table doesn't say when rows arrived.
        cut: the latest end of observation.
    """

    told: EventTable
    measured: Measured
    newest: datetime
    cut: datetime


def profile_of(engine: Engine, found: Enrolled, stream: Stream, spec: ExperimentSpec) -> Profile:
    """Return what one pass over an event table tells."""
    events = spec.data.events
    assert events is not None  # noqa: S101 - the caller knows
    names = summed_columns(events, stream.name)
    cut: datetime = engine.fetch(found.table.aggregate(cut=found.table[UNTIL].max()))[0][0]
    rows = _rows(found, stream, spec, names)
    asked = _counts(rows, cut, spec.arms) | _sizes(rows, len(names))
    told = dict(zip(asked, engine.fetch(rows.aggregate(**asked))[0], strict=True))
    newest = told["newest"]
    return Profile(
        told=_told(stream, spec, names, told),
        measured=Measured(rows=told["rows"], sizes={name: _size(told, at) for at, name in enumerate(names)}),
        newest=newest,
        cut=cut,
    )


def _rows(found: Enrolled, stream: Stream, spec: ExperimentSpec, names: tuple[str, ...]) -> Table:
    """Return the rows with the arm of their unit, where it was assigned, and what is added up of them."""
    assigned = Reader(table=found.table, declared=spec.data.columns)
    mine, theirs = shared_ids(assigned, str(spec.data.unit), stream)
    arms = found.table.select(**{ID: mine, ARM: found.table[ARM]})
    arms = arms.group_by(ID).aggregate(**{ARM: arms[ARM].min()})
    columns = {ID: theirs, AT: stream.at} | {f"v{at}": stream.reader.number(name) for at, name in enumerate(names)}
    if stream.recorded is not None:
        columns[RECORDED] = stream.recorded
    rows = stream.reader.table.select(**columns)
    both = rows.left_join(arms, ID)
    return both.select(*(name for name in rows.columns if name != ID), ARM)


def _counts(rows: Table, cut: datetime, arms: tuple[str, ...]) -> dict[str, Value]:
    arrival = rows[RECORDED] if RECORDED in rows.columns else rows[AT]
    asked = {"rows": rows.count(), "newest": arrival.max(), "after_end": (rows[AT] > cut).sum()}
    if RECORDED in rows.columns:
        asked["late"] = ((rows[RECORDED] > cut) & (rows[AT] <= cut)).sum()
        asked["before_arrival"] = (rows[AT] > rows[RECORDED] + _CLOCKS_DIFFER).sum()
    return asked | {f"{_MATCHED}{at}": (rows[ARM] == arm).sum() for at, arm in enumerate(arms)}


def _sizes(rows: Table, values: int) -> dict[str, Value]:
    asked: dict[str, Value] = {}
    for at in range(values):
        value = rows[f"v{at}"]
        asked[f"{_LARGEST}{at}"] = value.abs().max()
        asked[f"{_SMALLEST}{at}"] = value.abs().min(where=value != 0)
        asked[f"{_WHOLE}{at}"] = is_whole(value).cast("int64").min()
        asked[f"{_MISSING}{at}"] = value.isnull().sum()
    return asked


def _size(told: dict[str, Any], at: int) -> Size:
    """Return the sizes of a column; of one without any value, as if it were all zeros."""
    return Size(
        largest=told[f"{_LARGEST}{at}"] or 0.0,
        smallest=told[f"{_SMALLEST}{at}"] or 1.0,
        whole=told[f"{_WHOLE}{at}"] != 0,
    )


def _told(stream: Stream, spec: ExperimentSpec, names: tuple[str, ...], told: dict[str, Any]) -> EventTable:
    return EventTable(
        name=stream.name,
        rows=told["rows"],
        matched_by_arm={arm: int(told[f"{_MATCHED}{at}"] or 0) for at, arm in enumerate(spec.arms)},
        after_end=int(told["after_end"] or 0),
        late=int(told.get("late") or 0),
        before_arrival=int(told.get("before_arrival") or 0),
        without_value={name: int(told[f"{_MISSING}{at}"]) for at, name in enumerate(names)},
        settles_after=stream.source.settles_after,
        newest=f"{told['newest']:%Y-%m-%d}",
    )
