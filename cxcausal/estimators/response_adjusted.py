"""The effect on everybody, if answering is as good as random among customers with the same covariates."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from cxcausal.core.answers import MomentTable, RegressionTable
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query, RegressionQuery
from cxcausal.core.small_cells import without_levels
from cxcausal.core.surveys import AIPW
from cxcausal.estimators.adjustment import covariates_of
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question, moment_query
from cxcausal.estimators.response_rows import EMPTY, beside_the_metric, of_everybody, why_no_mean
from cxcausal.stats.regression import lin, why_not_adjusted

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_NO_VARIATION = 1e-12


def adjusted_queries(spec: "ExperimentSpec", metric: "Metric") -> Iterator[Query]:
    """Yield the moments of the answers, and their regression with its center over all analysed units."""
    if why_no_mean(metric) is None:
        yield moment_query(measure_of(metric), None)
    if _why_never(spec, metric) is None:
        yield _query(spec, metric)


def adjusted_row(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Comparison:
    """Return response-AIPW in closed form.

    Each arm's least squares among those who answered is told at the covariates' mean over all analysed units. That is
    the augmented inverse-probability weighted mean (Robins, Rotnitzky & Zhao 1994,
    https://doi.org/10.1080/01621459.1994.10476818) with linear calibration weights (Deville & Särndal 1992,
    https://doi.org/10.1080/01621459.1992.10475217): the answers' weights reproduce the covariates' means of everybody,
    and weighted residuals add up to zero. It is unbiased if the outcome, or the inverse of the chance to answer, is
    linear in the covariates.
    """
    mine = beside_the_metric(spec, metric, question, _find(spec, metric, question, answers))
    return replace(mine, row=of_everybody(mine.row))


def _find(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Found:
    blank = Found(treated=EMPTY, control=EMPTY, hidden=True, method=AIPW, adjustment="covariates")
    reason = why_no_mean(metric)
    if reason is not None:
        return replace(blank, reason=reason)
    table = cast("MomentTable", answers[moment_query(measure_of(metric), None)])
    treated, control = (table.get((arm, ()), EMPTY) for arm in (question.arm, question.control))
    found = replace(blank, treated=treated, control=control, hidden=False)
    reason = _why_never(spec, metric) or _why_no_answers(question, treated.n, control.n)
    if reason is not None:
        return replace(found, reason=reason)
    fits = cast("RegressionTable", answers[_query(spec, metric)])[()]
    reason = why_not_adjusted(fits, question.arm, question.control)
    if reason is not None:
        return replace(found, reason=reason)
    effect = lin(fits, question.arm, question.control)
    if effect.se <= _NO_VARIATION * max(abs(effect.mean_treated), abs(effect.mean_control)):
        return replace(found, reason="the covariates leave no variation of the answers within the arms")
    left_out = f"not adjusted for {', '.join(without_levels(fits.dropped))}: nothing of its own to tell in some arm"
    return replace(found, effect=replace(effect, note=left_out if fits.dropped else None))


def _query(spec: "ExperimentSpec", metric: "Metric") -> RegressionQuery:
    return RegressionQuery(measure=measure_of(metric), covariates=covariates_of(spec, metric), center="analysed")


def _why_no_answers(question: Question, treated: int, control: int) -> str | None:
    for arm, answers in ((question.arm, treated), (question.control, control)):
        if not answers:
            return f"no customer in arm '{arm}' answered"
    return None


def _why_never(spec: "ExperimentSpec", metric: "Metric") -> str | None:
    """Return why a metric of this plan has no such row, whatever the data."""
    if why_no_mean(metric) is not None:
        return why_no_mean(metric)
    if not covariates_of(spec, metric):
        return "the plan names no covariates that could tell who answers"
    if spec.clusters:
        shared = ", ".join(spec.clusters)
        return f"where customers share a fate ({shared}), this version does not adjust for covariates"
    if spec.data.weight is not None:
        return "this version does not adjust weighted means for covariates"
    return None
