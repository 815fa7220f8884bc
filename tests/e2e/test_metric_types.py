"""Quantiles, winsorised effects and parts of averages, from a plan and a CSV through the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Project, new_project
from tests.quantile_twins import arm_limits, sample_quantile

EXACT = 1e-9
UP = {"desired_direction": "increase"}
METRICS: dict[str, list[dict[str, Any]]] = {
    "success": [{"name": "p90", "type": "quantile", "column": "spend", "q": 0.9, **UP}],
    "guardrails": [
        {"name": "typical", "type": "quantile", "column": "spend", "q": 0.5, "margin": {"relative": 0.2}, **UP}
    ],
    "secondary": [
        {"name": "spend", "type": "mean", "column": "spend", "outliers": "winsorize", "money": {"per_unit": 1}, **UP},
        {"name": "nps", "type": "nps", "column": "answer", **UP},
        {"name": "scores", "type": "quantile", "column": "answer", "q": 0.5, **UP},
    ],
}


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(20261122)
    n = 900
    arm = np.where(rng.random(n) < 0.5, "none", "call")
    spend = np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(3 + 0.3 * (arm == "call"), 1, n))
    frame = pd.DataFrame({"customer_id": [f"C{i:04d}" for i in range(n)], "arm": arm, "spend": spend})
    frame.loc[::40, "spend"] = np.nan
    frame["answer"] = rng.choice([7, 8], n, p=[0.1, 0.9])
    return frame.assign(tier=rng.choice(["basic", "plus"], n), household=rng.integers(0, 400, n))


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    made = new_project(tmp_path, mlflow_template)
    made.data(_frame())
    return made


def _run(project: Project, **data: Any) -> list[dict[str, Any]]:
    block = {"source": "data/callback.csv", "unit": "customer_id", **data}
    done = project.cx("run", project.plan(data=block, metrics=METRICS, segments=["tier"]), "--json")
    assert done.code in {0, 5}, done.err
    rows: list[dict[str, Any]] = done.json["effects"]
    return rows


def _one(rows: list[dict[str, Any]], metric: str, **keys: Any) -> dict[str, Any]:
    wanted = {"metric": metric, "population": "all", "scale": "absolute", "trimming": "none", **keys}
    (found,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return found


def _arms(frame: pd.DataFrame) -> list[np.ndarray]:
    return [frame.spend[(frame.arm == arm) & frame.spend.notna()].to_numpy() for arm in ("call", "none")]


def _limits(q: float, z: float, frame: pd.DataFrame) -> tuple[float, float, float]:
    """Return point and limits from each arm's own; around high quantiles no two amounts are equal."""
    (one, (low_1, high_1)), (two, (low_2, high_2)) = (
        (sample_quantile(arm, q), arm_limits(arm, q, z, tied=False)) for arm in _arms(frame)
    )
    low = one - two - np.hypot(one - low_1, high_2 - two)
    return one - two, float(low), float(one - two + np.hypot(high_1 - one, two - low_2))


def test_a_planned_quantile_has_its_effect_and_decides(project: Project) -> None:
    rows, frame = _run(project), _frame()
    row = _one(rows, "p90")
    assert (row["status"], row["headline"], row["method"]) == ("ok", True, "quantile_difference")
    assert row["unit"] == "at the 90th percentile"
    assert (row["mean_treated"], row["mean_control"]) == tuple(sample_quantile(arm, 0.9) for arm in _arms(frame))
    assert (row["point"], row["low"], row["high"]) == pytest.approx(_limits(0.9, 1.959963984540054, frame), rel=EXACT)
    assert row["p_adjusted"] == row["p"]
    guardrail = _one(rows, "typical", scale="relative")
    assert (guardrail["level"], guardrail["unit"]) == (0.9, "fraction of the control's quantile")
    for tier in ("basic", "plus"):
        part = _one(rows, "p90", population=f"tier={tier}")
        assert part["point"] == pytest.approx(_limits(0.9, 1.0, frame[frame.tier == tier])[0], rel=EXACT)


def test_scores_that_all_but_agree_are_not_computed_with_the_reason(project: Project) -> None:
    row = _one(_run(project), "scores")
    assert (row["status"], row["point"]) == ("not_computed", None)
    assert row["reason"] == "so many customers share one value that this quantile does not vary"


def test_capped_values_and_parts_stand_beside(project: Project) -> None:
    rows, frame = _run(project), _frame()
    capped = _one(rows, "spend", trimming="winsorized")
    known = np.sort(frame.spend.dropna().to_numpy())
    high = known[int(np.ceil(len(known) * 999 / 1000)) - 1]
    means = [np.minimum(arm, high).mean() for arm in _arms(frame)]
    assert capped["point"] == pytest.approx(means[0] - means[1], rel=EXACT)
    assert (capped["companion"], capped["headline"], capped["p_adjusted"]) == (True, False, None)
    assert "another quantity" in capped["reason"]
    whole = _one(rows, "spend")["point"]
    parts = [_one(rows, f"spend.{part}")["point"] for part in ("from_who", "from_how_much")]
    assert sum(parts) == pytest.approx(whole, rel=1e-12)
    promoters, detractors = (_one(rows, f"nps.{part}") for part in ("promoters", "detractors"))
    assert promoters["reason"] == detractors["reason"] == "the outcome does not vary"
    page = next((project.root / "reports").rglob("*.html")).read_text("utf-8")
    assert "What the averages are made of" in page
    assert "th percentile of" in page


def test_households_widen_the_quantiles_interval_and_weights_refuse_it(project: Project) -> None:
    frame = pd.concat([_frame().assign(customer_id=[f"{copy}{i}" for i in range(900)]) for copy in "ABCD"])
    project.data(frame.assign(weight=1.0, house=[f"H{i % 900}" for i in range(len(frame))]))
    alone, whole = _one(_run(project), "p90"), _one(_run(project, cluster="house"), "p90")
    assert whole["point"] == alone["point"]
    assert whole["se"] == pytest.approx(2 * alone["se"], rel=0.25)
    weighted = _one(_run(project, weight="weight"), "p90")
    assert (weighted["status"], weighted["reason"]) == (
        "not_computed",
        "this version gives no quantiles of weighted customers",
    )


def test_power_for_a_quantile_comes_from_past_values(project: Project) -> None:
    rng = np.random.default_rng(3)
    past = pd.DataFrame({"customer_id": range(20_000), "spend": rng.lognormal(3, 1, 20_000)})
    project.data(past, "data/past.csv")
    metric = {**METRICS["success"][0], "mde": {"absolute": 8.0}}
    plan = project.plan(data={"source": "data/callback.csv", "unit": "customer_id"}, metrics={"success": [metric]})
    done = project.cx("plan", plan, "--history", "data/past.csv", "--units", "4000", "--json")
    (row,) = done.json["rows"]
    density = np.exp(-(1.2815515655446004**2) / 2) / np.sqrt(2 * np.pi) / np.exp(3 + 1.2815515655446004)
    assert row["base"] == pytest.approx(np.quantile(past.spend, 0.9), rel=0.001)
    assert row["sd"] == pytest.approx(np.sqrt(0.09) / density, rel=0.1)
    blind = project.cx("plan", plan, "--sd", "p90=5", "--units", "4000", "--json")
    assert "give past data with --history" in blind.json["rows"][0]["reason"]
