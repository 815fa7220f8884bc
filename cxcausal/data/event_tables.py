"""Event tables are opened and checked before anything is made of them: ids, times and values, freshness and overlap."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import ibis

from cxcausal.core.entry import EventTable
from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.spec.events import Events, EventSource
from cxcausal.core.spec.models import Data, ExperimentSpec
from cxcausal.data.arms import undeclared_arms
from cxcausal.data.clock import clock_of
from cxcausal.data.columns import PADDED, Reader
from cxcausal.data.engine import Engine, Opened
from cxcausal.data.event_profile import Profile, profile_of
from cxcausal.data.event_rows import with_versions
from cxcausal.data.event_streams import Stream, columns_needed, stream_of, summed_columns, unknown_zones
from cxcausal.data.events import Enrolled
from cxcausal.data.roles import Roles
from cxcausal.data.rules import Terms, ValueRule, broken_rules, entry_rules
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
    engine: Engine, found: Enrolled, tables: Mapping[str, Opened], spec: ExperimentSpec, roles: Roles
) -> tuple[Mapping[str, Stream], tuple[EventTable, ...]]:
    """Return event tables that can be read, are not stale, and whose ids belong to some who were assigned.

    Also what was found in each of them.

    Raises:
        DataError: all problems at once.
    """
    events = spec.data.events
    assert events is not None  # noqa: S101 - the caller knows
    streams = {name: stream_of(name, events, opened) for name, opened in tables.items()}
    broken = [*_assignment_problems(engine, found, spec, roles)]
    for stream in streams.values():
        broken += broken_rules(engine, stream.opened, stream.opened.table, tuple(_rules(stream, events)))
        broken += _padded(engine, found, stream, str(spec.data.unit))
    if broken:
        raise DataError(broken)
    profiles = {name: profile_of(engine, found, stream, spec) for name, stream in streams.items()}
    problems = [one for name, profile in profiles.items() for one in _problems(streams[name], profile, spec)]
    if problems:
        raise DataError(problems)
    known = {
        name: with_versions(engine, replace(streams[name], measured=profile.measured), f"restated{at}")
        for at, (name, profile) in enumerate(profiles.items())
    }
    return known, tuple(profile.told for profile in profiles.values())


def _assignment_problems(engine: Engine, found: Enrolled, spec: ExperimentSpec, roles: Roles) -> Iterator[Problem]:
    """Yield assignments without an arm, an id or a time: they would drop out before anybody looks at them."""
    opened = found.opened
    reader = Reader(table=found.table, declared=spec.data.columns)
    clock = clock_of(spec, reader)
    terms = Terms(reader=reader, roles=roles, numeric_covariates=(), time_zero=clock.zero, observed_until=clock.until)
    yield from undeclared_arms(engine, opened, found.table, reader, spec)
    yield from broken_rules(engine, opened, found.table, entry_rules(terms))


def _rules(stream: Stream, events: Events) -> Iterator[ValueRule]:
    source, reader = stream.source, stream.reader
    ids = {source.unit: ("the id is missing", "give every event the id of its unit, or leave such rows out")}
    missing = "the key is missing, so versions of one event can't be told from other events"
    ids |= dict.fromkeys(source.key, (missing, "give every event its key, or remove 'key' from its source"))
    for name, (what, mend) in ids.items():
        yield ValueRule(column=name, code="D302", broken=reader.id(name).isnull(), what=what, mend=mend)
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
    summed = summed_columns(events, stream.name)
    removed = () if stream.source.removed is None else (stream.source.removed,)
    for name in dict.fromkeys((*summed, *removed)):
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


def _padded(engine: Engine, found: Enrolled, stream: Stream, unit: str) -> Iterator[Problem]:
    """Yield ids that are spelled otherwise here than among the assignments: they would match nobody, silently."""
    mine, theirs = stream.reader.table[stream.source.unit], found.table[unit]
    for texts, numbers in ((mine, theirs), (theirs, mine)):
        if texts.type().is_string() and numbers.type().is_integer():
            padded = texts.re_search(PADDED).fill_null(False).cast("int64").max()
            if engine.fetch(padded.name("padded").as_table())[0][0]:
                what = "ids are padded with zeros in one table, and whole numbers in the other"
                where = f"{stream.label} column {stream.source.unit}"
                yield Problem(where=where, code="D360", what=what, mend="store them alike in both tables")
                return


def _problems(stream: Stream, profile: Profile, spec: ExperimentSpec) -> Iterator[Problem]:
    """Yield that a table has nothing of anybody who was assigned, or ends too early."""
    source = stream.source
    if not sum(profile.told.matched_by_arm.values()):
        what = f"none of its ids is among those of '{spec.data.unit}' that were assigned"
        mend = f"check data.events.sources.{stream.name}.unit"
        yield Problem(where=f"{stream.label} column {source.unit}", code="D361", what=what, mend=mend)
    newest, cut = profile.newest, profile.cut
    if source.freshness is not None and (cut - newest).days >= source.freshness:
        what = f"its newest row is of {newest:%Y-%m-%d}, and the data are said to reach to {cut:%Y-%m-%d}"
        mend = f"load it anew: it may be {source.freshness} days old at most; or correct data.observed_until"
        yield Problem(where=stream.label, code="D362", what=what, mend=mend)


def source_entry(source: EventSource) -> dict[str, str]:
    """Return where an event table lies, as an entry of `configs/data_sources.yaml`."""
    keys = ("path", "package", "file", "table")
    return {key: str(getattr(source, key)) for key in keys if getattr(source, key) is not None}
