"""Which names of a causal graph are a metric."""

from collections.abc import Collection

from cxcausal.core.spec.models import Metric


def drawn_in(nodes: Collection[str], metric: Metric) -> tuple[str, ...]:
    """Return the names among `nodes` that are this metric: its own, else those of its columns.

    Example:
        >>> churn = Metric(name="churn_90d", type="proportion", column="churned", desired_direction="decrease")
        >>> drawn_in(("route", "churned"), churn), drawn_in(("route",), churn)
        (('churned',), ())
    """
    return (metric.name,) if metric.name in nodes else tuple(name for name in metric.columns if name in nodes)
