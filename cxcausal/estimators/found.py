"""What the aggregates say about one question, and the rows in waiting that tell it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from cxcausal.core.answers import Moments
from cxcausal.core.measures import unit_of
from cxcausal.core.results import Estimate
from cxcausal.estimators.comparison import Comparison, Effect
from cxcausal.estimators.questions import Question
from cxcausal.stats.moments import ratio_or_mean
from cxcausal.stats.newcombe import RateDifference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

Scale = Literal["absolute", "relative"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The aggregates that answer one question, and the effect they give or the reason why they give none.

    Attributes:
        treated, control: moments of the arms.
        effect, reason: one of them is None.
        hidden: whether even counts and means are kept back.
        method: the estimator behind the effect. adjustment: none or covariates.
        without_base: why there is no relative effect, where only the difference has a variance.
        leads: whether page one and the confirmatory family take this one, where there are several.
    """

    treated: Moments
    control: Moments
    effect: Effect | None = None
    reason: str | None = None
    hidden: bool = False
    method: str = "difference_in_means"
    adjustment: Literal["none", "covariates"] = "none"
    without_base: str | None = None
    leads: bool = True


def rows_of(spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found) -> Iterator[Comparison]:
    """Yield the absolute row, and the relative one where the plan asks for it."""
    yield comparison(spec, metric, question, found, "absolute")
    if "relative" in spec.analysis.effect_scale or spec.judged_relatively(metric):
        if found.effect is not None and found.without_base is not None:
            found = replace(found, effect=None, reason=found.without_base)
        yield comparison(spec, metric, question, found, "relative")


def comparison(spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, scale: Scale) -> Comparison:
    """Return one row in waiting."""
    role = next(role for role, planned in spec.metrics.with_roles() if planned == metric)
    leads = found.leads and question.segment is None and question.control == spec.control
    treated, control = _means(found)
    row = Estimate(
        metric=metric.name,
        role=role,
        arm=question.arm,
        control=question.control,
        estimand=_estimand(spec),
        population=question.population,
        scale=scale,
        method="newcombe" if isinstance(found.effect, RateDifference) else found.method,
        adjustment=found.adjustment,
        n_treated=None if found.hidden else found.treated.n,
        n_control=None if found.hidden else found.control.n,
        mean_treated=treated,
        mean_control=control,
        unit=unit_of(spec, metric) if scale == "absolute" else "fraction of the control's mean",
        headline=leads and scale == "absolute" and role != "exploratory",
        status="ok" if found.reason is None else "not_computed",
        reason=found.reason,
    )
    return Comparison(row=row, metric=metric, effect=found.effect, confirmatory=leads and role == "success")


def _estimand(spec: "ExperimentSpec") -> str:
    """Return what a difference of arms estimates: never a complier effect, which a companion tells beside it."""
    asked = spec.estimand.contrast
    return asked if asked is not None and asked != "late" else "itt"


def _means(found: Found) -> tuple[float | None, float | None]:
    """Return both arms' means; the adjusted ones, of which the effect is the difference, where it is adjusted."""
    if found.hidden:
        return None, None
    if found.effect is not None and found.adjustment == "covariates":
        return found.effect.mean_treated, found.effect.mean_control
    return _mean(found.treated), _mean(found.control)


def _mean(cell: Moments) -> float | None:
    mean = ratio_or_mean(cell.mean)
    return mean if np.isfinite(mean) else None
