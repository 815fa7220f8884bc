"""A plan of three arms by household, for the tests of planning."""

from typing import Any

from cxcausal.core.spec.models import ExperimentSpec

CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
MARGIN = {"name": "margin", "type": "mean", "column": "margin", "desired_direction": "increase", "covariate": "before"}
CSAT = {"name": "csat", "type": "ordinal", "column": "csat", "desired_direction": "increase", "response": "answered"}


def plan(**changes: Any) -> ExperimentSpec:
    """Return the plan with top-level blocks replaced."""
    blocks: dict[str, Any] = {
        "schema_version": 1,
        "id": "callback",
        "question": "Does a call keep customers?",
        "owner": "team@example.com",
        "data": {"source": "x.csv", "unit": "customer_id"},
        "design": {
            "type": "randomized",
            "treatment": {
                "column": "arm",
                "control": "none",
                "arms": {"none": {"share": "1/2"}, "gig": {"share": "1/4"}, "agent": {"share": "1/4"}},
            },
        },
        "metrics": {
            "success": [{**CHURN, "mde": {"absolute": 0.015}, "window": {"end": "90d"}}],
            "guardrails": [{**CSAT, "margin": {"absolute": 0.1}}],
            "secondary": [MARGIN],
        },
    }
    return ExperimentSpec.model_validate({**blocks, **changes})
