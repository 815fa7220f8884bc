"""Whether outcomes exist already, which a plan that is to be registered must come before."""

from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Dataset
from cxcausal.core.queries import MissingQuery
from cxcausal.core.spec.models import ExperimentSpec


def outcomes_seen(spec: ExperimentSpec, dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the planned metrics that have a value for at least one customer with a whole window."""
    metrics = tuple(metric for _, metric in spec.metrics.with_roles() if why_not_measured(metric) is None)
    asked = {metric.name: MissingQuery(measure=measure_of(metric, spec.data.weight)) for metric in metrics}
    answers = dataset.answer(tuple(asked.values()))
    return tuple(name for name, query in asked.items() if _known(answers[query]) > 0)


def _known(counts: object) -> int:
    assert isinstance(counts, dict)  # noqa: S101 - narrows the union of answers
    return sum(units - missing for units, missing in counts.values())
