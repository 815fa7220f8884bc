"""The adjusted effect beside the unadjusted one, where the plan names covariates or strata."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from cxcausal.core.answers import Regression, RegressionTable
from cxcausal.core.epochs import EPOCH
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import ClusterRegressionQuery, RegressionQuery
from cxcausal.core.small_cells import without_levels
from cxcausal.estimators import cluster_adjustment as in_clusters
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Levels, Question, questions_of
from cxcausal.stats.newcombe import RateDifference
from cxcausal.stats.regression import common_slopes, lin, why_not_adjusted

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

Slopes = Literal["by_arm", "common"]
"""Each arm has its own slopes (Lin), or all have the same (ordinary least squares)."""
NO_BASE = "with slopes common to the arms, this version gives no relative effect"
_METHODS = {"by_arm": "lin", "common": "ols"}
_NO_VARIATION = 1e-12


def strata_of(spec: "ExperimentSpec", question: Question | None = None) -> tuple[str, ...]:
    """Return the columns within which arms are compared; within one value of a segment, those but the segment.

    The epoch of a ramp-up is one of them: within it the arms' shares did not change.
    """
    inside = None if question is None else question.segment
    epoch = (EPOCH,) if spec.epochs else ()
    return tuple(name for name in (*spec.design.strata, *epoch) if name != inside)


def covariates_of(spec: "ExperimentSpec", metric: "Metric", question: Question | None = None) -> tuple[str, ...]:
    """Return what a metric is adjusted for: the strata, the plan's covariates and its own.

    With a slope per arm on one 0/1 column per combination of the strata, the adjusted effect is the post-stratified
    one: effects within the combinations, weighted by their shares of all units, with s²/n within each combination
    (Miratrix, Sekhon & Yu 2013, https://doi.org/10.1111/j.1467-9868.2012.01048.x).
    """
    own = () if metric.covariate is None else (metric.covariate,)
    known = (name for name in (*spec.covariates, *own) if name not in strata_of(spec))
    return tuple(dict.fromkeys((*strata_of(spec, question), *known)))


def regression_queries(
    spec: "ExperimentSpec", metric: "Metric", levels: Levels, slopes: Slopes
) -> Iterator[RegressionQuery | ClusterRegressionQuery]:
    """Yield the regressions behind a metric's adjusted rows; none where it can't be adjusted."""
    if _why_never(spec, metric, slopes) is not None:
        return
    for question in questions_of(spec, levels):
        if covariates_of(spec, metric, question) and spec.clusters:
            yield from _in_clusters(spec, metric, question).values()
        elif covariates_of(spec, metric, question):
            yield _query(spec, metric, question, slopes)


def beside(
    spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, answers: Answers, slopes: Slopes
) -> tuple[Found, ...]:
    """Return the adjusted finding and the unadjusted one, of which one leads.

    The latter stands alone without covariates. Where a metric of this plan is never adjusted, whatever the data, the
    reason is told once, over everybody, and not again in every segment.
    """
    never = _why_never(spec, metric, slopes) is not None
    if not covariates_of(spec, metric, question) or (never and question.segment is not None):
        return (found,)
    adjusted = _adjusted(spec, metric, question, found, answers, slopes)
    leads = adjusted.effect is not None
    return replace(adjusted, leads=leads), replace(found, leads=not leads)


def _adjusted(
    spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, answers: Answers, slopes: Slopes
) -> Found:
    mine = replace(found, effect=None, method=_METHODS[slopes], adjustment="covariates")
    mine = replace(mine, without_base=NO_BASE if slopes == "common" and not spec.clusters else None)
    reason = found.reason or _why_never(spec, metric, slopes) or _why_not_here(found)
    if reason is not None:
        return replace(mine, reason=reason)
    if spec.clusters:
        return in_clusters.adjusted(mine, metric, question, _in_clusters(spec, metric, question), answers)
    table = cast("RegressionTable", answers[_query(spec, metric, question, slopes)])
    fits = table[question.group]
    reason = why_not_adjusted(fits, question.arm, question.control)
    if reason is not None:
        return replace(mine, reason=reason)
    effect = (lin if slopes == "by_arm" else common_slopes)(fits, question.arm, question.control)
    if effect.se <= _NO_VARIATION * max(abs(effect.mean_treated), abs(effect.mean_control)):
        return replace(mine, reason="the covariates leave no variation of the outcome within the arms")
    return replace(mine, effect=replace(effect, note=_note(fits)))


def _query(spec: "ExperimentSpec", metric: "Metric", question: Question, slopes: Slopes) -> RegressionQuery:
    return RegressionQuery(
        measure=measure_of(metric, spec.data.weight),
        covariates=covariates_of(spec, metric, question),
        by=() if question.segment is None else (question.segment,),
        contrast=(question.arm, question.control) if slopes == "common" else None,
        strata=strata_of(spec, question),
    )


def _in_clusters(
    spec: "ExperimentSpec", metric: "Metric", question: Question
) -> Mapping[tuple[str, ...], ClusterRegressionQuery]:
    covariates, strata = covariates_of(spec, metric, question), strata_of(spec, question)
    return in_clusters.queries_of(spec, metric, question.segment, covariates=covariates, strata=strata)


def _why_never(spec: "ExperimentSpec", metric: "Metric", slopes: Slopes) -> str | None:
    """Return why a metric of this plan has no adjusted effect, whatever the data."""
    if spec.clusters:
        return in_clusters.why_never(spec, metric)
    if slopes == "common" and measure_of(metric, spec.data.weight).is_ratio:
        return "with slopes common to the arms, this version adjusts neither ratios of means nor weighted means"
    if slopes == "common" and metric.margin is not None and metric.margin.relative is not None:
        return "with slopes common to the arms, this version tests no relative margin"
    return None


def _why_not_here(found: Found) -> str | None:
    """Return why counts of rare events are told as they are."""
    rare = isinstance(found.effect, RateDifference)
    return "an arm has too few events, or too few without, to adjust for covariates" if rare else None


def _note(fits: Regression) -> str | None:
    left_out = ", ".join(without_levels(fits.dropped))
    notes = [f"not adjusted for {left_out}: nothing of its own to tell in some arm"] * bool(left_out)
    if fits.strata_apart:
        notes.append("adjusted for each of the strata by itself: too many of their combinations occur")
    return "; ".join(notes) or None
