"""How far each cause moved an effect: the same pipeline over tables that differ by one cause each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, sqrt
from typing import Any, Literal, cast

from scipy.special import stdtr

from cxcausal.core.adjusting import has_scores
from cxcausal.core.answers import Moments
from cxcausal.core.errors import DataError
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.movement import Cause, Drift, EffectMovement, Mix, Step, told
from cxcausal.core.protocols import Dataset, DatasetWithRows
from cxcausal.core.queries import MomentQuery
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.pipeline.components import components_of
from cxcausal.pipeline.score_road import BothRoads

Contrast = tuple[str, str, str]
"""Metric, arm and control."""
Effects = Mapping[Contrast, Estimate]
FEWEST_COMPARED = 30
"""With fewer units in an arm an effect is neither compared with that of other units nor told as a cut's own."""
_SAME = 1e-9
"""Numbers that differ by less than this share of their standard error are one number, summed in another order."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The effects after one cause has had its part, and whom that concerned (None: not counted in units)."""

    cause: Cause
    effects: Effects
    units: int | None = None


def effects_in(spec: ExperimentSpec, dataset: DatasetWithRows) -> Effects:
    """Return the absolute headline effects over everybody, as an analysis of these data would find them.

    Data that can't be analysed, such as those without a unit in some arm, have no effects.
    """
    estimator = components_of(spec).estimators[0]
    try:
        asked = (query for _, metric in spec.metrics.with_roles() for query in estimator.queries(spec, metric, {}))
        answers = BothRoads(dataset=dataset, spec=spec).answer(tuple(dict.fromkeys(asked)))
        found = [row for _, metric in spec.metrics.with_roles() for row in estimator.compare(spec, metric, {}, answers)]
        rows = apply_multiplicity(found, spec.analysis)
    except DataError:
        return {}
    return headlines(rows)


def headlines(rows: Sequence[Estimate]) -> Effects:
    """Return, of an effects table, the computed absolute headline rows over everybody."""
    return {
        (row.metric, row.arm, row.control): row
        for row in rows
        if row.headline
        and not row.companion
        and (row.scale, row.population, row.status) == ("absolute", "all", "ok")
        and row.point is not None
    }


def stored_headlines(results: Mapping[str, Any]) -> Effects:
    """Return the same of the stored object of `run --json`."""
    known = {field.name for field in fields(Estimate)}
    rows = ({key: value for key, value in row.items() if key in known} for row in results["effects"])
    return headlines([Estimate(**row) for row in rows])


def movements(before: Effects, stages: Sequence[Stage], now: Effects) -> tuple[EffectMovement, ...]:
    """Return how each effect that both runs have came from its earlier value to that of now.

    Args:
        before: as the earlier run stored them.
        stages: in the order in which causes have their part; the effects of the last are those of now.
        now: of this run.
    """
    return tuple(_movement(contrast, row, stages, now[contrast]) for contrast, row in before.items() if contrast in now)


def _movement(contrast: Contrast, before: Estimate, stages: Sequence[Stage], now: Estimate) -> EffectMovement:
    metric, arm, control = contrast
    first, last = cast("float", before.point), cast("float", now.point)
    whole = last - first
    steps, reached = [], first
    for stage in stages:
        found = stage.effects.get(contrast)
        after = None if found is None else found.point
        if after is not None and abs(after - reached) <= _SAME * (before.se or abs(first) or 1.0):
            after = reached
        steps.append(_step(stage, reached, after, whole))
        reached = reached if after is None else after
    return EffectMovement(
        metric=metric,
        arm=arm,
        control=control,
        unit=now.unit,
        before=first,
        now=last,
        change=whole,
        steps=tuple(steps),
    )


def _step(stage: Stage, before: float, after: float | None, whole: float) -> Step:
    change = None if after is None else after - before
    return Step(
        cause=stage.cause,
        units=None if stage.units is None else told(stage.units),
        before=before,
        after=after,
        change=change,
        share=None if change is None or whole == 0 else change / whole,
    )


def comparable(row: Estimate) -> bool:
    """Tell whether an effect rests on units enough for its standard error, and on too many to point at somebody."""
    return min(row.n_treated or 0, row.n_control or 0) >= FEWEST_COMPARED


def drift_of(known: Estimate, new: Estimate, alpha: float) -> Drift | None:
    """Return whether the effect among newly analysed units differs from that among those analysed before.

    They are different people, so that the variances add; None where one has no standard error, or too few units.

    B. L. Welch (1947), "The generalization of Student's problem when several different population variances are
    involved", Biometrika 34: degrees of freedom of the difference.
    """
    if known.point is None or new.point is None or not known.se or not new.se:
        return None
    if not comparable(known) or not comparable(new):
        return None
    difference, (se, df) = new.point - known.point, difference_error(known, new)
    z = difference / se
    p = 2 * float(stdtr(df, -abs(z)))
    return Drift(
        known=known.point,
        new=new.point,
        difference=difference,
        se=se,
        z=z,
        p=p,
        trend="steady" if p >= alpha else _trend(known, new, alpha),
    )


def difference_error(one: Estimate, other: Estimate) -> tuple[float, float]:
    """Return the standard error of the difference between two independent effects, and its degrees of freedom."""
    rows = [(float(row.se or 0.0) ** 2, row.df or inf) for row in (one, other)]
    whole, spread = sum(square for square, _ in rows), sum(square**2 / df for square, df in rows)
    return sqrt(whole), whole**2 / spread if spread else inf


def _trend(known: Estimate, new: Estimate, alpha: float) -> Literal["fading", "growing", "reversed"]:
    """Return the word for a reliable difference; `reversed` only where both effects are reliable themselves."""
    first, second = cast("float", known.point), cast("float", new.point)
    sure = all(
        2 * stdtr(row.df or inf, -abs(cast("float", row.point) / cast("float", row.se))) < alpha for row in (known, new)
    )
    if first * second < 0 and sure:
        return "reversed"
    return "fading" if abs(second) < abs(first) else "growing"


def mix_of(spec: ExperimentSpec, contrast: Contrast, before: Dataset, now: Dataset, change: float) -> Mix | None:
    """Return how much of a change is that groups have other sizes now, and how much that effects in them differ.

    Kitagawa's decomposition with the weights of both: the population's part is Σ (w' − w)(e + e')/2 over the groups,
    the effect's Σ (e' − e)(w + w')/2, where w is a group's share of both arms and e the difference of its means. A
    group that is in one of them only has one effect, and counts to the population's part.

    Evelyn M. Kitagawa (1955), "Components of a Difference Between Two Rates", JASA 50(272).

    Args:
        spec: the plan.
        contrast: which effect.
        before: without the newly analysed units.
        now: with them.
        change: of the effect between the two.
    """
    over = tuple(dict.fromkeys((*spec.segments, *spec.design.strata)))
    metric = next(one for _, one in spec.metrics.with_roles() if one.name == contrast[0])
    if (
        has_scores(spec)
        or not over
        or spec.data.weight is not None
        or metric.type == "ratio"
        or why_not_measured(metric) is not None
    ):
        return None
    then, later = (_groups(metric, over, contrast, dataset) for dataset in (before, now))
    groups = {*then, *later}
    population = effect = 0.0
    for group in groups:
        w, e = then.get(group, (0.0, None))
        w2, e2 = later.get(group, (0.0, None))
        e, e2 = (e2 if e is None else e), (e if e2 is None else e2)
        if e is None or e2 is None:
            continue
        population += (w2 - w) * (e + e2) / 2
        effect += (e2 - e) * (w + w2) / 2
    return Mix(over=over, population=population, effect=effect, rest=change - population - effect)


def _groups(
    metric: Metric, over: tuple[str, ...], contrast: Contrast, dataset: Dataset
) -> dict[tuple[str, ...], tuple[float, float | None]]:
    """Return each group's share of the two arms, and its difference of means where both have units of it."""
    query = MomentQuery(measure=measure_of(metric), by=over)
    cells = cast("Mapping[tuple[str, tuple[str, ...]], Moments]", dataset.answer((query,))[query])
    _, arm, control = contrast
    sizes: dict[tuple[str, ...], int] = {}
    means: dict[tuple[str, ...], dict[str, float]] = {}
    for (one, group), cell in cells.items():
        if one in {arm, control} and cell.n:
            sizes[group] = sizes.get(group, 0) + cell.n
            means.setdefault(group, {})[one] = float(cell.mean[0])
    total = sum(sizes.values())
    both = {group: found[arm] - found[control] for group, found in means.items() if {arm, control} <= found.keys()}
    return {group: (size / total, both.get(group)) for group, size in sizes.items()}
