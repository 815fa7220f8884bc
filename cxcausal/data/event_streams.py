"""Event tables as the plan reads them: which tables and columns, and their times on the project's clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ibis

from cxcausal.core.errors import Problem
from cxcausal.core.spec.events import Events, EventSource
from cxcausal.core.spec.filter_grammar import columns_of, parse_filter
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Opened, Table, Value
from cxcausal.data.functions import moment_in


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large and how small a column's values are, 0 apart, and whether all are whole numbers."""

    largest: float
    smallest: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one pass over an event table told: its rows, of anybody, and the sizes of the columns that are added."""

    rows: int
    sizes: Mapping[str, Size]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One event table, opened.

    Attributes:
        name: in the plan.
        source: what the plan says of it.
        opened: its rows.
        columns: those of it that the plan needs.
        reader: reads them.
        at, recorded: when it happened and when the row arrived, as local times of the project; the latter may be none.
        measured: what a pass over it told; None before that pass.
        restated: the keys that stand in several rows; None where every event stands in one.
    """

    name: str
    source: EventSource
    opened: Opened
    columns: tuple[str, ...]
    reader: Reader
    at: Value
    recorded: Value | None
    measured: Measured | None = None
    restated: Table | None = None

    @property
    def label(self) -> str:
        """How problems name the table."""
        return self.opened.source.label


def columns_needed(events: Events, name: str) -> tuple[str, ...]:
    """Return the columns that must be read of one event table.

    Example:
        >>> from cxcausal.core.spec.events import EventColumn
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
            names += [*(() if column.value is None else (column.value,)), *filtered(column.where)]
    if events.exposure is not None and events.exposure.source == name:
        names += filtered(events.exposure.where)
    return tuple(dict.fromkeys(names))


def sources_used(events: Events) -> tuple[str, ...]:
    """Return the event tables that the plan reads, in the order of their first use."""
    exposed = () if events.exposure is None else (events.exposure.source,)
    return tuple(dict.fromkeys((*(column.source for column in events.columns.values()), *exposed)))


def summed_columns(events: Events, name: str) -> tuple[str, ...]:
    """Return the columns of one event table that are added up."""
    added = (one for one in events.columns.values() if one.source == name and one.aggregate == "sum")
    return tuple(dict.fromkeys(one.value for one in added if one.value is not None))


def filtered(text: str | None) -> tuple[str, ...]:
    """Return the columns that a condition on events speaks of."""
    return () if text is None else columns_of(parse_filter(text))


def stream_of(name: str, events: Events, opened: Opened) -> Stream:
    """Return an event table with its times read."""
    source = events.sources[name]
    reader = Reader(table=opened.table, declared={})
    recorded = None if source.recorded is None else _time(reader, source.recorded, source.timezone)
    at = _time(reader, source.time, source.timezone)
    needed = columns_needed(events, name)
    return Stream(name=name, source=source, opened=opened, columns=needed, reader=reader, at=at, recorded=recorded)


def shared_ids(assigned: Reader, unit: str, stream: Stream) -> tuple[Value, Value]:
    """Return a unit's id among the assignments and in an event table, as values that can be compared.

    The many rows of the event table stay as they are stored wherever that can be; the few assignments follow.
    """
    theirs, name = stream.reader, stream.source.unit
    mine_kind, their_kind = assigned.table[unit].type(), theirs.table[name].type()
    if their_kind.is_string():
        return assigned.stored_text(unit), theirs.stored_text(name)
    if their_kind.is_signed_integer():
        if mine_kind.is_integer():
            return assigned.table[unit], theirs.table[name]
        if mine_kind.is_string():
            number = assigned.table[unit].try_cast("int64")
            same = number.cast("string") == assigned.table[unit]
            return ibis.ifelse(same, number, None).cast("int64"), theirs.table[name]
    return assigned.stored_text(unit), theirs.stored_text(name)


def value_of(reader: Reader, name: str) -> Value:
    """Return a column's values in a type that every engine can compare; null where missing."""
    column = reader.table[name]
    kind = column.type()
    if kind.is_integer():
        return column
    if kind.is_floating() or kind.is_decimal():
        return reader.number(name)
    if kind.is_date() or kind.is_timestamp():
        return reader.time(name)
    return reader.stored_text(name)


def unknown_zones(streams: Mapping[str, EventSource]) -> Iterator[Problem]:
    """Yield the time zones of event tables that don't exist."""
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads the system's list

    for name, source in streams.items():
        if source.timezone is not None and source.timezone not in available_timezones():
            what = f"there is no time zone '{source.timezone}'"
            where = f"data.events.sources.{name}.timezone"
            yield Problem(where=where, code="P348", what=what, mend="write one such as Europe/Berlin or UTC")


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
