"""Difference in quantiles per contrast, population and scale, from order statistics that the engine puts in order."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from cxcausal.core.answers import Moments, OrderStatistics, Quantiles
from cxcausal.core.measures import values_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import QuantileQuery
from cxcausal.core.small_cells import SMALLEST_CELL
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.found import Found, rows_of
from cxcausal.estimators.questions import Levels, Question, questions_of
from cxcausal.stats.cluster import too_few_clusters
from cxcausal.stats.quantiles import NO_SPREAD, QuantileDifference, does_not_vary, quantile_difference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

METHOD = "quantile_difference"
WEIGHTED = "this version gives no quantiles of weighted customers"
MIXED = "the arms' shares changed during enrolment, and this version compares no quantiles within epochs"
_FEWEST_UNITS = 2


def quantile_queries(spec: "ExperimentSpec", metric: "Metric") -> tuple[QuantileQuery, ...]:
    """Return one query per population; none where units have weights, or shares changed."""
    if _why_never(spec) is not None:
        return ()
    return tuple(_query(spec, metric, segment) for segment in (None, *spec.segments))


def compare_quantiles(
    spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
) -> tuple[Comparison, ...]:
    """Return one effect per contrast × population × scale, with a reason wherever a row can't be computed.

    Quantiles are not adjusted for covariates: that would be another estimand.
    """
    questions = questions_of(spec, levels)
    never = _why_never(spec)
    if never is not None:
        refused = Found(treated=_cell(None, 0.0), control=_cell(None, 0.0), reason=never, hidden=True, method=METHOD)
        told = [(question, refused) for question in questions if question.segment is None]
    else:
        told = [(question, _find(spec, metric, question, answers)) for question in questions]
    return tuple(_in_words(row) for question, found in told for row in rows_of(spec, metric, question, found))


def _why_never(spec: "ExperimentSpec") -> str | None:
    if spec.data.weight is not None:
        return WEIGHTED
    return MIXED if spec.epochs else None


def _query(spec: "ExperimentSpec", metric: "Metric", segment: str | None) -> QuantileQuery:
    contrasts = (*((arm, spec.control) for arm in spec.treated_arms), *spec.design.contrasts)
    return QuantileQuery(
        measure=values_of(metric),
        q=metric.q or 0.0,
        by=() if segment is None else (segment,),
        cluster=spec.clusters,
        contrasts=contrasts if spec.clusters else (),
    )


def _find(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Found:
    table = cast("Quantiles", answers[_query(spec, metric, question.segment)])
    treated, control = (table.cells.get((arm, question.group)) for arm in (question.arm, question.control))
    hidden = question.segment is not None and min(_n(treated), _n(control)) < SMALLEST_CELL
    shares = table.shares.get((question.arm, question.control, question.group), ())
    names = [names[0] for share in shares for names, one in share.items() if len(names) == 1 and too_few_clusters(one)]
    reason = _why_not(question, treated, control, hidden=hidden)
    if reason is None and names:
        reason = f"an arm has fewer than two values of '{names[0]}', so their spread is unknown"
    effect: QuantileDifference | None = None
    if reason is None and treated is not None and control is not None:
        effect = quantile_difference(treated, control, metric.q or 0.0, shares)
        reason = NO_SPREAD if does_not_vary(effect) else None
    return Found(
        treated=_cell(treated, effect.mean_treated if effect else np.nan),
        control=_cell(control, effect.mean_control if effect else np.nan),
        effect=effect if reason is None else None,
        reason=reason,
        hidden=hidden,
        method=METHOD,
    )


def _why_not(
    question: Question, treated: OrderStatistics | None, control: OrderStatistics | None, *, hidden: bool
) -> str | None:
    if hidden:
        return f"fewer than {SMALLEST_CELL} customers of this segment in an arm: not shown"
    for arm, cell in ((question.arm, treated), (question.control, control)):
        if cell is None:
            return f"no customer in arm '{arm}' has a value"
        if cell.n < _FEWEST_UNITS:
            return f"arm '{arm}' has a single customer with a value, so its spread is unknown"
    return None


def _n(cell: OrderStatistics | None) -> int:
    return 0 if cell is None else cell.n


def _cell(cell: OrderStatistics | None, point: float) -> Moments:
    """Return what a row tells of an arm: its units, and its quantile in the place of a mean."""
    return Moments(n=_n(cell), mean=np.array([point]), m2=np.array([[np.nan]]))


def _in_words(comparison: Comparison) -> Comparison:
    row = comparison.row
    if row.scale == "absolute":
        return comparison
    return replace(comparison, row=replace(row, unit="fraction of the control's quantile"))
