"""What every registered estimator must do, ours and outsiders'."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.protocols import Estimator
from cxcausal.core.registry import Registry
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.pipeline.score_road import BothRoads
from tests.conformance.plans import small_plan

NAMES = Registry(kind="estimators").names()
CLOSED_FORMS = tuple(name for name in NAMES if name != "aipw")  # copies of a customer fall into other folds
each = pytest.mark.parametrize("name", NAMES)
METRICS = {
    "success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}],
    "secondary": [{"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}],
}
LIFT = 3.0


def customers(n: int = 4000, *, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    called = rng.random(n) < 0.5
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "arm": np.where(called, "call", "none"),
            "tier": rng.choice(["basic", "plus"], n),
            "churned": (rng.random(n) < 0.2 - 0.05 * called).astype(int),
            "spend": rng.gamma(2.0, 10.0, n) + LIFT * called,
        }
    )


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., tuple[Estimate, ...]]:
    """Estimate both metrics from a frame; the frame is checked to be untouched."""

    def _rows(name: str, frame: pd.DataFrame, **changes: Any) -> tuple[Estimate, ...]:
        frame.to_parquet(tmp_path / "small.parquet")
        spec = small_plan(
            data={"source": "small.parquet", "unit": "customer_id"}, metrics=METRICS, segments=["tier"], **changes
        )
        estimator: Estimator = Registry(kind="estimators").load(name)()
        return _estimated(spec, estimator, tmp_path)

    return _rows


def _estimated(spec: ExperimentSpec, estimator: Estimator, root: Path) -> tuple[Estimate, ...]:
    metrics = [metric for _, metric in spec.metrics.with_roles()]
    with open_dataset(spec, root) as data:
        roads = BothRoads(dataset=data, spec=spec)
        answers = roads.answer([query for metric in metrics for query in estimator.queries(spec, metric, data.levels)])
        found = [row for metric in metrics for row in estimator.compare(spec, metric, data.levels, answers)]
    return apply_multiplicity(found, spec.analysis)


@each
def test_recovers_a_planted_effect(name: str, rows: Callable[..., tuple[Estimate, ...]]) -> None:
    planted = {"churn": -0.05, "spend": LIFT}
    for row in rows(name, customers(20_000)):
        if row.population == "all" and row.scale == "absolute":
            assert row.point is not None
            assert row.se is not None
            assert abs(row.point - planted[row.metric]) < 4 * row.se


@each
def test_every_interval_holds_its_point_and_every_metric_has_a_row(
    name: str, rows: Callable[..., tuple[Estimate, ...]]
) -> None:
    found = rows(name, customers())
    assert {row.metric for row in found} == {"churn", "spend"}
    assert {row.population for row in found} == {"all", "tier=basic", "tier=plus"}
    for row in found:
        assert row.status == "ok"
        assert row.low is not None
        assert row.low <= row.point <= row.high  # type: ignore[operator]
        assert json.loads(json.dumps(asdict(row), allow_nan=False))["metric"] == row.metric


@each
def test_the_order_of_the_rows_does_not_matter(name: str, rows: Callable[..., tuple[Estimate, ...]]) -> None:
    frame = customers()
    assert rows(name, frame) == rows(name, frame.sample(frac=1, random_state=5)[frame.columns[::-1]])


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_hundred_copies_of_each_customer_change_the_point_by_nothing(
    name: str, rows: Callable[..., tuple[Estimate, ...]]
) -> None:
    frame = customers(500)
    copies = pd.concat([frame.assign(customer_id=frame.customer_id + f"-{i}") for i in range(100)])
    for once, many in zip(rows(name, frame), rows(name, copies), strict=True):
        assert many.point == pytest.approx(once.point, rel=1e-10, abs=1e-12)
        assert many.n_treated == 100 * (once.n_treated or 0)


@each
def test_an_empty_arm_gives_rows_with_a_reason(name: str, rows: Callable[..., tuple[Estimate, ...]]) -> None:
    frame = customers()
    found = rows(name, frame[frame.arm == "none"])
    assert found
    for row in found:
        assert row.status == "not_computed"
        assert row.reason
        assert row.point is None
