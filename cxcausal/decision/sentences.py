"""Effects, limits and money in words, for the reason of a verdict."""

from statistics import NormalDist

from cxcausal.core.adjusting import target_of
from cxcausal.core.people import people_in, whom_in
from cxcausal.core.results import Estimate, Range
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Magnitude, Metric
from cxcausal.core.wording import count, number, percent
from cxcausal.decision.evidence import Evidence, scale_of, size_of

_PER = 1000
_SHARE = "share of "
_OF_TARGET = {"ate": "", "att": " who got it", "ato": " for whom either was a real possibility"}
"""Whose customers' money it is, by the target of the plan."""


def effect_text(metric: Metric, row: Estimate) -> str:
    """Return a metric's change with its range, in natural units.

    Example:
        >>> churn = Metric(name="churn", type="proportion", column="churned", desired_direction="decrease")
        >>> row = Estimate(metric="churn", role="success", arm="call", control="none", estimand="itt", method="m",
        ...                unit="share of customers", point=-0.012, low=-0.02, high=-0.004)
        >>> effect_text(churn, row)
        "'churn' shows 12 fewer per 1,000 customers (plausible range: 4 to 20 fewer)"
    """
    point, low, high = float(row.point or 0), float(row.low or 0), float(row.high or 0)
    change = f"{_size(row, point)} {_word(row, point)}"
    if row.scale == "absolute" and row.unit.startswith(_SHARE):
        change = f"shows {change} per {count(_PER)} {row.unit.removeprefix(_SHARE)}"
    elif row.scale == "absolute":
        unit, where = _unit_and_place(row)
        change = f"is {_size(row, point)} {unit} {_word(row, point)}{where}".replace("  ", " ")
    else:
        change = f"is {change}"
    return f"'{metric.title}' {change} (plausible range: {_range(row, low, high)})"


def _unit_and_place(row: Estimate) -> tuple[str, str]:
    """Return a unit, and for a quantile where it is measured: `EUR at the median` becomes `EUR` and ` at the median`.

    Example:
        >>> names = dict(metric="spend", role="success", arm="call", control="none", estimand="itt", method="m")
        >>> _unit_and_place(Estimate(**names, unit="EUR at the 90th percentile"))
        ('EUR', ' at the 90th percentile')
    """
    unit, at, place = f" {row.unit}".partition(" at the ")
    return unit.strip(), f"{at}{place}"


def limit_text(metric: Metric, row: Estimate) -> str:
    """Return a guardrail's margin in the units of its row."""
    return f"limit: {_size(row, size_of(metric.margin))}"


def size_text(row: Estimate, size: float) -> str:
    """Return a size in the units of a row, such as `6 per 1,000 customers`."""
    if row.scale == "relative":
        return f"{_size(row, size)} of the level without"
    if row.unit.startswith(_SHARE):
        return f"{_size(row, size)} per {count(_PER)} {row.unit.removeprefix(_SHARE)}"
    return f"{_size(row, size)} {row.unit}".strip()


def money_text(spec: ExperimentSpec, found: Range) -> str:
    """Return net value per customer with its range; where nobody tossed a coin, per customer of the plan's target."""
    whose = _OF_TARGET[target_of(spec)] if isinstance(spec.design, Observational) else ""
    text = f"{spec.currency} {number(found.point)} per {whom_in(spec).one}{whose} after costs"
    if found.low is None or found.high is None:
        return text
    return f"{text} (plausible range: {number(found.low)} to {number(found.high)})"


def guardrail_text(evidence: Evidence, metric: Metric) -> str:
    """Return where an unsettled or breached guardrail stands."""
    scale = scale_of(metric.margin)
    row = evidence.row(metric, scale)
    if row is None:
        return f"'{metric.title}' was not computed: {evidence.why_not(metric, scale)}"
    return f"{effect_text(metric, row)}, {limit_text(metric, row)}"


def open_guardrail_text(evidence: Evidence, metric: Metric) -> str:
    """Return where an unsettled guardrail stands, and how many units would settle it if there is no harm."""
    row = evidence.row(metric, scale_of(metric.margin))
    stands = guardrail_text(evidence, metric)
    if row is None:
        return stands
    needed = _needed_units(evidence, row, size_of(metric.margin))
    return stands if needed is None else f"{stands}, which {needed} would settle if there is no harm"


def detectable_text(evidence: Evidence, metric: Metric, row: Estimate) -> str:
    """Return what the study could have detected, and how many units would reach what was planned."""
    power = evidence.spec.analysis.power
    detectable = detectable_effect(row, power)
    if detectable is None:
        return ""
    seen = f" The study could only detect a change of {size_text(row, detectable)} or more"
    planned = _planned(evidence, metric, row)
    if planned is None or row.look_level is not None:
        return f"{seen}{' at this reading' if row.look_level is not None else ''}."
    needed = _needed_units(evidence, row, planned)
    if needed is None:
        return f"{seen}, which is finer than the {_size(row, planned)} it was planned for."
    return f"{seen}; {needed} would bring this to the planned {_size(row, planned)}."


def detectable_effect(row: Estimate, power: float) -> float | None:
    """Return the smallest effect that a study with this standard error detects with the given power.

    It is (z at half the row's error level + z at the power) times the standard error (Bloom 1995,
    https://doi.org/10.1177/0193841X9501900504); for a guardrail, whose level is 1 - 2 alpha, z at alpha. Where the
    plan may be read several times, the level is that of this look's interval.

    Example:
        >>> row = Estimate(metric="m", role="success", arm="a", control="b", estimand="itt", method="x",
        ...                se=1.0, level=0.95)
        >>> round(detectable_effect(row, 0.8), 4)
        2.8016
    """
    if not row.se or row.level is None:
        return None
    normal = NormalDist()
    level = row.level if row.look_level is None else row.look_level
    return (normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)) * row.se


def _needed_units(evidence: Evidence, row: Estimate, target: float) -> str | None:
    """Return how many units would detect the target, or None where there are enough: they grow with the square.

    None as well where the plan is read several times: a later look has a narrower interval than this one's.
    """
    detectable = detectable_effect(row, evidence.spec.analysis.power)
    if row.look_level is not None or detectable is None or target <= 0 or detectable <= target:
        return None
    units = (row.n_treated or 0) + (row.n_control or 0)
    needed = number(float(f"{units * (detectable / target) ** 2:.2g}"))
    return f"about {needed} {people_in(evidence.spec).many} in these two arms instead of {count(units)}"


def _planned(evidence: Evidence, metric: Metric, row: Estimate) -> float | None:
    """Return the planned detectable effect on the absolute scale, or else the smallest worthwhile one."""
    worthwhile = evidence.spec.decision.minimum_worthwhile_effect
    own = worthwhile if worthwhile is not None and worthwhile.metric == metric.name else None
    magnitude: Magnitude | None = metric.mde or own
    if magnitude is None:
        return None
    base = abs(row.mean_control or 0.0) if magnitude.relative is not None else 1.0
    return size_of(magnitude) * base or None


def _size(row: Estimate, value: float) -> str:
    """Return the absolute size of a value in the row's natural unit, without the unit's name."""
    if row.scale == "relative":
        return percent(abs(value))
    return number(abs(value) * (_PER if row.unit.startswith(_SHARE) else 1))


def _word(row: Estimate, value: float) -> str:
    counted = row.scale == "absolute" and row.unit.startswith(_SHARE)
    less, more = ("fewer", "more") if counted else ("lower", "higher")
    return less if value < 0 else more


def _range(row: Estimate, low: float, high: float) -> str:
    """Return a range so that the smaller size comes first, and each side says its direction where they differ."""
    if low < 0 < high:
        return f"{_size(row, low)} {_word(row, low)} to {_size(row, high)} {_word(row, high)}"
    near, far = sorted((low, high), key=abs)
    return f"{_size(row, near)} to {_size(row, far)} {_word(row, far)}"
