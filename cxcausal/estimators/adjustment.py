"""The adjusted effect beside the unadjusted one, where the plan names covariates."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from cxcausal.core.epochs import EPOCH
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Regression, RegressionQuery, RegressionTable
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


def covariates_of(spec: "ExperimentSpec", metric: "Metric") -> tuple[str, ...]:
    """Return what a metric is adjusted for: the plan's covariates, its own, and the epoch of a ramp-up."""
    own = () if metric.covariate is None else (metric.covariate,)
    epoch = (EPOCH,) if spec.epochs else ()
    return tuple(dict.fromkeys((*spec.covariates, *own, *epoch)))


def regression_queries(
    spec: "ExperimentSpec", metric: "Metric", levels: Levels, slopes: Slopes
) -> Iterator[RegressionQuery]:
    """Yield the regressions behind a metric's adjusted rows; none where it can't be adjusted."""
    if covariates_of(spec, metric) and _why_never(spec, metric, slopes) is None:
        questions = (_query(spec, metric, question, slopes) for question in questions_of(spec, levels))
        yield from dict.fromkeys(questions)


def beside(
    spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, answers: Answers, slopes: Slopes
) -> tuple[Found, ...]:
    """Return the adjusted finding and the unadjusted one, of which one leads.

    The latter stands alone without covariates. Where a metric of this plan is never adjusted, whatever the data, the
    reason is told once, over everybody, and not again in every segment.
    """
    never = _why_never(spec, metric, slopes) is not None
    if not covariates_of(spec, metric) or (never and question.segment is not None):
        return (found,)
    adjusted = _adjusted(spec, metric, question, found, answers, slopes)
    leads = adjusted.effect is not None
    return replace(adjusted, leads=leads), replace(found, leads=not leads)


def _adjusted(
    spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, answers: Answers, slopes: Slopes
) -> Found:
    mine = replace(found, effect=None, method=_METHODS[slopes], adjustment="covariates")
    mine = replace(mine, without_base=NO_BASE if slopes == "common" else None)
    reason = found.reason or _why_never(spec, metric, slopes) or _why_not_here(found)
    if reason is not None:
        return replace(mine, reason=reason)
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
        measure=measure_of(metric),
        covariates=covariates_of(spec, metric),
        by=() if question.segment is None else (question.segment,),
        contrast=(question.arm, question.control) if slopes == "common" else None,
    )


def _why_never(spec: "ExperimentSpec", metric: "Metric", slopes: Slopes) -> str | None:
    """Return why a metric of this plan has no adjusted effect, whatever the data."""
    if spec.clusters:
        shared = ", ".join(spec.clusters)
        return f"where customers share a fate ({shared}), this version does not adjust for covariates"
    if metric.type == "ratio":
        return "this version does not adjust ratios of means for covariates"
    if spec.data.weight is not None:
        return "this version does not adjust weighted means for covariates"
    if slopes == "common" and metric.margin is not None and metric.margin.relative is not None:
        return "with slopes common to the arms, this version tests no relative margin"
    return None


def _why_not_here(found: Found) -> str | None:
    """Return why counts of rare events are told as they are."""
    rare = isinstance(found.effect, RateDifference)
    return "an arm has too few events, or too few without, to adjust for covariates" if rare else None


def _note(fits: Regression) -> str | None:
    if not fits.dropped:
        return None
    return f"not adjusted for {', '.join(fits.dropped)}: nothing of its own to tell in some arm"
