"""Bounds where some did not answer: the cut of the larger arm, then every end as a mean over all analysed units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import ibis

from cxcausal.core.answer_bounds import (
    ArmAnswers,
    Form,
    Side,
    Tail,
    answers_more,
    filled_form,
    kept_rank,
    trimmed_forms,
)
from cxcausal.core.answers import BoundEnd, ClusterPatterns, Nonresponse
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, NonresponseQuery, cluster_queries
from cxcausal.data.cells import Answered, Wish, tally, wish_for
from cxcausal.data.clusters import patterns
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import grid_for, on_grid, unscaled
from cxcausal.data.subjects import components_of
from cxcausal.data.tallies import moments_of
from cxcausal.data.units import Bounds, Units

_FEWEST = 2
"""Answers per arm below which nothing is bounded."""
_ENDS = ("lee_low", "lee_high", "worst_low", "worst_high")
Forms = tuple[Form, Form]
"""Of the treated arm and of the control."""


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """One query: its arms, the ends that it has, and a measure for each."""

    arms: tuple[ArmAnswers, ArmAnswers]
    support: tuple[float, float] | None
    ends: Mapping[str, Forms]
    measures: Mapping[str, Measure]


def nonresponse(
    engine: Engine, units: Units, queries: Sequence[NonresponseQuery]
) -> Mapping[NonresponseQuery, Nonresponse]:
    """Answer every query: two cuts and one sum per pair of arms, and then one pass over the units for all ends."""
    found = tally(engine, units, [wish_for(query.measure) for query in queries])
    prepared = {
        query: _prepare(engine, units, query, found[wish_for(query.measure)], index)
        for index, query in enumerate(queries)
    }
    widened = _with_values(units, prepared)
    measures = [measure for one in prepared.values() for measure in one.measures.values()]
    tables = tally(engine, widened, [wish_for(measure) for measure in measures])
    asked = [clustered for query, one in prepared.items() for clustered in _cluster_queries(query, one)]
    clusters = patterns(engine, widened, asked) if asked else {}
    return {
        query: _answer(one, {name: _end(query, measure, tables, clusters) for name, measure in one.measures.items()})
        for query, one in prepared.items()
    }


def _end(
    query: NonresponseQuery,
    measure: Measure,
    tables: Mapping[Wish, Answered],
    clusters: Mapping[ClusterQuery, ClusterPatterns],
) -> BoundEnd:
    table = tables[wish_for(measure)]
    return BoundEnd(
        treated=moments_of(table.tallies[query.treated, ()], table.grids),
        control=moments_of(table.tallies[query.control, ()], table.grids),
        patterns={names: clusters[asked] for names, asked in _by_cluster(query, measure).items()},
    )


def _prepare(engine: Engine, units: Units, query: NonresponseQuery, found: Answered, index: int) -> _Prepared:
    cells = {arm: (cell, moments_of(cell, found.grids)) for (arm, _), cell in found.tallies.items()}
    treated, control = (
        ArmAnswers(units=cells[arm][0].units, answers=cells[arm][1].n, mean=float(cells[arm][1].mean[0]))
        for arm in (query.treated, query.control)
    )
    known = [moments for _, moments in cells.values() if moments.n]
    support = query.support
    if support == "observed":
        support = (min(one.low for one in known), max(one.high for one in known)) if known else None
    ends: dict[str, Forms] = {}
    if min(treated.answers, control.answers) >= _FEWEST:
        ends |= _lee(engine, units, query, treated, control)
        ends |= {} if support is None else _worst_case(*support)
    counted = _counted_by(query)
    measures = {
        name: Measure(name=f"~{index}{name}", terms=((f"~{index}{name}", 1.0),), response=counted) for name in ends
    }
    return _Prepared(arms=(treated, control), support=support, ends=ends, measures=measures)


def _lee(
    engine: Engine, units: Units, query: NonresponseQuery, treated: ArmAnswers, control: ArmAnswers
) -> dict[str, Forms]:
    """Return the forms of both ends: the low one keeps low answers of the treated arm, or high ones of the control."""
    first = answers_more(treated, control)
    trimmed, other = (treated, control) if first else (control, treated)
    arm = query.treated if first else query.control
    sides: tuple[Side, Side] = ("low", "high") if first else ("high", "low")
    tails = _tails(engine, units, query.measure, arm, trimmed, kept_rank(trimmed, other))
    found = {}
    for name, side in zip(_ENDS[:2], sides, strict=True):
        mine, others = trimmed_forms(trimmed, other, tails[side])
        found[name] = (mine, others) if first else (others, mine)
    return found


def _worst_case(lowest: float, highest: float) -> dict[str, Forms]:
    low, high = filled_form(lowest), filled_form(highest)
    return {"worst_low": (low, high), "worst_high": (high, low)}


def _tails(
    engine: Engine, units: Units, measure: Measure, arm: str, trimmed: ArmAnswers, rank: int
) -> dict[Side, Tail]:
    """Return both tails of one arm: the answers at a rank from either side, and what lies beyond them."""
    table = units.table.filter(units.table.mature, units.table.arm == arm)
    component = components_of(measure, table, units.numbers)[0]
    rows = table.select(y=component.value).filter(lambda one: one.y.notnull())
    cuts: dict[Side, float] = {
        "low": engine.fetch(rows.order_by(rows.y).limit(1, offset=rank - 1))[0][0],
        "high": engine.fetch(rows.order_by(rows.y.desc()).limit(1, offset=rank - 1))[0][0],
    }
    grids = {side: grid_for(component.largest + abs(cut), whole=False) for side, cut in cuts.items()}
    sums = {f"{side}_sum": on_grid(_beyond(rows.y, side, cut), grids[side]).sum() for side, cut in cuts.items()}
    totals = dict(zip(cuts, engine.fetch(rows.aggregate(**sums))[0], strict=True))
    return {
        side: Tail(kept=side, cut=cut, mean=unscaled(totals[side], grids[side].shift, trimmed.answers))
        for side, cut in cuts.items()
    }


def _beyond(value: Value, kept: Side, cut: float) -> Value:
    away = value - ibis.literal(cut, "float64")
    return ibis.least(away, 0.0) if kept == "low" else ibis.greatest(away, 0.0)


def _counted_by(query: NonresponseQuery) -> str:
    """Return the name of what is 1 in the two arms: with it, all ends of these arms have the same units and a pass."""
    return f"~{query.treated}~{query.control}"


def _with_values(units: Units, prepared: Mapping[NonresponseQuery, _Prepared]) -> Units:
    """Return the units with one more number per end, and one per pair of arms that tells who counts."""
    values: dict[str, Value] = {}
    numbers = dict(units.numbers)
    for query, one in prepared.items():
        answer = components_of(query.measure, units.table, units.numbers)[0]
        values[f"number:{_counted_by(query)}"] = units.table.arm.isin((query.treated, query.control)).cast("float64")
        for name, forms in one.ends.items():
            column = one.measures[name].name
            parts = zip((query.treated, query.control), forms, strict=True)
            cases = [(units.table.arm == arm, _value(form, answer.value)) for arm, form in parts]
            values[f"number:{column}"] = ibis.cases(*cases)
            largest = max(form.largest(answer.largest) for form in forms)
            numbers[column] = Bounds(largest=largest, whole=False, complete=True)
    table: Table = units.table.mutate(**values) if values else units.table
    return replace(units, table=table, numbers=numbers)


def _value(form: Form, answer: Value) -> Value:
    """Return a unit's value by its form: an answer that is null is none."""
    base, each, slope, bend = (
        ibis.literal(number, "float64") for number in (form.base, form.each, form.slope, form.bend)
    )
    parts = [base, each]
    if form.slope:
        parts.append(slope * answer)
    if form.bend:
        parts.append(bend * _beyond(answer, form.kept, form.cut))
    return ibis.ifelse(answer.notnull(), reduce(add, parts), base)


def _by_cluster(query: NonresponseQuery, measure: Measure) -> Mapping[tuple[str, ...], ClusterQuery]:
    return cluster_queries(measure, query.clusters, treated=query.treated, control=query.control)


def _cluster_queries(query: NonresponseQuery, one: _Prepared) -> Iterator[ClusterQuery]:
    for measure in one.measures.values():
        yield from _by_cluster(query, measure).values()


def _answer(one: _Prepared, ends: Mapping[str, BoundEnd]) -> Nonresponse:
    treated, control = one.arms
    lee_low, lee_high, worst_low, worst_high = (ends.get(name) for name in _ENDS)
    return Nonresponse(
        units=(treated.units, control.units),
        answers=(treated.answers, control.answers),
        lee=None if lee_low is None or lee_high is None else (lee_low, lee_high),
        worst_case=None if worst_low is None or worst_high is None else (worst_low, worst_high),
        support=one.support,
    )
