"""Event tables are opened and checked before anything is made of them: ids, times and values, freshness and overlap."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import ibis

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.spec.events import Events, EventSource
from cxcausal.core.spec.models import Data, ExperimentSpec
from cxcausal.data.clock import moment
from cxcausal.data.columns import PADDED, Reader
from cxcausal.data.engine import Engine, Opened, Value
from cxcausal.data.events import Stream, columns_needed, stream_of, unknown_zones
from cxcausal.data.rules import ValueRule, broken_rules
from cxcausal.data.sources import Source


def open_streams(engine: Engine, events: Events, sources: Mapping[str, Source]) -> Mapping[str, Opened]:
    """Return the event tables of a plan, opened.

    Args:
        engine: opens them.
        events: the plan's block.
        sources: the files of every table.

    Raises:
        PlanError: a time zone doesn't exist.
        DataError: a file is not well formed, or lacks a column.
    """
    problems = tuple(unknown_zones({name: events.sources[name] for name in sources}))
    if problems:
        raise PlanError(problems)
    found = {}
    for at, (name, source) in enumerate(sources.items()):
        with engine.doing(f"open {source.label} as events{at}: which columns, and how many rows"):
            found[name] = engine.open(source, Data(source=name), columns_needed(events, name), f"events{at}")
    return found


def checked(
    engine: Engine, assigned: Opened, tables: Mapping[str, Opened], spec: ExperimentSpec
) -> Mapping[str, Stream]:
    """Return event tables that can be read, are not stale, and whose ids belong to some who were assigned.

    Raises:
        DataError: all problems at once.
    """
    events = spec.data.events
    assert events is not None  # noqa: S101 - the caller knows
    streams = {name: stream_of(name, events.sources[name], opened) for name, opened in tables.items()}
    problems = tuple(
        problem for stream in streams.values() for problem in _problems(engine, assigned, stream, events, spec)
    )
    if problems:
        raise DataError(problems)
    return streams


def _problems(
    engine: Engine, assigned: Opened, stream: Stream, events: Events, spec: ExperimentSpec
) -> Iterator[Problem]:
    broken = tuple(broken_rules(engine, stream.opened, stream.opened.table, tuple(_rules(stream, events))))
    yield from broken
    if broken:
        return
    reader = Reader(table=assigned.table, declared=spec.data.columns)
    yield from _identities(engine, reader, stream, str(spec.data.unit))
    yield from _freshness(engine, reader, stream, spec)


def _rules(stream: Stream, events: Events) -> Iterator[ValueRule]:
    source, reader = stream.source, stream.reader
    yield ValueRule(
        column=source.unit,
        code="D302",
        broken=reader.id(source.unit).isnull(),
        what="the id is missing",
        mend="give every event the id of its unit, or leave such rows out of the table",
    )
    times = {source.time: stream.at} | ({} if source.recorded is None else {source.recorded: stream.recorded})
    for name, value in times.items():
        yield ValueRule(
            column=name,
            code="D313",
            broken=value.isnull() if value is not None else ibis.literal(False),
            what="the time is missing, or is no ISO date or time",
            mend="write times such as 2026-01-31 or 2026-01-31T09:30:00Z",
        )
    yield from _number_rules(stream, events)


def _number_rules(stream: Stream, events: Events) -> Iterator[ValueRule]:
    summed = [
        column.value for column in events.columns.values() if column.source == stream.name and column.aggregate == "sum"
    ]
    removed = () if stream.source.removed is None else (stream.source.removed,)
    for name in dict.fromkeys(one for one in (*summed, *removed) if one is not None):
        unreadable = stream.reader.unreadable(name)
        if unreadable is not None:
            what = "the value is not a number"
            yield ValueRule(column=name, code="D305", broken=unreadable, what=what, mend="write it as 12 or 0.5")
        infinite = stream.reader.number(name).isinf()
        what = "the value is infinite"
        yield ValueRule(column=name, code="D306", broken=infinite, what=what, mend="export the table again")
    for name in removed:
        odd = ~stream.reader.number(name).isin([0.0, 1.0])
        yield ValueRule(column=name, code="D307", broken=odd, what="the value is neither 0 nor 1", mend="write 0 or 1")


def _identities(engine: Engine, reader: Reader, stream: Stream, unit: str) -> Iterator[Problem]:
    """Yield ids that are spelled otherwise here than among the assignments: they would match nobody, silently."""
    mine, theirs = stream.reader.table[stream.source.unit], reader.table[unit]
    where = f"{stream.label} column {stream.source.unit}"
    for texts, numbers in ((mine, theirs), (theirs, mine)):
        if texts.type().is_string() and numbers.type().is_integer():
            padded = texts.re_search(PADDED).fill_null(False).any()
            if engine.fetch(padded.name("padded").as_table())[0][0]:
                what = "ids are padded with zeros in one table, and whole numbers in the other"
                yield Problem(where=where, code="D360", what=what, mend="store them alike in both tables")
                return
    ids = stream.reader.table.select(id=stream.reader.stored_text(stream.source.unit))
    assigned = reader.table.select(id=reader.stored_text(unit)).distinct()
    shared = ids.semi_join(assigned, "id")
    if not engine.fetch(shared.aggregate(n=shared.count()))[0][0]:
        what = f"none of its ids is among those of '{unit}' that were assigned"
        mend = f"check data.events.sources.{stream.name}.unit"
        yield Problem(where=where, code="D361", what=what, mend=mend)


def _freshness(engine: Engine, reader: Reader, stream: Stream, spec: ExperimentSpec) -> Iterator[Problem]:
    until = moment(reader, spec.data.observed_until)
    if stream.source.freshness is None or until is None:
        return
    arrival: Value = stream.at if stream.recorded is None else stream.recorded
    newest = _latest(engine, arrival)
    cut = _latest(engine, reader.table.select(until=until[1]).until)
    if newest is not None and cut is not None and (cut - newest).days >= stream.source.freshness:
        what = f"its newest row is of {newest:%Y-%m-%d}, and the data are said to reach to {cut:%Y-%m-%d}"
        mend = f"load it anew: it may be {stream.source.freshness} days old at most; or correct data.observed_until"
        yield Problem(where=stream.label, code="D362", what=what, mend=mend)


def _latest(engine: Engine, value: Value) -> datetime | None:
    found: datetime | None = engine.fetch(value.max().name("latest").as_table())[0][0]
    return found


def source_entry(source: EventSource) -> dict[str, str]:
    """Return where an event table lies, as an entry of `configs/data_sources.yaml`."""
    keys = ("path", "package", "file", "table")
    return {key: str(getattr(source, key)) for key in keys if getattr(source, key) is not None}
