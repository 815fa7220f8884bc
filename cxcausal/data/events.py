"""Columns made of event tables: every source is joined with the assignments once, and aggregated around time zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_

import ibis

from cxcausal.core.entry import Entry
from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec.event_rules import windows_of
from cxcausal.core.spec.events import FILLED
from cxcausal.core.spec.filter_grammar import Expr, Logical
from cxcausal.core.spec.filter_grammar import columns_of as columns_in
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.clock import moment
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.event_rows import AT, ID, PAIR, UNTIL, ZERO, Reach, conditions, known_at, paired
from cxcausal.data.event_streams import Stream, shared_ids
from cxcausal.data.event_values import Query, aggregated, asked_of, reach_of, values_of
from cxcausal.data.filters import FilterCompiler
from cxcausal.data.roles import Roles
from cxcausal.data.units import numeric_texts

ARM, _UNIT, _EXPOSED = "__cxcausal_arm", "__cxcausal_unit", "__cxcausal_exposed"
_OWN = (ARM, _UNIT, ZERO, UNTIL)


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """The assignments that count, with their times and arms.

    Attributes:
        table: stored columns, and our own beside them.
        opened: as they were opened, with that table.
        remaining: what the plan's filter says of columns that are made of events.
        filtered: rows that the rest of the filter kept.
    """

    table: Table
    opened: Opened
    remaining: Expr | None
    filtered: int


def enrolled(engine: Engine, assigned: Opened, spec: ExperimentSpec, roles: Roles) -> Enrolled:
    """Return the assignments after what the plan's filter says of stored columns.

    That comes first: a table may hold the assignments of several experiments, and a unit's first is that of this one.

    Raises:
        PlanError: the filter does not fit its columns.
    """
    reader = Reader(table=assigned.table, declared=spec.data.columns)
    before, remaining = _parted(roles.condition, {*spec.data.from_events, *spec.data.formulas})
    rows = assigned.table
    if before is not None:
        numeric = numeric_texts(engine, reader, tuple(name for name in columns_in(before)))
        rows = rows.filter(FilterCompiler(reader=reader, numeric=numeric).compile(before))
    zero, until = moment(reader, spec.data.time_zero), moment(reader, spec.data.observed_until)
    assert zero is not None and until is not None and spec.data.unit is not None  # noqa: S101, PT018 - the rules say so
    own = {
        ARM: reader.arm(spec.design.treatment.column, spec.arms),
        _UNIT: reader.id(spec.data.unit),
        ZERO: zero[1],
        UNTIL: until[1],
    }
    places = [one.get_name() for one in (assigned.row, assigned.file) if one is not None]
    stored = [name for name in roles.needed if name not in spec.data.from_events]
    table = engine.keep("assigned", rows.select(*dict.fromkeys((*stored, *places)), **own))
    filtered = int(engine.fetch(table.aggregate(n=table.count()))[0][0])
    return Enrolled(table=table, opened=_as_opened(assigned, table, stored), remaining=remaining, filtered=filtered)


def with_events(
    engine: Engine, found: Enrolled, streams: Mapping[str, Stream], spec: ExperimentSpec
) -> tuple[Opened, Entry]:
    """Return the assignments with the plan's columns made of events, ready to be read as any other rows.

    A window runs from `start` days after a unit's time zero, that moment included, up to `end` days after it, that
    moment left out; days are those of the project's clock. Events after the end of observation, and rows that arrived
    after it, don't count; for a window that ends by time zero, nor do rows that arrived after time zero. Of several
    versions of an event the last that had arrived counts. Sums are exact.

    Args:
        engine: computes.
        found: the assignments.
        streams: the event tables, checked.
        spec: the plan.

    Raises:
        PlanError: a filter does not fit its columns.
    """
    events = spec.data.events
    assert events is not None  # noqa: S101 - the caller knows
    table, entry = _entered(engine, found, streams, spec)
    windows = windows_of(events, tuple(metric for _, metric in spec.metrics.with_roles()))
    for at, (name, stream) in enumerate(streams.items()):
        asked = asked_of({key: one for key, one in events.columns.items() if one.source == name}, windows)
        if asked:
            table = _joined(engine, table, stream, asked, spec, f"made{at}")
    stored = (*found.opened.columns, *(name for name in events.columns if name in table.columns))
    kept = engine.keep("flat", table.drop(*_OWN))
    return _as_opened(found.opened, kept, stored), entry


def _as_opened(assigned: Opened, table: Table, columns: Sequence[str]) -> Opened:
    """Return a table of our own that is read as the stored one was, with the same numbers of rows."""
    row, file = (None if one is None else table[one.get_name()] for one in (assigned.row, assigned.file))
    return replace(assigned, table=table, columns=tuple(columns), row=row, file=file, kept=True)


def _parted(expr: Expr | None, made: set[str]) -> tuple[Expr | None, Expr | None]:
    """Return what a filter says of stored columns alone, and the rest; both must hold."""
    if expr is None:
        return None, None
    parts = expr.operands if isinstance(expr, Logical) and expr.operator == "and" else (expr,)
    later = tuple(part for part in parts if made.intersection(columns_in(part)))
    return _all_of(tuple(part for part in parts if part not in later)), _all_of(later)


def _all_of(parts: tuple[Expr, ...]) -> Expr | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Logical(operator="and", operands=parts)


def _entered(
    engine: Engine, found: Enrolled, streams: Mapping[str, Stream], spec: ExperimentSpec
) -> tuple[Table, Entry]:
    """Return the assignments that are analysed, and how many were left out on the way, and where."""
    events, table = spec.data.events, found.table
    assert events is not None  # noqa: S101 - the caller knows
    later = 0
    if events.repeated == "first":
        table = engine.keep("entered", _first_assignment(table))
        later = found.filtered - _rows(engine, table)
    entry = Entry(filtered_out=found.opened.rows - found.filtered, later=later)
    if events.exposure is None:
        return table, entry
    assigned = _by_arm(engine, table, spec)
    table = engine.keep("exposed", _exposed(engine, table, streams[events.exposure.source], spec))
    return table, replace(entry, assigned_by_arm=assigned, exposed_by_arm=_by_arm(engine, table, spec))


def _rows(engine: Engine, table: Table) -> int:
    return int(engine.fetch(table.aggregate(n=table.count()))[0][0])


def _by_arm(engine: Engine, table: Table, spec: ExperimentSpec) -> Mapping[str, int]:
    counted: dict[str, int] = dict(engine.fetch(table.group_by(ARM).aggregate(n=table.count())))
    return {arm: counted.get(arm, 0) for arm in spec.arms}


def _first_assignment(table: Table) -> Table:
    """Return each unit's first assignment; several at the same moment are all kept, and told as repeated later."""
    first = table[ZERO].min().over(group_by=table[_UNIT])
    return table.mutate(**{AT: first}).filter(lambda t: t[ZERO] == t[AT]).drop(AT)


def _exposed(engine: Engine, table: Table, stream: Stream, spec: ExperimentSpec) -> Table:
    """Return the assignments that were followed by an exposure, with that moment as their time zero."""
    events, column = spec.data.events, spec.data.time_zero
    exposure = None if events is None else events.exposure
    assert exposure is not None  # noqa: S101 - the caller knows
    if column not in table.columns:
        what = "exposure moves each unit's time zero, and data.time_zero is one date for all"
        mend = "name the column with the time of assignment"
        raise PlanError(Problem(where="data.time_zero", code="P347", what=what, mend=mend))
    tests = conditions(engine, stream, {_EXPOSED: ("data.events.exposure.where", exposure.where)})
    keyed, theirs = _keyed(table, stream, spec)
    moments = _moments(engine, table)
    reach = Reach(start=moments.start, end=None, cut=moments.cut)
    pairs = paired(_pairs(keyed), stream, theirs, tests, reach)
    counts = [known_at(pairs, pairs[UNTIL]), pairs[AT] >= pairs[ZERO], *(pairs[name] for name in tests)]
    if exposure.within is not None:
        counts.append(pairs[AT] < pairs[ZERO] + ibis.interval(days=exposure.within))
    first = pairs.filter(reduce(and_, counts)).group_by(list(PAIR)).aggregate(**{AT: lambda t: t[AT].min()})
    both = keyed.inner_join(first, list(PAIR))
    return both.mutate(**{str(column): both[AT], ZERO: both[AT]}).select(*table.columns)


def _joined(
    engine: Engine, table: Table, stream: Stream, asked: Sequence[Query], spec: ExperimentSpec, name: str
) -> Table:
    """Return the assignments with the columns that are made of one event table: one pass over it."""
    tests = {
        one.condition: (f"data.events.columns.{one.name}.where", one.column.where)
        for one in asked
        if one.condition is not None
    }
    columns = conditions(engine, stream, tests) | values_of(stream, asked)
    keyed, theirs = _keyed(table, stream, spec)
    pairs = paired(_pairs(keyed), stream, theirs, columns, reach_of(asked, _moments(engine, table)))
    assert stream.measured is not None  # noqa: S101 - checked streams are
    found = aggregated(engine, pairs, asked, stream.measured, name)
    both = keyed.left_join(found, list(PAIR))
    fill = {one.name: both[one.name].fill_null(0.0) for one in asked if one.column.aggregate in FILLED}
    return both.mutate(**fill).select(*table.columns, *(one.name for one in asked))


def _keyed(table: Table, stream: Stream, spec: ExperimentSpec) -> tuple[Table, Value]:
    """Return the assignments with ids that can be compared with those of an event table, and the latter."""
    mine, theirs = shared_ids(Reader(table=table, declared=spec.data.columns), str(spec.data.unit), stream)
    return table.mutate(**{ID: mine}), theirs


def _pairs(keyed: Table) -> Table:
    return keyed.select(*PAIR).distinct()


def _moments(engine: Engine, table: Table) -> Reach:
    """Return the first and the last time zero, and the latest end of observation."""
    found = engine.fetch(table.aggregate(first=table[ZERO].min(), last=table[ZERO].max(), cut=table[UNTIL].max()))[0]
    return Reach(start=found[0], end=found[1], cut=found[2])
