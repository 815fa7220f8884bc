"""What an observational plan may not ask for, and graph-only plans that stay what they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Project, new_project

GRAPH = "digraph {{x1 x2 tier} -> {t y}; t -> y}"
TRUTH = 1.0
FAST = {"folds": 3, "repeats": 1, "nuisance": {"outcome": "linear", "propensity": "logistic"}}
DESIGN: dict[str, Any] = {
    "type": "observational",
    "treatment": {"column": "t", "control": "0", "arms": {}},
    "confounders": ["x1", "x2", "tier"],
}
Y = {"name": "y", "type": "mean", "column": "y", "desired_direction": "increase"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def customers(n: int = 900) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    x1, x2, tier = draw.normal(size=n), draw.normal(size=n), draw.integers(0, 3, n)
    treated = (draw.random(n) < 1 / (1 + np.exp(-x1 - 0.4 * (tier - 1)))).astype(int)
    y = x1 + 0.5 * tier + TRUTH * treated + draw.normal(size=n)
    frame = {"id": [f"c{at}" for at in range(n)], "t": treated, "x1": x1, "x2": x2, "y": y}
    return pd.DataFrame({**frame, "tier": np.array(["a", "b", "c"])[tier]})


def plan(project: Project, design: dict[str, Any] | None = None, **changes: Any) -> str:
    parts = {"design": design or DESIGN, "estimation": FAST, "metrics": {"success": [Y]}, "segments": [], **changes}
    return project.plan(data={"source": "data/callback.csv", "unit": "id"}, **parts)


def headline(told: Any) -> Any:
    return next(row for row in told["effects"] if row["headline"])


def test_a_plan_with_a_graph_alone_is_adjusted_by_it_at_every_turn(project: Project) -> None:
    project.data(customers())
    path = plan(project, {**{k: v for k, v in DESIGN.items() if k != "confounders"}, "graph": GRAPH})
    first = project.cx("run", path, "--json")
    assert first.code == 0, first.err
    assert headline(first.json)["low"] < TRUTH < headline(first.json)["high"]
    assert project.cx("audit", "verify").code == 0
    again = project.cx("rerun", "callback", "--json")
    assert again.code == 0, again.err
    assert headline(again.json)["point"] == headline(first.json)["point"]
    replayed = project.cx("replay", first.json["run_id"], "--json").json
    assert (replayed["outcome"], replayed["changed"]) == ("IDENTICAL", [])


def test_a_treatment_of_truths_is_one_of_0_and_1(project: Project) -> None:
    frame = customers()
    project.data(frame)
    first = project.cx("run", plan(project), "--json").json
    project.data(frame.assign(t=frame["t"].astype(bool)))
    treatment = {"column": "t", "control": False, "arms": {}}
    done = project.cx("run", plan(project, {**DESIGN, "treatment": treatment}), "--json")
    assert done.code == 0, done.err
    assert {key: headline(done.json)[key] for key in ("arm", "control", "point", "se")} == {
        key: headline(first)[key] for key in ("arm", "control", "point", "se")
    }


@pytest.mark.parametrize("method", ["ols", "difference_in_means"])
def test_no_method_for_coins_leads_where_none_was_tossed(project: Project, method: str) -> None:
    project.data(customers(200))
    done = project.cx("run", plan(project, estimation={"method": method}))
    assert done.code == 3
    assert "compares arms as if a coin had been tossed" in done.err


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"design": {**DESIGN, "never_adjust": ["late"]}, "segments": ["late"]}, "P325"),
        ({"design": {**DESIGN, "negative_controls": {"outcomes": ["y"]}}}, "P382"),
        ({"design": {**DESIGN, "negative_controls": {"exposures": ["t"]}}}, "P382"),
        ({"metrics": {"success": [{**Y, "type": "quantile", "q": 0.5}]}}, "P901"),
    ],
)
def test_contradictions_are_refused(project: Project, changes: dict[str, Any], code: str) -> None:
    project.data(customers(200).assign(late="a"))
    done = project.cx("run", plan(project, **changes))
    assert done.code == 3
    assert code in done.err


def test_fewer_clusters_than_folds_are_no_bug(project: Project) -> None:
    project.data(customers(600))
    data = {"source": "data/callback.csv", "unit": "id", "cluster": "tier"}
    path = project.plan(
        design={**DESIGN, "confounders": ["x1", "x2"]},
        data=data,
        estimation={**FAST, "folds": 5},
        metrics={"success": [Y]},
        segments=[],
    )
    done = project.cx("run", path, "--json")
    assert done.code in {0, 5}
    assert done.json["errors"] == []


def test_who_was_treated_by_rule_has_no_overlap_whoever_the_effect_is_of(project: Project) -> None:
    frame = customers()
    frame["t"] = (frame.x1 + 0.5 * frame.x2 > 0).astype(int)
    frame["y"] = frame.x1 + frame.t + np.random.default_rng(1).normal(size=len(frame))
    project.data(frame)
    done = project.cx("run", plan(project), "--json")
    assert done.code == 5
    assert "overlap" in {check["name"] for check in done.json["checks"] if check["verdict"] == "fail"}


def test_confounders_that_do_not_vary_adjust_for_nothing(project: Project) -> None:
    project.data(customers(400).assign(same=1.0))
    done = project.cx("run", plan(project, {**DESIGN, "confounders": ["same"]}), "--json")
    assert done.code == 5
    assert "nothing was allowed for" in done.json["arms"]["1"]["reason"]


def test_power_is_not_told_before_the_data_and_why(project: Project) -> None:
    project.data(customers(200))
    done = project.cx("plan", plan(project), "--units", "1000")
    assert done.code == 3
    assert "where nobody tosses a coin, power can't be told beforehand" in done.err
    assert "how far the groups overlap, which only data show" in done.err
    assert "`cxcausal run` on past data" in done.err
