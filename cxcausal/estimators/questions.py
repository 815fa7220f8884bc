"""Which contrasts, in which populations, an estimator must answer, and the aggregates that answer them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, MomentQuery, cluster_queries

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

Levels = Mapping[str, tuple[str, ...]]
"""Segment column → its values in the data."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One arm against another, among everybody or among the units whose segment column has one value."""

    arm: str
    control: str
    segment: str | None = None
    value: str = ""

    @property
    def population(self) -> str:
        """`all`, or `segment=value`.

        Example:
            >>> Question(arm="gig", control="none", segment="tier", value="plus").population
            'tier=plus'
        """
        return "all" if self.segment is None else f"{self.segment}={self.value or '(missing)'}"

    @property
    def group(self) -> tuple[str, ...]:
        """The key of this population in the answer to its `MomentQuery`."""
        return () if self.segment is None else (self.value,)


def questions_of(spec: "ExperimentSpec", levels: Levels) -> tuple[Question, ...]:
    """Return each arm against control and then the plan's further contrasts, each for all and for every segment."""
    contrasts = (*((arm, spec.control) for arm in spec.treated_arms), *spec.design.contrasts)
    populations: list[tuple[str | None, str]] = [(None, "")]
    populations += [(name, value) for name in spec.segments for value in levels.get(name, ())]
    return tuple(
        Question(arm=arm, control=control, segment=segment, value=value)
        for arm, control in contrasts
        for segment, value in populations
    )


def moment_query(measure: Measure, segment: str | None) -> MomentQuery:
    """Return the query whose cells hold every arm, in all or per value of a segment."""
    return MomentQuery(measure=measure, by=() if segment is None else (segment,))


def cluster_queries_of(
    measure: Measure, question: Question, clusters: tuple[str, ...]
) -> dict[tuple[str, ...], ClusterQuery]:
    """Return the cluster queries of one question; none where units are independent."""
    return cluster_queries(
        measure,
        clusters,
        treated=question.arm,
        control=question.control,
        by=question.segment,
        value=None if question.segment is None else question.value,
    )
