"""What rows that stand beside a metric's own effect share: their names, and why some metrics have none."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cxcausal.core.answers import Moments
from cxcausal.core.results import Estimate
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.found import Found, comparison
from cxcausal.estimators.questions import Question

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

EMPTY = Moments(n=0, mean=np.array([float("nan")]), m2=np.array([[float("nan")]]))
_NO_MEAN = frozenset({"ratio", "quantile"})


def beside_the_metric(spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found) -> Comparison:
    """Return the absolute row in waiting that tells a finding beside the metric's own effect."""
    own = comparison(spec, metric, question, replace(found, leads=False), "absolute")
    return replace(own, row=replace(own.row, companion=True))


def of_everybody(row: Estimate) -> Estimate:
    """Return a row whose effect is of all customers, answering or not, with its unit saying so."""
    return replace(row, unit=row.unit.replace("respondents", "customers"))


def why_no_mean(metric: "Metric") -> str | None:
    """Return why a metric is not a mean over those who answered, or None where it is."""
    if metric.type not in _NO_MEAN:
        return None
    return f"for a {metric.type} this version does not look at who did not answer"
