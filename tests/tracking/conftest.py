"""A small result with made-up numbers, and projects whose MLflow store is a copy of the migrated template."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.plan_hash import hash_of
from cxcausal.core.results import ArmVerdict, CheckResult, DataFacts, Estimate, RunResult

PLAN: dict[str, Any] = {
    "id": "outreach",
    "question": "Does a call keep customers?",
    "design": {"type": "randomized", "treatment": {"column": "arm", "control": "none"}},
    "analysis": {"alpha": 0.05, "seed": 7},
}


def estimate(**changes: Any) -> Estimate:
    fields: dict[str, Any] = {
        "metric": "churn",
        "role": "success",
        "arm": "agent",
        "control": "none",
        "estimand": "itt",
        "method": "difference_in_means",
        "point": -0.02,
        "low": -0.03,
        "high": -0.01,
        "level": 0.95,
        "headline": True,
    }
    return Estimate(**{**fields, **changes})


def result(run_id: str, **changes: Any) -> RunResult:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "experiment": "outreach",
        "verdict": "ship",
        "recommended_arm": "agent",
        "arms": {"agent": ArmVerdict(verdict="ship", reason="It works.", rule=3)},
        "grade": "A",
        "capped_by": None,
        "registered": False,
        "registration": "Not registered before the data were analysed.",
        "effects": (
            estimate(),
            estimate(scale="relative", point=-0.2, low=-0.3, high=-0.1),
            estimate(population="region=north", headline=False),
            estimate(metric="spend", role="secondary", point=2.5, low=None, high=float("nan")),
            estimate(metric="csat", role="guardrail", point=None, low=None, high=None, status="not_computed"),
        ),
        "checks": (CheckResult(name="srm", verdict="pass", on_breach="fail", p=0.4, text="As planned."),),
        "data": DataFacts(
            inputs=(("data/outreach.csv", "ab" * 32),),
            fingerprint="f" * 64,
            data_cut="2026-10-01",
            rows=100,
            filtered_out=0,
            enrolled=100,
            immature=0,
            analysed=100,
            randomization_units=100,
            enrolled_by_arm={"none": 50, "agent": 50},
            immature_by_arm={"none": 0, "agent": 0},
            analysed_by_arm={"none": 50, "agent": 50},
        ),
        "plan": PLAN,
        "plan_hash": hash_of(PLAN),
        "created_at": "2026-10-02T09:00:00+00:00",
        "versions": {"cxcausal": "0.1.0"},
    }
    return RunResult(**{**fields, **changes})


@pytest.fixture(name="make_result")
def make_result_fixture() -> Callable[..., RunResult]:
    return result


@pytest.fixture(name="make_estimate")
def make_estimate_fixture() -> Callable[..., Estimate]:
    return estimate


@pytest.fixture
def plan() -> dict[str, Any]:
    return PLAN


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Path:
    """A project's root whose MLflow store exists already."""
    root = tmp_path / "project"
    (root / ".cxcausal").mkdir(parents=True)
    shutil.copyfile(mlflow_template, root / ".cxcausal/mlflow.db")
    return root
