"""What every registered companion must do, ours and outsiders': stand beside, and never decide."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.protocols import Estimator
from cxcausal.core.registry import Registry
from cxcausal.core.results import Estimate
from cxcausal.data import open_dataset
from cxcausal.pipeline.score_road import BothRoads
from tests.conformance.plans import small_plan

each = pytest.mark.parametrize("name", Registry(kind="companions").names())
DESIGN = {
    "type": "randomized",
    "treatment": {
        "column": "arm",
        "control": "none",
        "received": "reached",
        "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2"}},
    },
}
OBSERVED = {
    "type": "observational",
    "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "call": {}}},
    "confounders": ["before"],
}
WHERE_NO_COIN_DECIDED = frozenset({"second_opinions"})
UP = {"desired_direction": "increase"}
METRICS = {
    "success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}],
    "guardrails": [{"name": "orders", "type": "count", "column": "orders", "margin": {"relative": 0.5}, **UP}],
    "secondary": [
        {"name": "spend", "type": "mean", "column": "spend", "outliers": "winsorize", **UP},
        {"name": "aov", "type": "ratio", "numerator": "spend", "denominator": "orders", **UP},
        {"name": "nps", "type": "nps", "column": "answer", "response": "answered", **UP},
        {"name": "p90", "type": "quantile", "column": "spend", "q": 0.9, **UP},
    ],
}


def customers(n: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    called, answered = np.arange(n) % 2 == 1, rng.random(n) < 0.6
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "arm": np.where(called, "call", "none"),
            "reached": (called & (rng.random(n) < 0.7)).astype(int),
            "before": rng.normal(size=n),
            "churned": (rng.random(n) < 0.3).astype(int),
            "orders": rng.poisson(2, n),
            "spend": rng.gamma(2.0, 10.0, n) * (rng.random(n) < 0.6),
            "answered": answered.astype(int),
            "answer": np.where(answered, rng.integers(0, 11, n), np.nan),
        }
    )


def rows(name: str, frame: pd.DataFrame, root: Path) -> Iterator[Estimate]:
    """Yield the companion's rows of every metric at two levels, having seen that it claims to confirm nothing."""
    frame.to_parquet(root / "small.parquet")
    data: dict[str, Any] = {"source": "small.parquet", "unit": "customer_id"}
    design = OBSERVED if name in WHERE_NO_COIN_DECIDED else DESIGN
    spec = small_plan(data=data, design=design, metrics=METRICS, covariates=["before"])
    companion: Estimator = Registry(kind="companions").load(name)()
    metrics = [metric for _, metric in spec.metrics.with_roles()]
    with open_dataset(spec, root) as opened:
        roads = BothRoads(dataset=opened, spec=spec)
        answers = roads.answer([q for m in metrics for q in companion.queries(spec, m, opened.levels)])
        for metric in metrics:
            for row in companion.compare(spec, metric, opened.levels, answers):
                assert not row.confirmatory
                yield from (row.at(0.05), row.at(0.01))


def decides(row: Estimate) -> bool:
    return row.headline or not row.companion


@each
def test_it_stands_beside_and_never_decides(name: str, tmp_path: Path) -> None:
    found = list(rows(name, customers(), tmp_path))
    assert any(row.status == "ok" for row in found)
    assert not any(decides(row) for row in found)
    for row in found:
        json.dumps(asdict(row), allow_nan=False)
        assert (row.status == "ok") == (row.low is not None), row
        assert row.status == "ok" or row.reason


@each
def test_an_empty_arm_gives_rows_with_a_reason(name: str, tmp_path: Path) -> None:
    frame = customers()
    found = list(rows(name, frame[frame.arm == "none"], tmp_path))
    assert not any(decides(row) for row in found)
    assert all(row.point is None for row in found if row.status != "ok")
    assert all(row.reason for row in found if row.status != "ok")
    assert not any(row.status == "ok" for row in found if row.population == "all")


@each
def test_the_order_of_the_rows_does_not_matter(name: str, tmp_path: Path) -> None:
    frame = customers()
    assert list(rows(name, frame, tmp_path)) == list(rows(name, frame.sample(frac=1, random_state=5), tmp_path))
