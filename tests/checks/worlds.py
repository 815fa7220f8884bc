"""A plan for the checks, and answers made by hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cxcausal.core.answers import Flow, Moments
from cxcausal.core.protocols import Answers
from cxcausal.core.spec.models import ExperimentSpec

CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
SPEND = {"name": "spend", "label": "Spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
CSAT = {
    "name": "csat",
    "type": "ordinal",
    "column": "csat",
    "response": "answered",
    "desired_direction": "increase",
    "margin": {"absolute": 0.05},
}


def plan(*, shares: bool = True, unit: str | None = "id", **more: Any) -> ExperimentSpec:
    """Return a resolved plan with the arms none (control) and gig, half and half."""
    share = {"share": "1/2"} if shares else {}
    data = {"source": "rows.csv", "unit": unit, **more.pop("data", {})}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "outreach",
            "question": "Does a call keep customers?",
            "owner": "team@example.com",
            "data": data,
            "design": {
                "type": "randomized",
                "treatment": {
                    "column": "arm",
                    "control": "none",
                    "arms": {"none": share, "gig": {"label": "Expert calls", **share}},
                },
            },
            "metrics": {"success": [CHURN]},
            **more,
        }
    )


def flow(none: int = 500, gig: int = 500, **more: Any) -> Flow:
    """Return a flow whose analysed units are given per arm."""
    total = none + gig
    given: dict[str, Any] = {
        "rows": total,
        "filtered_out": 0,
        "enrolled": total,
        "immature": 0,
        "analysed": total,
        "randomization_units": total,
        "enrolled_by_arm": {"none": none, "gig": gig},
        "immature_by_arm": {"none": 0, "gig": 0},
        "analysed_by_arm": {"none": none, "gig": gig},
        "maturity_known": True,
        **more,
    }
    return Flow(**given)


def moments(n: int, mean: float, variance: float, events: int | None = None) -> Moments:
    """Return the moments of n units; all of them are events unless told."""
    return Moments(
        n=n,
        mean=np.array([mean]),
        m2=np.array([[variance * (n - 1)]]),
        events=n if events is None else events,
    )


def rate(n: int, events: int) -> Moments:
    """Return the moments of n units of which some have the event."""
    share = events / n
    return Moments(n=n, mean=np.array([share]), m2=np.array([[n * share * (1 - share)]]), events=events)


def told(answers: Mapping[Any, Any]) -> Answers:
    """Return hand-made answers by query."""
    return answers
