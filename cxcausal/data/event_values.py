"""One value per unit from its events: counts, exact sums, and what came first or last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from math import frexp
from operator import add, and_, or_

import ibis

from cxcausal.core.spec.events import EventColumn, EventWindow
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.event_rows import AT, PAIR, UNTIL, ZERO, Reach, known_at
from cxcausal.data.event_streams import Measured, Stream, value_of
from cxcausal.data.exact import WORD

_DATED = frozenset({"first", "last"})
_FINEST, _DIGITS = 1_000, 53
_WHEN = "__cxcausal_when"


@dataclass(frozen=True, kw_only=True)
class Query:
    """One column to be made of an event table.

    Attributes:
        name: of the column.
        column: its declaration.
        window: days around time zero.
        condition: the column that says which events it counts; None for all.
        value: the column of its values; None where it counts events themselves.
    """

    name: str
    column: EventColumn
    window: EventWindow
    condition: str | None
    value: str | None

    @property
    def known_at_zero(self) -> bool:
        """Whether it tells what was known at time zero."""
        return self.window.end <= 0


def asked_of(columns: Mapping[str, EventColumn], windows: Mapping[str, EventWindow]) -> tuple[Query, ...]:
    """Return what is to be made of one event table; equal conditions and values are computed once."""
    texts = list(dict.fromkeys(one.where for one in columns.values() if one.where is not None))
    names = list(dict.fromkeys((one.value, one.aggregate == "sum") for one in columns.values()))
    return tuple(
        Query(
            name=name,
            column=one,
            window=windows[name],
            condition=None if one.where is None else f"c{texts.index(one.where)}",
            value=None if one.value is None else f"v{names.index((one.value, one.aggregate == 'sum'))}",
        )
        for name, one in columns.items()
    )


def values_of(stream: Stream, asked: Sequence[Query]) -> dict[str, Value]:
    """Return the expressions of the values that are asked for, over the rows of the event table."""
    named = {one.value: one.column for one in asked if one.value is not None}
    return {key: _value(stream.reader, column) for key, column in named.items()}


def _value(reader: Reader, column: EventColumn) -> Value:
    name = str(column.value)
    return reader.number(name) if column.aggregate == "sum" else value_of(reader, name)


def reach_of(asked: Sequence[Query], first: Reach) -> Reach:
    """Return which moments matter to some columns, from the moments of time zero and the end of observation."""
    starts = [one.window.start for one in asked]
    earliest = None if any(start is None for start in starts) else min(start for start in starts if start is not None)
    latest = max(one.window.end for one in asked)
    return Reach(start=_moved(first.start, earliest), end=_moved(first.end, latest), cut=first.cut)


def aggregated(engine: Engine, pairs: Table, asked: Sequence[Query], measured: Measured, name: str) -> Table:
    """Return one row per pair with events, and the columns that are asked for.

    What came first or last takes two steps that every engine has: when it came, and its value at that moment, the
    largest of several for `last` and the smallest for `first`.

    Args:
        engine: computes.
        pairs: events with the times of their units and what else columns ask of them.
        asked: the columns.
        measured: what the sums need to know of the event table.
        name: of the tables that are made inside the engine.
    """
    dated = [one for one in asked if one.column.aggregate in _DATED]
    counted, tests = _counted(pairs, asked)
    if not dated:
        made = {one.name: _plain(counted, one, tests[one.name], measured) for one in asked}
        return engine.keep(name, counted.group_by(list(PAIR)).aggregate(**made))
    kept = engine.keep(f"{name}_events", counted)
    made = {one.name: _plain(kept, one, tests[one.name], measured) for one in asked if one not in dated}
    whens = {one.name: f"{_WHEN}{at}" for at, one in enumerate(dated)}
    made |= {whens[one.name]: _when(kept, one, tests[one.name]) for one in dated}
    plain = engine.keep(f"{name}_plain", kept.group_by(list(PAIR)).aggregate(**made))
    both = kept.inner_join(plain.select(*PAIR, *whens.values()), list(PAIR))
    values = {one.name: _at_that_time(both, one, tests[one.name], whens[one.name]) for one in dated}
    found = both.group_by(list(PAIR)).aggregate(**values)
    whole = engine.keep(name, plain.left_join(found, list(PAIR)).select(*PAIR, *(one.name for one in asked)))
    engine.forget(f"{name}_events")
    engine.forget(f"{name}_plain")
    return whole


def _counted(pairs: Table, asked: Sequence[Query]) -> tuple[Table, Mapping[str, str]]:
    """Return the events that some column counts, and by column the name of what tells which ones those are."""
    kinds = list(dict.fromkeys((one.window.start, one.window.end, one.condition) for one in asked))
    names = {one.name: f"n{kinds.index((one.window.start, one.window.end, one.condition))}" for one in asked}
    tests = {names[one.name]: _counts(pairs, one) for one in asked}
    values = dict.fromkeys(one.value for one in asked if one.value is not None)
    rows = pairs.select(*PAIR, AT, *values, **tests)
    return rows.filter(reduce(or_, [rows[name] for name in tests])), names


def _moved(moment: datetime | None, days: int | None) -> datetime | None:
    """Return a moment some days later; None where there is none, or no calendar reaches so far."""
    if moment is None or days is None:
        return None
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return None


def _days_after(pairs: Table, days: int) -> Value:
    return pairs[ZERO] + ibis.interval(days=days) if days >= 0 else pairs[ZERO] - ibis.interval(days=-days)


def _counts(pairs: Table, asked: Query) -> Value:
    """Tell which events a column counts: inside its window, of its kind, and as they stood when it was to be known."""
    window, tests = asked.window, [pairs[AT] < _days_after(pairs, asked.window.end)]
    if window.start is not None:
        tests.append(pairs[AT] >= _days_after(pairs, window.start))
    if asked.condition is not None:
        tests.append(pairs[asked.condition])
    tests.append(known_at(pairs, pairs[ZERO if asked.known_at_zero else UNTIL]))
    return reduce(and_, tests)


def _plain(events: Table, asked: Query, test: str, measured: Measured) -> Value:
    aggregate, counts = asked.column.aggregate, events[test]
    if aggregate == "any":
        return counts.cast("int64").max().cast("float64")
    if asked.value is None:
        return counts.sum().cast("float64")
    value = events[asked.value]
    if aggregate == "sum":
        return _sum(value, counts, measured, str(asked.column.value))
    return value.nunique(where=counts).cast("float64")


def _sum(value: Value, counts: Value, measured: Measured, name: str) -> Value:
    """Return an exact sum: values become whole numbers on a coarse binary grid, what is left of them on a finer one.

    With as many grids as it takes, one huge value or customer takes no digit from the others.
    """
    size = measured.sizes[name]
    totals, left = [], value
    for shift in shifts(size.largest, size.smallest, measured.rows, whole=size.whole):
        word = _scaled(left, shift).cast("int64")
        totals.append(word.sum(where=counts).cast("float64") / 2.0**shift)
        left = left - word.cast("float64") / 2.0**shift
    return reduce(add, reversed(totals))


def shifts(largest: float, smallest: float, added: int, *, whole: bool) -> tuple[int, ...]:
    """Return the grids, as powers of two, on which so many values add up within 64 bits each, and without a loss.

    Args:
        largest: size of any value.
        smallest: size of any value but 0.
        added: how many values there are at most.
        whole: whether all are whole numbers.

    Example:
        >>> shifts(500.0, 1.0, 1000, whole=True), shifts(500.0, 0.01, 1000, whole=False)
        ((0,), (41, 91))
    """
    bits, spare = frexp(largest)[1], max(added - 1, 0).bit_length()
    if whole and bits + spare <= WORD:
        return (0,)
    word, finest = WORD - spare, min(_DIGITS - frexp(smallest)[1], _FINEST)
    found = [min(word - bits, _FINEST)]
    while found[-1] < finest:
        found.append(min(found[-1] + word, _FINEST))
    return tuple(found)


def _scaled(value: Value, shift: int) -> Value:
    return value if shift == 0 else value * 2.0**shift


def _when(events: Table, asked: Query, test: str) -> Value:
    counts = events[test] & events[asked.value].notnull()
    return events[AT].max(where=counts) if asked.column.aggregate == "last" else events[AT].min(where=counts)


def _at_that_time(events: Table, asked: Query, test: str, when: str) -> Value:
    value, counts = events[asked.value], events[test] & (events[AT] == events[when])
    return value.max(where=counts) if asked.column.aggregate == "last" else value.min(where=counts)
