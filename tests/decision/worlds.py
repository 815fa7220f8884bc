"""A plan with one success metric and two guardrails, and rows of evidence for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cxcausal.core.results import ArmValue, CheckResult, Estimate, Range, ValueResult
from cxcausal.core.spec.models import ExperimentSpec

CHURN = {
    "name": "churn",
    "type": "proportion",
    "column": "churned",
    "desired_direction": "decrease",
    "mde": {"absolute": 0.012},
}
CSAT = {
    "name": "csat",
    "type": "ordinal",
    "column": "csat",
    "desired_direction": "increase",
    "margin": {"absolute": 0.05},
}
MINUTES = {
    "name": "minutes",
    "label": "Handling time",
    "type": "mean",
    "column": "minutes",
    "desired_direction": "decrease",
    "margin": {"relative": 0.15},
}
UNITS = {
    "churn": "share of customers",
    "csat": "points",
    "mood": "points",
    "minutes": "min per customer",
    "margin": "EUR per customer",
}


def plan(**more: Any) -> ExperimentSpec:
    """Return a resolved plan with the arms none (control), gig and agent."""
    metrics = more.pop("metrics", {"success": [CHURN], "guardrails": [CSAT, MINUTES]})
    arms = {"none": {}, "gig": {"label": "Expert calls"}, "agent": {"label": "Agent calls"}}
    base: Mapping[str, Any] = {
        "schema_version": 1,
        "id": "outreach",
        "question": "Does a call keep customers?",
        "owner": "team@example.com",
        "data": {"source": "rows.csv", "unit": "id"},
        "design": {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": arms}},
        "metrics": metrics,
    }
    return ExperimentSpec.model_validate({**base, **more})


def row(metric: str, low: float, high: float, **more: Any) -> Estimate:
    """Return an absolute row of gig against none whose interval is (low, high)."""
    role = "success" if metric in {"churn", "margin"} else "guardrail"
    given: dict[str, Any] = {
        "metric": metric,
        "role": role,
        "arm": "gig",
        "control": "none",
        "estimand": "itt",
        "method": "difference_in_means",
        "point": (low + high) / 2,
        "low": low,
        "high": high,
        "level": 0.95 if role == "success" else 0.9,
        "se": (high - low) / 4,
        "n_treated": 5000,
        "n_control": 10000,
        "mean_control": 0.143,
        "unit": UNITS[metric],
        "headline": more.get("scale", "absolute") == "absolute",
        **more,
    }
    return Estimate(**given)


def missing(metric: str, reason: str, **more: Any) -> Estimate:
    """Return a row that was not computed."""
    empty = row(metric, 0.0, 0.0, status="not_computed", reason=reason, **more)
    return replace(empty, point=None, low=None, high=None, se=None, level=None)


def rows(*instead: Estimate) -> tuple[Estimate, ...]:
    """Return both arms' rows: clear benefit and safe guardrails for gig, nothing clear for agent, but for these."""
    usual = [
        row("churn", -0.02, -0.004),
        row("csat", -0.03, 0.05),
        row("minutes", -0.4, 0.2),
        row("minutes", -0.05, 0.1, scale="relative", unit="fraction of the control's mean"),
    ]
    usual += [row("churn", -0.01, 0.004, arm="agent"), row("csat", -0.03, 0.05, arm="agent")]
    usual += [row("minutes", -0.05, 0.1, arm="agent", scale="relative", unit="fraction of the control's mean")]
    new = {_key(found): found for found in instead}
    return (*(found for found in usual if _key(found) not in new), *instead)


def money(**nets: tuple[float, float, float] | None) -> ValueResult:
    """Return a value result with central net values (low, point, high) per arm; None is not computed."""
    arms = tuple(
        ArmValue(arm=arm, control="none", status="not_computed", reason="the arm is empty")
        if net is None
        else ArmValue(
            arm=arm, control="none", net_per_customer={"central": Range(low=net[0], point=net[1], high=net[2])}
        )
        for arm, net in nets.items()
    )
    return ValueResult(currency="EUR", level=0.95, arms=arms)


def check(name: str, verdict: str, text: str = "A finding.") -> CheckResult:
    """Return what a check found."""
    return CheckResult(name=name, verdict=verdict, on_breach="fail", text=text)  # type: ignore[arg-type]


def _key(found: Estimate) -> tuple[str, str, str, str]:
    return found.metric, found.arm, found.scale, found.population
