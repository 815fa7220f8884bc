"""Ordinary least squares: the adjusted effect with slopes that are common to the arms."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.questions import Levels

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_COMMON = DifferenceInMeans(slopes="common")


@dataclass(frozen=True, kw_only=True)
class Ols:
    """The regression of textbooks and older studies; unlike Lin's it can lose precision where effects differ.

    Without covariates it is the difference in means.
    """

    name: ClassVar[str] = "ols"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return the aggregates that the rows of this metric need."""
        return _COMMON.queries(spec, metric, levels)

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one effect per contrast × population × scale × adjustment."""
        return _COMMON.compare(spec, metric, levels, answers)
