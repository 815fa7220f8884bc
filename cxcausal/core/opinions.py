"""Which other methods are asked for their opinion on an effect."""

from typing import TYPE_CHECKING

from cxcausal.core.adjusting import target_of
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.score_queries import OpinionQuery
from cxcausal.core.spec.designs import Observational

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

DEFAULT = ("overlap_weighting",)
"""What is asked where a plan names none: it learns nothing more, so it costs next to nothing."""


def opinions_of(spec: "ExperimentSpec") -> tuple[str, ...]:
    """Return the methods that are asked, each once; none where a coin was tossed."""
    if not isinstance(spec.design, Observational):
        return ()
    return tuple(dict.fromkeys(spec.estimation.also or DEFAULT))


def opinion_queries(spec: "ExperimentSpec", metric: "Metric") -> dict[str, OpinionQuery]:
    """Return method → the query behind its effects of a metric; nothing for a metric that is no average."""
    if why_not_measured(metric) is not None:
        return {}
    measure, target = measure_of(metric, spec.data.weight), target_of(spec)
    return {name: OpinionQuery(method=name, measure=measure, target=target) for name in opinions_of(spec)}
