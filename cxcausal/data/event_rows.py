"""Events as they were known at a moment: of every event one version is in force until the next one arrives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import ibis

from cxcausal.core.spec.filter_grammar import parse_filter
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.event_streams import Stream, filtered
from cxcausal.data.filters import FilterCompiler
from cxcausal.data.units import numeric_texts

ID, AT, ZERO, UNTIL = "__cxcausal_id", "__cxcausal_at", "__cxcausal_zero", "__cxcausal_until"
RECORDED, _REPLACED, _REMOVED = "__cxcausal_recorded", "__cxcausal_replaced", "__cxcausal_removed"
_KEY, _APART = "__cxcausal_key", "__cxcausal_apart"
PAIR = (ID, ZERO, UNTIL)
"""What an event is joined to: a unit, one of its time zeros, and the end of its observation."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The moments that matter to a plan: events at or after `start` (where there is one) and before `end`, by `cut`."""

    start: datetime | None
    end: datetime | None
    cut: datetime


def conditions(engine: Engine, stream: Stream, filters: Mapping[str, tuple[str, str | None]]) -> dict[str, Value]:
    """Return the conditions on events, by name; an event with a missing value in one doesn't meet it.

    Args:
        engine: computes.
        stream: the event table.
        filters: by name, the plan's key that a condition stands at, and what it says.

    Raises:
        PlanError: a condition does not fit the columns.
    """
    names = dict.fromkeys(name for _, text in filters.values() for name in filtered(text))
    numeric = numeric_texts(engine, stream.reader, tuple(names))
    compiler = FilterCompiler(reader=stream.reader, numeric=numeric)
    return {
        name: compiler.compile_at(key, parse_filter(text)).fill_null(False)
        for name, (key, text) in filters.items()
        if text is not None
    }


def with_versions(engine: Engine, stream: Stream, name: str) -> Stream:
    """Return an event table of which is known which keys stand in several rows: only their versions need sorting.

    Args:
        engine: computes.
        stream: the event table.
        name: of the table of these keys inside the engine.
    """
    if not stream.source.key:
        return stream
    keys = _keys(stream)
    rows = stream.reader.table.select(**keys)
    several = rows.group_by(list(keys)).having(rows.count() > 1).aggregate()
    several = engine.keep(name, several)
    return replace(stream, restated=several if engine.fetch(several.limit(1)) else None)


def paired(pairs: Table, stream: Stream, ids: Value, columns: Mapping[str, Value], reach: Reach) -> Table:
    """Return the events of units that were assigned, each with its unit's times, before the end of its observation.

    Of an event there may be several versions; `known_at` tells which is in force at a moment.

    Args:
        pairs: the columns of `PAIR`, each combination once.
        stream: the event table.
        ids: the event's unit, comparable with that of the pairs.
        columns: further expressions over the rows of the table.
        reach: events outside of it are not looked at.
    """
    versions = _versions(stream, {ID: ids, **columns}, reach)
    found = pairs.inner_join(versions, ID)
    return found.filter(found[AT] <= found[UNTIL])


def known_at(rows: Table, moment: Value) -> Value:
    """Tell which rows had arrived by a moment, and had not been replaced by then."""
    known = ibis.literal(True) if RECORDED not in rows.columns else rows[RECORDED] <= moment
    return known & (rows[_REPLACED].isnull() | (rows[_REPLACED] > moment)) if _REPLACED in rows.columns else known


def _versions(stream: Stream, columns: Mapping[str, Value], reach: Reach) -> Table:
    """Return the rows that can be in force at some moment, with when they arrived and when they were replaced."""
    source, table = stream.source, stream.reader.table
    made = {**columns, AT: stream.at}
    if stream.recorded is not None:
        made[RECORDED] = stream.recorded
    if source.removed is not None:
        made[_REMOVED] = stream.reader.number(source.removed)
    rows = table.select(**made, **(_keys(stream) | _ordering(stream) if stream.restated is not None else {}))
    if stream.recorded is not None:
        rows = rows.filter(rows[RECORDED] <= ibis.literal(reach.cut))
    if stream.restated is not None:
        rows = _replaced(rows, stream.restated)
    rows = rows.filter(_within(rows, reach))
    if _REMOVED in rows.columns:
        rows = rows.filter((rows[_REMOVED] != 1).fill_null(True))
    return rows.select(*columns, *(name for name in (AT, RECORDED, _REPLACED) if name in rows.columns))


def _keys(stream: Stream) -> dict[str, Value]:
    """Return what versions of the same event have in common."""
    return {f"{_KEY}{at}": stream.reader.id(name) for at, name in enumerate(stream.source.key)}


def _ordering(stream: Stream) -> dict[str, Value]:
    """Return what tells versions of an event apart that arrived at the same moment."""
    apart = sorted(set(stream.columns) - {*stream.source.key, str(stream.source.recorded)})
    return {f"{_APART}{at}": stream.reader.table[name] for at, name in enumerate(apart)}


def _replaced(rows: Table, restated: Table) -> Table:
    """Return rows with the arrival of the next version of the same event; of equal arrivals only one is ever in force.

    Rows of keys that stand in one row only are passed by: sorting is what costs.
    """
    keys = list(restated.columns)
    some = rows.semi_join(restated, keys)
    order = (RECORDED, AT, *(name for name in rows.columns if name.startswith(_APART)))
    window = ibis.window(
        group_by=[some[name] for name in keys], order_by=[ibis.asc(some[name], nulls_first=True) for name in order]
    )
    some = some.mutate(**{_REPLACED: some[RECORDED].lead().over(window)})
    others = rows.anti_join(restated, keys).mutate(**{_REPLACED: ibis.null("timestamp")})
    return others.union(some.select(*others.columns))


def _within(rows: Table, reach: Reach) -> Sequence[Value]:
    """Return the conditions that an event must meet to fall into any window of any unit."""
    wanted = [rows[AT] <= ibis.literal(reach.cut)]
    if reach.start is not None:
        wanted.append(rows[AT] >= ibis.literal(reach.start))
    if reach.end is not None:
        wanted.append(rows[AT] < ibis.literal(reach.end))
    return wanted
