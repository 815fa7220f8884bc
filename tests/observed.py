"""A small world without a coin: trouble causes calls, calls help, and the naive difference has the wrong sign."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxcausal.core.spec.models import ExperimentSpec

CHURN = {
    "name": "churn",
    "label": "Customers who leave within 90 days",
    "type": "proportion",
    "column": "churned",
    "desired_direction": "decrease",
    "mde": {"absolute": 0.02},
    "money": {"per_unit": "retained"},
}
MARGIN = {
    "name": "margin",
    "label": "Margin",
    "type": "mean",
    "column": "margin",
    "desired_direction": "increase",
    "money": {"per_unit": 0.5},
}
MODEL = {
    "currency": "EUR",
    "approved_by": "finance@example.com",
    "approved_on": "2026-10-01",
    "worth": {"retained": {"low": 180.0, "central": 240.0, "high": 310.0, "basis": "margin of a year"}},
}
ARMS: dict[str, dict[str, Any]] = {
    "bot": {"label": "Bot alone", "unit_cost": 0.5},
    "human": {"label": "Handed over to a person", "unit_cost": 6.4, "cost_basis": "received", "capacity": 900},
}


def document(**more: Any) -> dict[str, Any]:
    """Return a plan of the world; `target` is the estimand."""
    target = more.pop("target", "ato")
    design = {
        "type": "observational",
        "treatment": {"column": "route", "control": "bot", "arms": ARMS},
        "confounders": ["trouble", "tenure", "channel"],
    }
    return {
        "schema_version": 1,
        "id": "hand-off",
        "question": "Does a person keep customers whom the bot failed?",
        "owner": "team@example.com",
        "data": {"source": "rows.parquet", "unit": "customer_id"},
        "design": design,
        "segments": ["channel"],
        "metrics": {"success": [CHURN], "secondary": [MARGIN]},
        "estimand": {"contrast": target},
        "estimation": {"folds": 3, "repeats": 3, "nuisance": {"outcome": "linear", "propensity": "logistic"}},
        **more,
    }


def plan(**more: Any) -> ExperimentSpec:
    """Return the resolved plan, with a value model."""
    return ExperimentSpec.model_validate({**document(**more), "value_model": MODEL})


def people(seed: int = 5, n: int = 3000, *, apart: float = 1.0, missing: float = 0.0) -> pd.DataFrame:
    """Return customers; `apart` is how much trouble decides who gets a person."""
    rng = np.random.default_rng(seed)
    trouble, tenure = rng.normal(size=n), rng.normal(size=n)
    channel = np.array(["chat", "phone"])[rng.integers(0, 2, n)]
    human = rng.random(n) < 1 / (1 + np.exp(-(apart * trouble + 0.3 * (channel == "phone") - 0.4)))
    risk = np.clip(0.25 + 0.12 * trouble - 0.03 * tenure - 0.05 * human, 0.01, 0.99)
    churned = (rng.random(n) < risk).astype(float)
    margin = 40 - 5 * trouble + 2 * tenure + 3 * human + rng.normal(0, 8, n)
    churned[rng.random(n) < missing] = np.nan
    return pd.DataFrame(
        {
            "customer_id": [f"c{place}" for place in range(n)],
            "route": np.where(human, "human", "bot"),
            "trouble": trouble,
            "tenure": tenure,
            "channel": channel,
            "churned": churned,
            "margin": margin,
        }
    )


def written(folder: Path, frame: pd.DataFrame) -> Path:
    """Write the rows where the plan looks for them."""
    frame.to_parquet(folder / "rows.parquet")
    return folder
