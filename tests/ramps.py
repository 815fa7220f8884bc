"""A ramp-up as its company would have it: 10 % at first, 50 % later, while spend and churn drift."""

from typing import Any

import numpy as np
import pandas as pd

from cxcausal.core.spec.models import ExperimentSpec

EPOCHS = [
    {"from": "2025-10-01", "shares": {"none": "9/10", "gig": "1/10"}},
    {"from": "2025-10-15", "shares": {"none": "1/2", "gig": "1/2"}},
]
SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}


def ramp_plan(data: dict[str, Any] | None = None, **changes: Any) -> ExperimentSpec:
    """Return a plan with two epochs; `changes` replace top-level blocks."""
    treatment = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {"unit_cost": 0.2}}}
    blocks = {
        "schema_version": 1,
        "id": "ramp",
        "question": "Does a call help?",
        "owner": "team@example.com",
        "data": {"source": "ramp.csv", "unit": "id", "time_zero": "entered", **(data or {})},
        "design": {"type": "randomized", "treatment": treatment, "epochs": EPOCHS},
        "metrics": {"success": [{**SPEND, "money": {"per_unit": 1}}, CHURN]},
    }
    return ExperimentSpec.model_validate({**blocks, **changes})


def customers(n: int = 4_000, *, seed: int = 11, effect: float = 1.0) -> pd.DataFrame:
    """Return customers in households of two, which enter on one day; the later half spends 4 more and churns more."""
    rng = np.random.default_rng(seed)
    home = np.arange(n) // 2
    late = home >= n // 4
    called = np.repeat(rng.random(n // 2) < np.where(late[::2], 0.5, 0.1), 2)
    before = rng.normal(10, 3, n)
    return pd.DataFrame(
        {
            "id": [f"C{at}" for at in range(n)],
            "home": [f"H{at}" for at in home],
            "arm": np.where(called, "gig", "none"),
            "entered": np.where(late, "2025-10-20", "2025-10-03"),
            "before": before.round(3),
            "spend": (before + rng.normal(0, 2, n) + 4 * late + effect * called).round(3),
            "churned": (rng.random(n) < 0.2 + 0.2 * late).astype(int),
            "tier": rng.choice(["basic", "plus"], n),
        }
    )
