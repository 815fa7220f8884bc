"""Surveys from the plan to page one: the rows beside the effect, recomputed from the file, the cap, and the words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project, new_project
from tests.nonresponse_twins import lee_ends, worst_case_ends
from tests.regression_twins import least_squares

TOLERANCE = 1e-9
CSAT = {"name": "csat", "type": "ordinal", "column": "csat", "response": "answered", "desired_direction": "increase"}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def surveyed(n: int = 4000, *, more: float = 1.2, lift: float = 0.0, seed: int = 8) -> pd.DataFrame:
    """Return customers whose happy ones answer more often when they were called, which lifts the answers' mean."""
    rng = np.random.default_rng(seed)
    called, mood = np.arange(n) % 2 == 1, rng.normal(size=n)
    chance = 1 / (1 + np.exp(1.0 - called * more * (mood > 0.3)))
    answered = rng.random(n) < chance
    score = np.clip(np.round(3 + mood + lift * called), 1, 5)
    return pd.DataFrame(
        {
            "customer_id": [f"CUST{i}" for i in range(n)],
            "home": [f"H{i // 4}" for i in range(n)],
            "arm": np.where(called, "call", "none"),
            "churned": (rng.random(n) < 0.2).astype(int),
            "before": (mood + rng.normal(size=n)).round(3),
            "answered": answered.astype(int),
            "csat": np.where(answered, score, np.nan),
        }
    )


def run(project: Project, frame: pd.DataFrame, **changes: Any) -> Any:
    project.data(frame)
    plan = {"metrics": {"success": [CSAT], "secondary": [CHURN]}, "covariates": ["before"], **changes}
    done = project.cx("run", project.plan(**plan), "--json")
    assert done.code == 0, done.err
    return done.json


def beside(result: Any, method: str, metric: str = "csat") -> Any:
    (row,) = [
        row
        for row in result["effects"]
        if row["companion"] and row["metric"] == metric and row["method"] == method and row["arm"] == "call"
    ]
    return row


def close(found: object, expected: object) -> None:
    assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


def test_every_companion_is_that_of_the_rows_in_the_file(project: Project) -> None:
    frame = surveyed()
    result = run(project, frame)
    called = (frame.arm == "call").to_numpy()
    y, one, two = frame.csat.to_numpy(), called, ~called
    rate = beside(result, "difference_in_means", "csat.response")
    answered = frame.answered.to_numpy()
    close((rate["mean_treated"], rate["mean_control"]), (answered[one].mean(), answered[two].mean()))
    close(rate["se"], np.sqrt(answered[one].var(ddof=1) / one.sum() + answered[two].var(ddof=1) / two.sum()))
    assert (rate["unit"], rate["role"], rate["n_treated"]) == ("share of customers", "exploratory", one.sum())
    for method, twins in (
        ("lee_bounds", lee_ends(y[one], y[two])),
        ("worst_case_bounds", worst_case_ends(y[one], y[two], 1.0, 5.0)),
    ):
        row = beside(result, method)
        close((row["set_low"], row["set_high"]), [twin.point for twin in twins])
        assert row["point"] is None
        assert row["low"] < row["set_low"] < row["set_high"] < row["high"]
    aipw, z = beside(result, "response_aipw"), frame.before.to_numpy()
    fits = [
        least_squares(np.column_stack([np.ones(own.sum()), z[own] - z.mean()]), y[own])
        for own in (one & (answered == 1), two & (answered == 1))
    ]
    drawn = (fits[0].beta[1] - fits[1].beta[1]) ** 2 * z.var(ddof=1) / len(z)
    close(aipw["point"], fits[0].beta[0] - fits[1].beta[0])
    close(aipw["se"], np.sqrt(fits[0].covariance[0, 0] + fits[1].covariance[0, 0] + drawn))
    assert not any(row["headline"] for row in result["effects"] if row["companion"])


def test_a_result_that_rests_on_who_answered_is_unsafe_and_at_most_a_pilot(project: Project) -> None:
    plan = project.plan(metrics={"success": [CSAT], "secondary": [CHURN]}, covariates=[])
    assert project.cx("register", plan).code == 0
    result = run(project, surveyed(), covariates=[])
    assert result["registered"]
    (headline,) = [row for row in result["effects"] if row["metric"] == "csat" and row["headline"]]
    assert headline["low"] > 0
    assert headline["reason"].startswith("unsafe: the contact changed who answers (")
    assert beside(result, "lee_bounds")["set_low"] < 0
    assert result["arms"]["call"]["capped_from"] == "ship"
    assert result["verdict"] == "pilot"
    assert "those who answered may not be alike: the bounds of 'csat' leave open" in result["capped_by"]
    assert "those who answered may not be alike" in result["arms"]["call"]["reason"]
    assert not any("adjusted" in note for note in result["notes"])
    page = (project.root / result["report"]).read_text(encoding="utf-8")
    assert "Unsafe to read alone" in page


def test_equal_answering_is_safe(project: Project) -> None:
    result = run(project, surveyed(more=0.0, lift=0.4))
    own = [row for row in result["effects"] if row["metric"] == "csat" and not row["companion"]]
    assert own
    assert not any("unsafe" in (row["reason"] or "") for row in own)
    assert "alike" not in str(result["capped_by"])
    assert "Unsafe to read alone" not in (project.root / result["report"]).read_text(encoding="utf-8")


def test_where_a_fate_is_shared_bounds_and_rates_are_told_and_adjustment_says_why_not(project: Project) -> None:
    result = run(project, surveyed(), data={**PLAN["data"], "cluster": ["home"]})
    assert beside(result, "lee_bounds")["status"] == "ok"
    assert beside(result, "difference_in_means", "csat.response")["df"] < 1000
    refused = beside(result, "response_aipw")
    assert (refused["status"], refused["point"]) == ("not_computed", None)
    assert "share a fate (home)" in refused["reason"]


def test_what_can_not_be_told_says_why(project: Project) -> None:
    frame = surveyed()
    frame.loc[frame.arm == "call", ["answered", "csat"]] = [0, np.nan]
    aov = {"name": "per", "type": "ratio", "numerator": "csat", "denominator": "churned", "response": "answered"}
    spend = {"name": "spend", "type": "mean", "column": "before", "response": "answered"}
    more = [{**one, "desired_direction": "increase"} for one in (aov, spend)]
    result = run(project, frame, metrics={"success": [CHURN], "secondary": [CSAT, *more]}, covariates=[])
    rows = [row for row in result["effects"] if row["companion"]]
    assert {row["metric"] for row in rows} == {
        *("csat", "csat.response", "per", "per.response", "spend", "spend.response")
    }
    assert beside(result, "newcombe", "csat.response")["status"] == "ok"
    for row in rows:
        if row["method"] != "newcombe":
            assert (row["status"], bool(row["reason"])) == ("not_computed", True), row
    assert "no known limits" in beside(result, "worst_case_bounds", "spend")["reason"]
