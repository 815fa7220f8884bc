"""What all checks share: from a breach to a verdict, and the measures that they ask about."""

from collections.abc import Iterator

from cxcausal.core.measure import Measure
from cxcausal.core.results import CheckVerdict, OnBreach
from cxcausal.core.spec.models import ExperimentSpec, Metric

_VERDICTS: dict[OnBreach, CheckVerdict] = {"fail": "fail", "warn": "warn", "skip": "info"}


def verdict_of(on_breach: OnBreach, *, breached: bool) -> CheckVerdict:
    """Return what a check says: `pass`, or what the plan makes of a breach.

    Example:
        >>> verdict_of("warn", breached=True), verdict_of("warn", breached=False)
        ('warn', 'pass')
    """
    return _VERDICTS[on_breach] if breached else "pass"


def raw_measure(metric: Metric) -> Measure:
    """Return the metric's columns as they are read, untransformed and unweighted, among those who respond.

    Example:
        >>> metric = Metric(name="aov", type="ratio", numerator="revenue", denominator="orders",
        ...     desired_direction="increase")
        >>> raw_measure(metric).terms, raw_measure(metric).denominator
        ((('revenue', 1.0),), 'orders')
    """
    column = metric.column if metric.column is not None else str(metric.numerator)
    return Measure(name=metric.name, terms=((column, 1.0),), denominator=metric.denominator, response=metric.response)


def decisive_metrics(spec: ExperimentSpec) -> Iterator[Metric]:
    """Yield the metrics that the verdict rests on: success, then guardrails."""
    yield from spec.metrics.success
    yield from spec.metrics.guardrails


def quoted(spec: ExperimentSpec, arm: str) -> str:
    """Return an arm's label between quotation marks."""
    return f"'{spec.design.treatment.label(arm)}'"
