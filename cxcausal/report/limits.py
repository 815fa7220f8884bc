"""The limits that the plan agreed on: a guardrail's margin, the smallest effect worth acting on, the planned effect."""

from dataclasses import dataclass
from typing import Literal

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import path
from cxcausal.report.rounding import Style
from cxcausal.report.scales import RELATIVE, Scale, scale_of, style_of


@dataclass(frozen=True, kw_only=True)
class Limit:
    """An agreed size: its key in the plan, its value in the unit of its scale, always positive."""

    key: str
    value: float
    on: Literal["absolute", "relative"]


def margin_of(facts: Facts, metric: PlannedMetric) -> Limit | None:
    """Return how far a guardrail may move the wrong way."""
    return _limit(facts, f"{metric.key}.margin")


def worthwhile(facts: Facts, metric: PlannedMetric) -> Limit | None:
    """Return the smallest effect worth acting on, where the plan names this metric."""
    key = path("plan", "decision", "minimum_worthwhile_effect")
    decision = facts.result.plan.get("decision") or {}
    smallest = decision.get("minimum_worthwhile_effect") or {}
    return _limit(facts, key) if smallest.get("metric") == metric.name else None


def planned_effect(facts: Facts, metric: PlannedMetric) -> Limit | None:
    """Return the effect that the plan wanted to be able to see."""
    return _limit(facts, f"{metric.key}.mde")


def _limit(facts: Facts, key: str) -> Limit | None:
    scales: tuple[Literal["absolute", "relative"], ...] = ("absolute", "relative")
    for scale in scales:
        if facts.has(f"{key}.{scale}"):
            found = facts.number(f"{key}.{scale}")
            return Limit(key=found.key, value=found.value, on=scale)
    return None


def limited_row(facts: Facts, metric: PlannedMetric, arm: str, limit: Limit) -> tuple[Row | None, Scale]:
    """Return the row on the limit's own scale, and how that scale is printed."""
    scale = RELATIVE if limit.on == "relative" else scale_of(metric)
    return facts.row(metric.name, arm, scale=limit.on), scale


def effect_style(facts: Facts, metric: PlannedMetric, row: Row, scale: Scale) -> Style:
    """Return how an effect is rounded wherever it stands, so that no end of a range is rounded onto a limit.

    Limits are agreed for everybody, so they play no part in segments.
    """
    if row.estimate.population != "all":
        return style_of(row, scale)
    margin = margin_of(facts, metric) if metric.role == "guardrail" else None
    limits = ((margin, -metric.sign), (worthwhile(facts, metric), metric.sign))
    return style_of(row, scale, tuple(side * at.value for at, side in limits if at and at.on == row.estimate.scale))


def harm_bound(row: Row, sign: int) -> tuple[str, float]:
    """Return the key and the size of the worst plausible movement in the wrong direction (negative: still better)."""
    return (row.key("low"), -row.low) if sign > 0 else (row.key("high"), row.high)


def benefit_bound(row: Row, sign: int) -> float:
    """Return the best plausible movement in the right direction."""
    return row.high if sign > 0 else -row.low


def least_harm(row: Row, sign: int) -> tuple[str, float]:
    """Return the key and the size of the smallest plausible movement in the wrong direction."""
    return (row.key("high"), -row.high) if sign > 0 else (row.key("low"), row.low)


def good(row: Row, sign: int) -> bool:
    """Return whether the whole interval lies on the metric's good side."""
    return row.computed and (row.low > 0 if sign > 0 else row.high < 0)


def bad(row: Row, sign: int) -> bool:
    """Return whether the whole interval lies on the metric's bad side."""
    return good(row, -sign)
