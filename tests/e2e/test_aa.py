"""`cxcausal aa` as its users run it: on right plans, on wrong ones, before the experiment, and without any trace."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project, new_project

SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
CSAT = {"name": "csat", "type": "ordinal", "column": "csat", "desired_direction": "increase", "margin": {"absolute": 1}}
METRICS = {"success": [SPEND, CHURN], "guardrails": [CSAT]}
HOMES = {"source": "data/callback.csv", "unit": "customer_id", "randomization_unit": "home"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def households(n: int = 900, *, alike: float = 3.0, seed: int = 8) -> pd.DataFrame:
    """Return customers in households of three that spend alike; the call works, and nobody may see it."""
    rng = np.random.default_rng(seed)
    home = np.arange(n) // 3
    called = np.repeat(rng.random(n // 3) < 0.5, 3)
    return pd.DataFrame(
        {
            "customer_id": [f"CUST{at}" for at in range(n)],
            "home": [f"H{at}" for at in home],
            "arm": np.where(called, "call", "none"),
            "spend": (20 + alike * rng.normal(size=n // 3)[home] + rng.normal(0, 1, n) + 2 * called).round(3),
            "churned": (rng.random(n) < 0.3).astype(int),
            "csat": rng.integers(1, 6, n),
        }
    )


def line(found: Any, name: str, kind: str = "metric") -> Any:
    (row,) = (row for row in found["rows"] if (row["name"], row["kind"]) == (name, kind))
    return row


def run(project: Project, *words: str, code: int = 0, **changes: Any) -> Any:
    done = project.cx("aa", project.plan(metrics=METRICS, **changes), "--json", "--quiet", *words)
    assert done.code == code, done.err
    return done.json


def test_a_right_plan_keeps_its_promise_and_leaves_no_trace(project: Project) -> None:
    project.data(households())
    before = project.fingerprint()
    found = run(project, "--replicates", "250", data=HOMES)
    assert project.fingerprint() == before
    assert (found["answer"], found["tosses"], found["randomization_units"]) == ("as_promised", 250, 300)
    for name in ("spend", "churn"):
        row = line(found, name)
        assert row["verdict"] == "as_promised"
        assert row["low"] <= 0.05 <= row["high"]
        assert sum(row["bins"]) == 250
        assert row["uniform_p"] > 0.001
    assert line(found, "all success metrics", "family")["rate"] < 0.09
    assert line(found, "csat", "guardrail_beyond")["alarms"] == 0
    assert line(found, "srm", "check")["promised"] == 0.001
    assert line(found, "srm_by_segment", "check")["status"] == "not_computed"


def test_a_plan_that_forgets_what_shares_a_fate_is_found_out(project: Project) -> None:
    project.data(households())
    found = run(project, "--replicates", "100", code=5, data={**HOMES, "cluster": ["customer_id"]})
    assert found["answer"] == "too_many"
    row = line(found, "spend")
    assert row["verdict"] == "too_many"
    assert row["rate"] > 0.15
    assert line(found, "churn")["verdict"] != "too_many"
    assert found["sentence"].startswith("Too many false alarms: where the arms differ by chance alone, 'spend' seems")


def test_the_real_arms_change_nothing_to_the_bit(project: Project) -> None:
    frame = households()
    project.data(frame)
    found = run(project, "--replicates", "5", data=HOMES)
    project.data(frame.assign(arm=frame["arm"].map({"call": "none", "none": "call"}), spend=frame["spend"]))
    other = run(project, "--replicates", "5", data=HOMES)
    assert other["inputs"] != found["inputs"]
    assert {**other, "inputs": 0} == {**found, "inputs": 0}
    again = run(project, "--replicates", "5", "--seed", "7", data=HOMES)
    assert again["rows"] != found["rows"]


def test_past_customers_without_arms_or_times_do_as_well(project: Project) -> None:
    project.data(households().drop(columns="arm"), "data/past.csv")
    window = {**CHURN, "window": {"end": "30d"}}
    data = {**HOMES, "time_zero": "entered", "observed_until": "seen"}
    plan = project.plan(metrics={"success": [window]}, data=data)
    done = project.cx("aa", plan, "--on", "data/past.csv", "--replicates", "3", "--json", "--quiet")
    assert done.code == 0, done.err
    assert done.json["units"] == 900
    done = project.cx("aa", plan, "--on", "data/none.csv", "--quiet")
    assert done.code == 4


def test_the_smallest_effect_in_sight_is_that_of_the_households(project: Project) -> None:
    frame = households(alike=3.0)
    project.data(frame)
    row = line(run(project, "--replicates", "60", data=HOMES), "spend")
    means = frame.groupby("home")["spend"].mean()
    expected = (means.var() * 4 / len(means)) ** 0.5
    assert row["se"] == pytest.approx(expected, rel=0.03)
    assert row["smallest"] == pytest.approx((2.2414 + 0.8416) * expected, rel=0.04)


def test_a_page_with_pictures_stands_alone(project: Project) -> None:
    project.data(households(300))
    done = project.cx("aa", project.plan(metrics=METRICS, data=HOMES), "--replicates", "20", "--out", "aa/page")
    assert done.code == 0, done.err
    assert "check srm" in done.out
    assert "too few to tell" in done.out
    page = (project.root / "aa/page/index.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "Content-Security-Policy" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "CUST" not in page


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"design": {**PLAN["design"], "type": "observational"}}, 3, "P904"),
        ({"analysis": {"peeking": "group_sequential", "looks": ["2026-01-01"]}}, 3, "P901"),
        ({"data": {**HOMES, "unit": "home"}}, 4, "D220"),
    ],
)
def test_what_can_not_be_tossed_is_refused(project: Project, changes: dict[str, Any], code: int, says: str) -> None:
    project.data(households(60))
    done = project.cx("aa", project.plan(metrics=METRICS, **{"data": HOMES, **changes}), "--quiet")
    assert done.code == code
    assert says in done.err


def test_without_any_outcome_nothing_can_be_counted(project: Project) -> None:
    project.data(households(60).assign(spend="", churned="", csat=""))
    done = project.cx("aa", project.plan(metrics=METRICS, data=HOMES), "--quiet")
    assert done.code == 4
    assert "D350 data.source: no planned outcome has a value" in done.err


def test_a_metric_that_can_not_be_computed_is_a_line_with_its_reason(project: Project) -> None:
    project.data(households(60).assign(spend=1.0))
    found = run(project, "--replicates", "3", data=HOMES)
    row = line(found, "spend")
    assert (row["status"], row["reason"]) == ("not_computed", "the outcome does not vary")


def test_an_unwritable_folder_is_told(project: Project) -> None:
    project.data(households(60))
    project.write("taken", "a file")
    done = project.cx("aa", project.plan(metrics=METRICS, data=HOMES), "--replicates", "2", "--out", "taken", "--quiet")
    assert done.code == 6
    assert "taken/index.html E601 could not write this file: File exists" in done.err
