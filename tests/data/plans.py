"""Plans and rows that the tests of the data edge share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxcausal.core.queries import Query
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import Dataset, open_dataset

ARMS = ("none", "gig", "agent")


def plan(data: Mapping[str, Any], **changes: Any) -> ExperimentSpec:
    """Return a plan over the columns that `rows` makes; `changes` replace top-level blocks."""
    blocks: dict[str, Any] = {
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
                "arms": {"none": {"share": "1/2"}, "gig": {"share": "1/4"}, "agent": {"share": "1/4"}},
            },
        },
        "covariates": ["age", "channel"],
        "segments": ["tier", "region"],
        "metrics": {
            "success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}],
            "secondary": [
                {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"},
                {
                    "name": "aov",
                    "type": "ratio",
                    "numerator": "revenue",
                    "denominator": "orders",
                    "desired_direction": "increase",
                },
                {
                    "name": "nps",
                    "type": "nps",
                    "column": "nps_answer",
                    "response": "answered",
                    "desired_direction": "increase",
                },
            ],
        },
    }
    return ExperimentSpec.model_validate({**blocks, **changes})


def rows(n: int = 600, seed: int = 7) -> pd.DataFrame:
    """Return customers in households, with missing spend, missing segments and unanswered surveys."""
    rng = np.random.default_rng(seed)
    answered = rng.random(n) < 0.4
    frame = pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "household_id": [f"h{i // 3}" for i in range(n)],
            "agent_id": [f"a{i}" for i in rng.integers(0, 25, n)],
            "arm": rng.choice(ARMS, n, p=[0.5, 0.25, 0.25]),
            "tier": [None if draw < 0.1 else "gold" if draw < 0.4 else "silver" for draw in rng.random(n)],
            "region": rng.choice(["north", "south", "west"], n),
            "channel": rng.choice(["chat", "phone"], n),
            "age": rng.integers(18, 90, n),
            "churned": rng.integers(0, 2, n),
            "spend": np.where(rng.random(n) < 0.6, 0.0, rng.lognormal(3, 1.3, n).round(2)),
            "revenue": rng.gamma(2.0, 30.0, n).round(2),
            "orders": rng.integers(0, 5, n),
            "answered": answered.astype(int),
            "nps_answer": np.where(answered, rng.integers(0, 11, n), np.nan),
            "weight": rng.uniform(0.5, 3.0, n).round(3),
            "reached": rng.integers(0, 2, n),
        }
    )
    frame.loc[rng.random(n) < 0.08, "spend"] = np.nan
    return frame


def write(frame: pd.DataFrame, root: Path, name: str = "x.parquet") -> dict[str, Any]:
    """Write rows as a file of the kind that the name says, and return the plan's data block."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    elif ".csv" in name:
        frame.to_csv(path, index=False)
    elif name.endswith(".json"):
        frame.to_json(path, orient="records")
    elif name.endswith(".jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        raise ValueError(name)
    return {"source": name, "unit": "customer_id"}


def ask(dataset: Dataset, queries: Sequence[Query]) -> Mapping[Query, Any]:
    """Return the answers without their types, which every test knows."""
    return dataset.answer(queries)


def opened(frame: pd.DataFrame, root: Path, name: str = "x.parquet", **changes: Any) -> Dataset:
    """Write rows and open them with the plan; `data` in `changes` is merged into the data block."""
    data = {**write(frame, root, name), **changes.pop("data", {})}
    return open_dataset(plan(data, **changes), root)
