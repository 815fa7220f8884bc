"""The resolved plan of the outreach trial."""

from typing import Any

ARMS = {"bot": "Bot message", "gig": "Customer expert calls", "agent": "Agent calls"}


def metric(name: str, kind: str, direction: str, **extra: Any) -> dict[str, Any]:
    """Return one metric of a resolved plan."""
    return {"name": name, "type": kind, "desired_direction": direction, "column": name, **extra}


def plan() -> dict[str, Any]:
    """Return the resolved plan of the outreach trial."""
    window = {"start": 0, "end": 90}
    worthwhile = {"metric": "churn_90d", "absolute": 0.006, "relative": None}
    return {
        "schema_version": 1,
        "id": "proactive-outreach-2026q4",
        "question": "Should we fund people to call at-risk customers within 48 hours, and experts or agents?",
        "owner": "retention-experiments@example.com",
        "approvers": ["head-of-cx@example.com", "finance@example.com"],
        "title": "Proactive outreach, fourth quarter of 2026",
        "hypothesis": "A call within 48 hours lowers churn by at least 1.2 points.",
        "protocol": "contact_trial",
        "retrospective": False,
        "data": {
            "source": "data/outreach.parquet",
            "unit": "customer_id",
            "randomization_unit": "household_id",
            "time_zero": "assigned_at",
            "observed_until": "extracted_at",
        },
        "design": {
            "type": "randomized",
            "treatment": {
                "column": "arm",
                "control": "none",
                "arms": {
                    "none": {"label": "Business as usual", "share": "1/4"},
                    "bot": {"label": ARMS["bot"], "share": "1/4", "unit_cost": 0.1, "cost_basis": "assigned"},
                    "gig": {
                        "label": ARMS["gig"],
                        "share": "1/4",
                        "unit_cost": 4.0,
                        "cost_basis": "received",
                        "capacity": 9000,
                    },
                    "agent": {"label": ARMS["agent"], "share": "1/4", "unit_cost": 9.5, "cost_basis": "received"},
                },
                "received": "reached",
            },
        },
        "covariates": ["tenure_months", "tier", "contacts_prev_90d"],
        "segments": ["tier", "intent"],
        "metrics": {
            "success": [
                metric(
                    *("churn_90d", "proportion", "decrease"),
                    label="Customers who leave within 90 days",
                    window=window,
                    mde={"absolute": 0.012, "relative": None},
                    money={"per_unit": "retained_customer"},
                    version=3,
                )
            ],
            "guardrails": [
                metric(
                    "complaint_30d",
                    "proportion",
                    "decrease",
                    label="Customers who complain within 30 days",
                    margin={"absolute": 0.002},
                ),
                metric(
                    "csat",
                    "ordinal",
                    "increase",
                    label="Satisfaction score (1-5)",
                    response="csat_answered",
                    margin={"absolute": 0.05},
                ),
                metric(
                    "handle_minutes_30d",
                    "mean",
                    "decrease",
                    label="Agent minutes per customer, 30 days",
                    margin={"relative": 0.15},
                ),
            ],
            "secondary": [
                metric(
                    "margin_90d",
                    "mean",
                    "increase",
                    label="Contribution margin per customer, 90 days",
                    money={"per_unit": 1.0},
                ),
                metric("nps", "nps", "increase", label="Net promoter score", response="nps_answered"),
            ],
            "exploratory": [metric("spend_p90", "quantile", "increase", label="Spend, upper tail", q=0.9)],
        },
        "analysis": {"alpha": 0.05, "power": 0.8, "multiplicity": "holm", "seed": 20261122, "peeking": "fixed_horizon"},
        "policy": {"current_rule": "risk_top_third", "budget": 60000.0},
        "value": {"population": 184000, "fixed_cost": 0.0, "approved_by": None},
        "decision": {
            "minimum_worthwhile_effect": worthwhile,
            "actions": {
                "ship": "Fund the twelve from January and keep a 5 % hold-out for two quarters",
                "hold": "Keep enrolling and decide on the registered date",
                "stop": "End the calls and review the scripts",
            },
        },
        "currency": "EUR",
    }
