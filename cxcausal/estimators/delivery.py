"""Who was reached: what share of each arm's customers the contact was delivered to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments, MomentTable
from cxcausal.core.measure import Measure
from cxcausal.core.measures import unit_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import Metric
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.difference_in_means import found_between
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question, cluster_queries_of, moment_query
from cxcausal.stats.moments import NAN, ratio_or_mean
from cxcausal.stats.newcombe import RateDifference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

DELIVERY = "treatment.received"
"""The name under which delivery stands in the table of effects; no planned metric can have it."""
NOBODY = Moments(n=0, mean=np.array([NAN]), m2=np.array([[NAN]]))


def delivery_queries(spec: "ExperimentSpec", received: str) -> Iterator[Query]:
    """Yield the aggregates behind the share that was reached, by arm."""
    measure = _measure(spec, received)
    yield moment_query(measure, None)
    for question in _questions(spec):
        yield from cluster_queries_of(measure, question, spec.clusters).values()


def delivery_rows(spec: "ExperimentSpec", received: str, answers: Answers) -> tuple[Comparison, ...]:
    """Return one row per arm: the share reached of those assigned, that of the control, and the difference.

    The difference is the share of customers whom the contact reaches because they are assigned, as long as being
    assigned keeps no one from it. Customers of whom delivery is unknown do not count.
    """
    planned = Metric(name="delivery", type="proportion", column=received, desired_direction="increase")
    return tuple(_row(spec, planned, question, answers) for question in _questions(spec))


def _questions(spec: "ExperimentSpec") -> tuple[Question, ...]:
    return tuple(Question(arm=arm, control=spec.control) for arm in spec.treated_arms)


def _measure(spec: "ExperimentSpec", received: str) -> Measure:
    return Measure(name=DELIVERY, terms=((received, 1.0),), weight=spec.data.weight)


def _row(spec: "ExperimentSpec", planned: Metric, question: Question, answers: Answers) -> Comparison:
    measure = _measure(spec, str(planned.column))
    table = cast("MomentTable", answers[moment_query(measure, None)])
    cells = {arm: cell for (arm, _), cell in table.items() if cell.n > 0}
    asked = cluster_queries_of(measure, question, spec.clusters)
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    pair = (cells.get(question.arm, NOBODY), cells.get(question.control, NOBODY))
    found = found_between(question, pair, patterns, rate=True)
    return Comparison(row=_named(spec, planned, question, found), metric=planned, effect=found.effect)


def _named(spec: "ExperimentSpec", planned: Metric, question: Question, found: Found) -> Estimate:
    return Estimate(
        metric=DELIVERY,
        role="exploratory",
        arm=question.arm,
        control=question.control,
        estimand="itt",
        method="newcombe" if isinstance(found.effect, RateDifference) else "difference_in_means",
        n_treated=found.treated.n,
        n_control=found.control.n,
        mean_treated=mean_of(found.treated),
        mean_control=mean_of(found.control),
        unit=unit_of(spec, planned),
        companion=True,
        status="ok" if found.reason is None else "not_computed",
        reason=None if found.reason is None else found.reason.replace("the outcome", "delivery"),
    )


def mean_of(cell: Moments) -> float | None:
    """Return a cell's mean, or None where no unit counts."""
    return ratio_or_mean(cell.mean) if cell.n else None
