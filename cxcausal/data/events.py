"""Columns made of event tables: every source is joined with the assignments once, and aggregated around time zero."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import and_

import ibis

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec.event_rules import windows_of
from cxcausal.core.spec.events import FILLED, EventColumn, Events, EventSource, EventWindow
from cxcausal.core.spec.filter_grammar import columns_of, parse_filter
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.clock import moment
from cxcausal.data.columns import Reader, is_whole
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.exact import Grid, grid_for, on_grid
from cxcausal.data.filters import FilterCompiler
from cxcausal.data.functions import moment_in
from cxcausal.data.units import numeric_texts

_ID, _ZERO, _UNTIL = "__cxcausal_id", "__cxcausal_zero", "__cxcausal_until"
_AT, _RECORDED = "__cxcausal_at", "__cxcausal_recorded"
_EXPOSED = "__cxcausal_exposed"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One event table, opened.

    Attributes:
        name: in the plan.
        source: what the plan says of it.
        opened: its rows.
        reader: reads them.
        at, recorded: when it happened and when the row arrived, as local times of the project; the latter may be none.
    """

    name: str
    source: EventSource
    opened: Opened
    reader: Reader
    at: Value
    recorded: Value | None

    @property
    def label(self) -> str:
        """How problems name the table."""
        return self.opened.source.label


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One column to be made of a stream: its declaration, its window, and the expressions per event."""

    name: str
    column: EventColumn
    window: EventWindow
    value: str | None
    grid: Grid | None = None


def columns_needed(events: Events, name: str) -> tuple[str, ...]:
    """Return the columns that must be read of one event table.

    Example:
        >>> source = EventSource(path="orders.parquet", unit="customer", time="at")
        >>> spend = EventColumn(source="orders", aggregate="sum", value="amount", where="paid == 1")
        >>> columns_needed(Events(columns={"spend": spend}, sources={"orders": source}), "orders")
        ('customer', 'at', 'amount', 'paid')
    """
    source = events.sources[name]
    single = (source.unit, source.time, source.recorded, source.removed)
    names = [*(one for one in single if one is not None), *source.key]
    for column in events.columns.values():
        if column.source == name:
            names += [*(() if column.value is None else (column.value,)), *_filtered(column.where)]
    if events.exposure is not None and events.exposure.source == name:
        names += _filtered(events.exposure.where)
    return tuple(dict.fromkeys(names))


def sources_used(events: Events) -> tuple[str, ...]:
    """Return the event tables that the plan reads, in the order of their first use."""
    exposed = () if events.exposure is None else (events.exposure.source,)
    return tuple(dict.fromkeys((*(column.source for column in events.columns.values()), *exposed)))


def with_events(engine: Engine, assigned: Opened, streams: Mapping[str, Stream], spec: ExperimentSpec) -> Opened:
    """Return the assignments with the plan's columns made of events, ready to be read as any other rows.

    A window runs from `start` days after a unit's time zero, that moment included, up to `end` days after it, that
    moment left out; a day has 24 hours. Events after the end of observation, and rows that arrived after it, don't
    count. Of several versions of an event the last that had arrived counts. Sums are exact.

    Args:
        engine: computes.
        assigned: one row per assignment.
        streams: the event tables, checked.
        spec: the plan.

    Raises:
        PlanError: a filter does not fit its columns.
    """
    events = spec.data.events
    assert events is not None  # noqa: S101 - the caller knows
    table = _timed(assigned, spec)
    if events.repeated == "first":
        table = _first_assignment(table)
    if events.exposure is not None:
        table = _exposed(engine, table, streams[events.exposure.source], spec)
    windows = windows_of(events, tuple(metric for _, metric in spec.metrics.with_roles()))
    for name, stream in streams.items():
        mine = {key: column for key, column in events.columns.items() if column.source == name}
        if mine:
            table = _joined(engine, table, stream, {key: (column, windows[key]) for key, column in mine.items()})
    kept = table.drop(*(name for name in (_ID, _ZERO, _UNTIL) if name in table.columns))
    row, file = (None if one is None else kept[one.get_name()] for one in (assigned.row, assigned.file))
    columns = (*assigned.columns, *events.columns)
    return replace(assigned, table=kept, columns=columns, row=row, file=file, kept=True)


def stream_of(name: str, source: EventSource, opened: Opened) -> Stream:
    """Return an event table with its times read."""
    reader = Reader(table=opened.table, declared={})
    recorded = None if source.recorded is None else _time(reader, source.recorded, source.timezone)
    at = _time(reader, source.time, source.timezone)
    return Stream(name=name, source=source, opened=opened, reader=reader, at=at, recorded=recorded)


def _timed(assigned: Opened, spec: ExperimentSpec) -> Table:
    """Return the assignments with id, time zero and end of observation in columns of our own."""
    reader = Reader(table=assigned.table, declared=spec.data.columns)
    zero, until = moment(reader, spec.data.time_zero), moment(reader, spec.data.observed_until)
    assert zero is not None and until is not None and spec.data.unit is not None  # noqa: S101, PT018 - the rules say so
    own = {_ID: reader.stored_text(spec.data.unit), _ZERO: zero[1], _UNTIL: until[1]}
    return assigned.table.mutate(**own)


def _first_assignment(table: Table) -> Table:
    """Return each unit's first assignment; several at the same moment are all kept, and told as repeated later."""
    first = table[_ZERO].min().over(group_by=table[_ID])
    return table.mutate(**{_AT: first}).filter(lambda t: t[_ZERO] == t[_AT]).drop(_AT)


def _exposed(engine: Engine, table: Table, stream: Stream, spec: ExperimentSpec) -> Table:
    """Return the assignments that were followed by an exposure, with that moment as their time zero."""
    events, column = spec.data.events, spec.data.time_zero
    exposure = None if events is None else events.exposure
    assert exposure is not None  # noqa: S101 - the caller knows
    if column not in table.columns:
        what = "exposure moves each unit's time zero, and data.time_zero is one date for all"
        mend = "name the column with the time of assignment"
        raise PlanError(Problem(where="data.time_zero", code="P347", what=what, mend=mend))
    happened = _arrived(engine, stream, _cut(engine, table), _conditions(engine, stream, {_EXPOSED: exposure.where}))
    pairs = _pairs(table).inner_join(happened, _ID)
    counts = pairs[_EXPOSED] & (pairs[_AT] >= pairs[_ZERO]) & _observed(pairs)
    if exposure.within is not None:
        counts &= pairs[_AT] < pairs[_ZERO] + ibis.interval(days=exposure.within)
    first = pairs.filter(counts).group_by([_ID, _ZERO, _UNTIL]).aggregate(**{_AT: lambda t: t[_AT].min()})
    both = table.inner_join(first, [_ID, _ZERO, _UNTIL])
    return both.mutate(**{str(column): both[_AT], _ZERO: both[_AT]}).select(*table.columns)


def _joined(
    engine: Engine, table: Table, stream: Stream, wanted: Mapping[str, tuple[EventColumn, EventWindow]]
) -> Table:
    """Return the assignments with the columns that are made of one event table: one pass over it."""
    declared = tuple(_asked(name, column, window) for name, (column, window) in wanted.items())
    asked = _with_grids(engine, stream, declared)
    conditions = _conditions(engine, stream, {f"c{at}": one.column.where for at, one in enumerate(asked)})
    happened = _arrived(engine, stream, _cut(engine, table), conditions, asked)
    pairs = _pairs(table).inner_join(happened, _ID)
    made = {one.name: _aggregate(pairs, one, f"c{at}") for at, one in enumerate(asked)}
    keys = [_ID, _ZERO, _UNTIL]
    found = pairs.group_by(keys).aggregate(**made)
    both = table.left_join(found, keys)
    fill = {one.name: both[one.name].fill_null(0.0) for one in asked if one.column.aggregate in FILLED}
    return both.mutate(**fill).select(*table.columns, *(one.name for one in asked))


def _cut(engine: Engine, table: Table) -> datetime:
    """Return the latest end of observation."""
    found: datetime = engine.fetch(table.aggregate(cut=table[_UNTIL].max()))[0][0]
    return found


def _pairs(table: Table) -> Table:
    return table.select(_ID, _ZERO, _UNTIL).distinct()


def _asked(name: str, column: EventColumn, window: EventWindow) -> _Asked:
    value = None if column.value is None else f"v:{column.value}:{column.aggregate == 'sum'}"
    return _Asked(name=name, column=column, window=window, value=value)


def _arrived(
    engine: Engine, stream: Stream, cut: datetime, conditions: Mapping[str, Value], asked: Sequence[_Asked] = ()
) -> Table:
    """Return the events as they stood at the cut: id, time, arrival, conditions and values, one row per event."""
    source, reader = stream.source, stream.reader
    columns: dict[str, Value] = {_ID: reader.stored_text(source.unit), _AT: stream.at, **conditions}
    for one in asked:
        if one.value is not None and one.column.value is not None:
            name = one.column.value
            columns[one.value] = reader.number(name) if one.column.aggregate == "sum" else reader.stored_text(name)
    if stream.recorded is not None:
        columns[_RECORDED] = stream.recorded
    if source.removed is not None:
        columns["removed"] = reader.number(source.removed)
    keys = {f"k{at}": reader.stored_text(name) for at, name in enumerate(source.key)}
    rows = reader.table.select(**columns, **keys)
    if stream.recorded is not None:
        rows = rows.filter(rows[_RECORDED] <= ibis.literal(cut))
    return _last_versions(engine, rows, tuple(keys)) if keys else rows


def _last_versions(engine: Engine, rows: Table, keys: tuple[str, ...]) -> Table:
    """Return of every event its last version, unless that says that it was taken back."""
    rest = [name for name in rows.columns if name not in {_RECORDED, _AT, *keys}]
    last = engine.last(rows, keys, (_RECORDED, _AT, *rest))
    return last.filter((last.removed != 1).fill_null(True)).drop("removed") if "removed" in rest else last


def _observed(pairs: Table) -> Value:
    """Tell which events lie before the end of observation, and had arrived by then."""
    seen = pairs[_AT] <= pairs[_UNTIL]
    return seen & (pairs[_RECORDED] <= pairs[_UNTIL]) if _RECORDED in pairs.columns else seen


def _aggregate(pairs: Table, asked: _Asked, condition: str) -> Value:
    """Return one column's value per unit from its events."""
    column, window = asked.column, asked.window
    conditions = [pairs[condition], _observed(pairs), pairs[_AT] < pairs[_ZERO] + ibis.interval(days=window.end)]
    if window.start is not None:
        conditions.append(pairs[_AT] >= pairs[_ZERO] + ibis.interval(days=window.start))
    counts = reduce(and_, conditions).fill_null(False)
    if asked.value is None:
        return counts.any().cast("float64") if column.aggregate == "any" else counts.sum().cast("float64")
    value = pairs[asked.value]
    if column.aggregate == "sum":
        assert asked.grid is not None  # noqa: S101 - sums have one
        return on_grid(value, asked.grid).sum(where=counts).cast("float64") / 2.0**asked.grid.shift
    if column.aggregate == "distinct":
        return value.nunique(where=counts).cast("float64")
    dated = ibis.struct({"at": pairs[_AT], "value": value})
    known = counts & value.notnull()
    found = dated.max(where=known) if column.aggregate == "last" else dated.min(where=known)
    return found["value"]


def _with_grids(engine: Engine, stream: Stream, asked: Sequence[_Asked]) -> tuple[_Asked, ...]:
    """Choose for every sum the grid on which the events of the busiest unit add up exactly."""
    summed = tuple(dict.fromkeys(str(one.column.value) for one in asked if one.column.aggregate == "sum"))
    if not summed:
        return tuple(asked)
    rows = stream.reader.table.select(unit=stream.reader.stored_text(stream.source.unit))
    per_unit = rows.group_by("unit").aggregate(n=rows.count())
    most = int(engine.fetch(per_unit.aggregate(n=per_unit.n.max()))[0][0] or 1)
    values = stream.reader.table.select(**{f"v{at}": stream.reader.number(name) for at, name in enumerate(summed)})
    parts = {f"m{name}": values[name].abs().max() for name in values.columns}
    parts |= {f"w{name}": is_whole(values[name]).all() for name in values.columns}
    found = engine.fetch(values.aggregate(**parts))[0]
    grids = {
        name: grid_for(found[at] or 0.0, whole=found[len(summed) + at] is not False, added=most)
        for at, name in enumerate(summed)
    }
    return tuple(replace(one, grid=grids.get(str(one.column.value))) for one in asked)


def _conditions(engine: Engine, stream: Stream, filters: Mapping[str, str | None]) -> dict[str, Value]:
    """Return the conditions on events, by name; an event with a missing value in one doesn't meet it."""
    names = dict.fromkeys(name for text in filters.values() for name in _filtered(text))
    numeric = numeric_texts(engine, stream.reader, tuple(names))
    compiler = FilterCompiler(reader=stream.reader, numeric=numeric)
    return {
        name: ibis.literal(True) if text is None else compiler.compile(parse_filter(text)).fill_null(False)
        for name, text in filters.items()
    }


def _filtered(text: str | None) -> tuple[str, ...]:
    return () if text is None else columns_of(parse_filter(text))


def _time(reader: Reader, name: str, zone: str | None) -> Value:
    """Return a column's local times of the project; those without a zone are of the source's, where it has one."""
    if zone is None:
        return reader.time(name)
    return _of_zone(reader, name, zone)


def _of_zone(reader: Reader, name: str, zone: str) -> Value:
    column = reader.table[name]
    kind = column.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return reader.time(name)
    if kind.is_date() or kind.is_timestamp():
        return moment_in(zone, column.cast("timestamp"))
    text = column.cast("string")
    offset = text.re_search(r"[0-9]{2}:[0-9]{2}.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$")
    local = moment_in(zone, text.try_cast("timestamp"))
    return ibis.ifelse(offset, reader.time(name), ibis.ifelse(reader.time(name).notnull(), local, None))


def unknown_zones(streams: Mapping[str, EventSource]) -> Iterator[Problem]:
    """Yield the time zones of event tables that don't exist."""
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads the system's list

    for name, source in streams.items():
        if source.timezone is not None and source.timezone not in available_timezones():
            what = f"there is no time zone '{source.timezone}'"
            where = f"data.events.sources.{name}.timezone"
            yield Problem(where=where, code="P348", what=what, mend="write one such as Europe/Berlin or UTC")
