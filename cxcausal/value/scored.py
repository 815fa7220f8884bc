"""Money where nobody tossed a coin: every amount is an adjusted effect on the plan's target population."""

from cxcausal.core.adjusting import target_of
from cxcausal.core.answers import Flow
from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery
from cxcausal.core.score_answers import ScoreEffect, ScoreEffects
from cxcausal.core.score_queries import EffectQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.difference import Difference
from cxcausal.stats.scores import weights_of_median

_NOBODY = ScoreEffect(n=(0, 0), reason="the arm was not compared with the control")


def by_scores(spec: ExperimentSpec) -> bool:
    """Tell whether the money comes from scores, as effects do, and not from the arms as they are."""
    return isinstance(spec.design, Observational)


def query_of(spec: ExperimentSpec, measure: Measure) -> EffectQuery:
    """Return the query behind an amount's adjusted means and differences."""
    return EffectQuery(measure=measure, target=target_of(spec))


def effect_of(spec: ExperimentSpec, measure: Measure, arm: str, answers: Answers) -> ScoreEffect:
    """Return an arm's effect against the control; one with a reason where there is none."""
    found = answers[query_of(spec, measure)]
    assert isinstance(found, ScoreEffects)  # noqa: S101 - narrows the union of answers
    return found.effects.get((arm, spec.control, ""), _NOBODY)


def difference_of(effect: ScoreEffect) -> Difference:
    """Return an effect that has no reason as a difference of two means."""
    return Difference(
        mean_treated=effect.mean[0],
        mean_control=effect.mean[1],
        var_treated=float(effect.covariance[0, 0]),
        var_control=float(effect.covariance[1, 1]),
        covariance=float(effect.covariance[0, 1]),
        df=effect.df,
    )


def part_of(part: ScoreEffect, whole: ScoreEffect) -> float:
    """Return what a part adds to a whole, such that parts that sum to the whole in every split sum to what is told.

    A whole is told as the median over splits, and medians of parts do not sum to it; parts are therefore taken in the
    splits that the whole's median comes from.
    """
    if len(part.points) != len(whole.points) or not whole.points:
        return part.mean[0] - part.mean[1]
    shares = weights_of_median(whole.points)
    return sum(share * point for share, point in zip(shares, part.points, strict=True) if share)


def customers_of_total(spec: ExperimentSpec, arm: str, answers: Answers) -> int | None:
    """Return for how many customers the amount per customer may be summed; None for the overlap.

    An effect on those treated is summed over the arm's customers, one on everybody over all; who is in the overlap is
    a matter of degree, and an amount of theirs must not be multiplied by any number of heads.
    """
    flow = answers[FlowQuery()]
    assert isinstance(flow, Flow)  # noqa: S101 - narrows the union of answers
    target = target_of(spec)
    if target == "ato":
        return None
    return flow.analysed if target == "ate" else int(flow.analysed_by_arm.get(arm, 0))
