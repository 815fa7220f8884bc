"""From a metric in the plan to the number per unit that the data edge computes, and what that number is counted in."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.measure import Measure

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

WINSORIZED_TYPES = frozenset({"mean", "count", "ratio"})
"""Types whose values (of a ratio, the numerator's) may lie far out; all others are bounded."""
_NO_COLUMN = "\x1f"
MEDIAN = "median"
_HALF = 0.5
_ENDINGS = {"1": "st", "2": "nd", "3": "rd"}
_TRANSFORMS: dict[str, Literal["identity", "top_box", "nps"]] = {"top_box": "top_box", "nps": "nps"}


def why_not_measured(metric: "Metric") -> str | None:
    """Return the reason why a metric has no measure whose average it is, or None where it has one.

    Quantiles have none: `values_of` gives what they are quantiles of.
    """
    return "a quantile is not an average, so this is not computed for it" if metric.type == "quantile" else None


def values_of(metric: "Metric", weight: str | None = None) -> Measure:
    """Return the measure behind a metric; for a quantile the values that it is a quantile of, which have no weight.

    Example:
        >>> from cxcausal.core.spec.models import Metric
        >>> p90 = Metric(name="p90", type="quantile", column="spend", q=0.9, desired_direction="increase")
        >>> values_of(p90, "w").terms, values_of(p90, "w").weight
        ((('spend', 1.0),), None)
    """
    if metric.type != "quantile":
        return measure_of(metric, weight)
    return Measure(name=metric.name, terms=((str(metric.column), 1.0),), response=metric.response)


def winsorized_metrics(spec: "ExperimentSpec") -> "tuple[Metric, ...]":
    """Return the metrics of which the plan wants winsorised effects, as far as their type has outliers."""
    planned = (metric for _, metric in spec.metrics.with_roles())
    return tuple(metric for metric in planned if _asked(spec, metric) and metric.type in WINSORIZED_TYPES)


def not_winsorized(spec: "ExperimentSpec") -> "tuple[Metric, ...]":
    """Return the metrics that say `outliers: winsorize` themselves, and are of a type that has none."""
    planned = (metric for _, metric in spec.metrics.with_roles())
    return tuple(metric for metric in planned if metric.outliers == "winsorize" and metric.type not in WINSORIZED_TYPES)


def winsorized(metric: "Metric") -> "Metric":
    r"""Return the metric whose column (or numerator) is the capped one that the data edge makes beside it.

    The capped column's name has a sign that no plan can write, so that it is no column of the data.

    Example:
        >>> from cxcausal.core.spec.models import Metric
        >>> spend = Metric(name="spend", type="mean", column="spend", desired_direction="increase")
        >>> winsorized(spend).column
        'spend\x1fwinsorized'
    """
    capped = f"{metric.name}{_NO_COLUMN}winsorized"
    return metric.model_copy(update={"numerator" if metric.type == "ratio" else "column": capped})


def _asked(spec: "ExperimentSpec", metric: "Metric") -> bool:
    return (metric.outliers or spec.analysis.outliers) == "winsorize"


def percentile(q: float) -> str:
    """Return a quantile's name.

    Example:
        >>> percentile(0.5), percentile(0.9), percentile(0.02), percentile(0.999)
        ('median', '90th percentile', '2nd percentile', '99.9th percentile')
    """
    if q == _HALF:
        return MEDIAN
    number = f"{100 * q:.10g}"
    whole = number.isdigit() and number[-2:] not in {"11", "12", "13"}
    return f"{number}{_ENDINGS.get(number[-1], 'th') if whole else 'th'} percentile"


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
    if metric.q is not None:
        own = f"{column.unit} " if column is not None and column.unit else ""
        return f"{own}at the {percentile(metric.q)}"
    return f"{column.unit} per customer" if column is not None and column.unit else "per customer"
