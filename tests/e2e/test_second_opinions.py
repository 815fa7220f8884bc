"""Second opinions from the plan to the result: their rows, the check and bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Project, new_project

ALL = ["overlap_weighting", "matching", "linear_dml", "dr_learner", "causal_forest"]
TREATMENT = {"column": "handed_off", "control": "self service", "arms": {"self service": {}, "agent": {}}}
DESIGN = {"type": "observational", "treatment": TREATMENT, "confounders": ["trouble", "tenure"]}
FAST = {"nuisance": {"outcome": "linear", "propensity": "logistic"}, "repeats": 2}
METRICS = {"success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}]}
LIFT = -0.08


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def callers(n: int = 1500) -> pd.DataFrame:
    """Return customers of whom the troubled are handed off more often, and churn more often."""
    rng = np.random.default_rng(12)
    trouble, tenure = rng.normal(size=n), rng.gamma(2.0, 12.0, n).round(1)
    handed = rng.random(n) < 1 / (1 + np.exp(-0.7 * trouble))
    churned = rng.random(n) < np.clip(0.3 + 0.08 * trouble + LIFT * handed, 0, 1)
    return pd.DataFrame(
        {
            "customer_id": [f"CUST{i}" for i in range(n)],
            "handed_off": np.where(handed, "agent", "self service"),
            "trouble": trouble.round(4),
            "tenure": tenure,
            "churned": churned.astype(int),
        }
    )


def run(project: Project, frame: pd.DataFrame, also: list[str], **changes: Any) -> Any:
    project.data(frame)
    blocks = {"design": DESIGN, "metrics": METRICS, "estimation": {**FAST, "also": also}, **changes}
    done = project.cx("run", project.plan(**blocks), "--json")
    assert done.code == 0, done.err
    return done.json


def opinions(result: Any) -> dict[str, Any]:
    return {row["method"]: row for row in result["effects"] if row["method"] in ALL}


def test_every_method_has_a_row_beside_the_headline_and_the_check_weighs_them(project: Project) -> None:
    result = run(project, callers(), ALL)
    rows = opinions(result)
    assert list(rows) == ALL
    for row in rows.values():
        assert (row["companion"], row["headline"], row["scale"]) == (True, False, "absolute")
        assert (row["status"], row["population"], row["adjustment"]) == ("ok", "all", "covariates")
        assert abs(row["point"] - LIFT) < 4 * row["se"]
        assert row["low"] < row["point"] < row["high"]
    estimands = {name: row["estimand"] for name, row in rows.items()}
    assert estimands == dict(zip(ALL, ["ato", "ate", "ato", "ate", "ato"], strict=True))
    (check,) = [check for check in result["checks"] if check["name"] == "agreement"]
    assert check["verdict"] == "pass"
    assert check["text"].startswith("'churn', 'agent' against 'self service': five other methods give between")
    assert "fewer per 1,000 customers" in check["text"]
    assert not any("econd opinion" in note for note in result["notes"])


def test_rows_in_another_order_give_the_same_bits(project: Project) -> None:
    frame = callers(600)
    also = ["overlap_weighting", "matching", "dr_learner", "causal_forest"]
    once = opinions(run(project, frame, also))
    again = opinions(run(project, frame.sample(frac=1, random_state=3)[frame.columns[::-1]], also))
    assert once == again


def test_the_plans_control_stands_whatever_the_arms_are_called(project: Project) -> None:
    frame = callers(600)
    once = opinions(run(project, frame, ALL))
    renamed = frame.assign(handed_off=frame.handed_off.map({"agent": "a", "self service": "z"}))
    other = {**TREATMENT, "control": "z", "arms": {"z": {}, "a": {}}}
    again = opinions(run(project, renamed, ALL, design={**DESIGN, "treatment": other}))
    for name in ("overlap_weighting", "matching", "linear_dml", "dr_learner"):  # a forest draws by the arms' names
        assert again[name]["point"] == pytest.approx(once[name]["point"], rel=1e-9)
    assert again["causal_forest"]["point"] == pytest.approx(once["causal_forest"]["point"], abs=0.02)


def test_where_a_coin_decided_a_note_says_that_nobody_else_was_asked(project: Project) -> None:
    arms = {"self service": {"share": "1/2"}, "agent": {"share": "1/2"}}
    design = {"type": "randomized", "treatment": {**TREATMENT, "arms": arms}}
    checks = {"srm": {"on_breach": "warn"}}
    result = run(project, callers(400), ["matching"], design=design, checks=checks, estimation={"also": ["matching"]})
    assert opinions(result) == {}
    assert any("here a coin decided, and these are not: matching" in note for note in result["notes"])
