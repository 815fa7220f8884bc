"""The naive difference: arms compared as they are, which is an association and no effect where nobody tossed a coin."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.questions import Levels

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

ASSOCIATION = "association"


@dataclass(frozen=True, kw_only=True)
class Naive:
    """A companion: it shows how much adjustment changed, and nothing is concluded from it."""

    name: ClassVar[str] = "naive"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return the aggregates of a difference in means over everybody."""
        del levels  # everybody is one population
        plain = _plain(spec)
        return DifferenceInMeans().queries(plain, _of(plain, metric), {})

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one association per contrast × scale."""
        del levels  # everybody is one population
        plain = _plain(spec)
        return tuple(_named(row) for row in DifferenceInMeans().compare(plain, _of(plain, metric), {}, answers))


def _plain(spec: "ExperimentSpec") -> "ExperimentSpec":
    """Return the plan without segments, and without anything to adjust for."""
    design = spec.design.model_copy(update={"strata": ()})
    roles = ("success", "guardrails", "secondary", "exploratory")
    bare = {role: tuple(_bare(metric) for metric in getattr(spec.metrics, role)) for role in roles}
    metrics = spec.metrics.model_copy(update=bare)
    update = {"segments": (), "covariates": (), "effect_modifiers": (), "design": design, "metrics": metrics}
    return spec.model_copy(update=update)


def _bare(metric: "Metric") -> "Metric":
    return metric.model_copy(update={"covariate": None})


def _of(plain: "ExperimentSpec", metric: "Metric") -> "Metric":
    return next(each for _, each in plain.metrics.with_roles() if each.name == metric.name)


def _named(waiting: Comparison) -> Comparison:
    row = replace(waiting.row, method="naive_difference", estimand=ASSOCIATION, companion=True, headline=False)
    return replace(waiting, row=row, confirmatory=False)
