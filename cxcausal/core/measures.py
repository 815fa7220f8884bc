"""From a metric in the plan to the number per unit that the data edge computes, and what that number is counted in."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.queries import Measure

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_TRANSFORMS: dict[str, Literal["identity", "top_box", "nps"]] = {"top_box": "top_box", "nps": "nps"}


def why_not_measured(metric: "Metric") -> str | None:
    """Return the reason why this version can't compute a metric, or None where it can."""
    return "quantile metrics are not computed by this version" if metric.type == "quantile" else None


def measure_of(metric: "Metric", weight: str | None = None) -> Measure:
    """Return the measure behind a metric.

    Proportions, means, counts and ordinal scores are the column itself; a top box is 1 where the score is at least
    `at_least`; promoters count 100 and detractors −100; a ratio is numerator over denominator.

    Args:
        metric: from the plan.
        weight: the plan's `data.weight`.

    Raises:
        PlanError: no measure of this type is built (see `why_not_measured`).

    Example:
        >>> from cxcausal.core.spec.models import Metric
        >>> keys = {"type": "ratio", "numerator": "revenue", "denominator": "orders"}
        >>> aov = Metric(name="aov", desired_direction="increase", **keys)
        >>> measure_of(aov).terms, measure_of(aov).is_ratio
        ((('revenue', 1.0),), True)
    """
    reason = why_not_measured(metric)
    if reason is not None:
        raise PlanError(Problem(where=f"metric {metric.name}", code="P902", what=reason, mend="use mean or top_box"))
    numerator = metric.numerator if metric.type == "ratio" else metric.column
    return Measure(
        name=metric.name,
        terms=((str(numerator), 1.0),),
        transform=_TRANSFORMS.get(metric.type, "identity"),
        at_least=metric.at_least if metric.type == "top_box" else None,
        denominator=metric.denominator if metric.type == "ratio" else None,
        response=metric.response,
        weight=weight,
    )


def answered_of(metric: "Metric", weight: str | None = None) -> Measure:
    """Return the measure that is 1 for the customers who answered and 0 for all others, named `<metric>.response`.

    Example:
        >>> from cxcausal.core.spec.models import Metric
        >>> csat = Metric(name="csat", type="ordinal", column="csat", response="answered", desired_direction="increase")
        >>> answered_of(csat).name, answered_of(csat).transform
        ('csat.response', 'answered')
    """
    name = response_name(metric.name)
    return replace(measure_of(metric, weight), name=name, transform="answered", at_least=None)


def response_name(metric: str) -> str:
    """Return under which name the response rate of a metric is told; a planned name holds no dot."""
    return f"{metric}.response"


def unit_of(spec: "ExperimentSpec", metric: "Metric") -> str:
    """Return what a metric's values and effects are counted in.

    Example:
        >>> from cxcausal.core.spec.models import ExperimentSpec, Metric
        >>> plan = ExperimentSpec.model_construct(data=None)
        >>> unit_of(plan, Metric(name="churn", type="proportion", column="churned", desired_direction="decrease"))
        'share of customers'
    """
    who = "respondents" if metric.response else "customers"
    if metric.type in {"proportion", "top_box"}:
        return f"share of {who}"
    if metric.type in {"nps", "ordinal"}:
        return "points"
    if metric.type == "ratio":
        return f"{metric.numerator} per {metric.denominator}"
    column = spec.data.columns.get(str(metric.column))
    return f"{column.unit} per customer" if column is not None and column.unit else "per customer"
