"""A ramp-up from plan and file to page one, recomputed from the file alone."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import statsmodels.formula.api as smf

from tests.e2e.project import Project, new_project
from tests.ramps import CHURN, EPOCHS, SPEND, customers

TREATMENT = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {"unit_cost": 0.2}}}
DESIGN = {"type": "randomized", "treatment": TREATMENT, "epochs": EPOCHS}
DATA = {"source": "data/callback.csv", "unit": "id", "time_zero": "entered"}
METRICS = {"success": [{**SPEND, "money": {"per_unit": 1}}], "secondary": [CHURN]}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def planned(project: Project, frame: pd.DataFrame, **changes: Any) -> str:
    project.data(frame)
    return project.plan(**{"data": DATA, "design": DESIGN, "metrics": METRICS, **changes})


def test_the_verdict_and_the_money_rest_on_the_effect_within_epochs(project: Project) -> None:
    frame = customers(2_000)
    done = project.cx("run", planned(project, frame), "--json", "--quiet")
    assert done.code == 0, done.err
    found = done.json
    (lead,) = [row for row in found["effects"] if row["headline"] and row["metric"] == "spend"]
    late = (frame["entered"] > "2025-10-10").astype(float)
    rows = frame.assign(called=(frame["arm"] == "gig").astype(float), away=late - late.mean())
    fit = smf.ols("spend ~ called * away", rows).fit(cov_type="HC2")
    drawn = fit.params["called:away"] ** 2 * late.var() / len(late)
    assert lead["point"] == pytest.approx(fit.params["called"], rel=1e-9)
    assert lead["se"] == pytest.approx((fit.bse["called"] ** 2 + drawn) ** 0.5, rel=1e-9)
    assert lead["low"] < 1.0 < lead["high"]
    (arm,) = found["value"]["arms"]
    assert arm["net_per_customer"]["central"]["point"] == pytest.approx(fit.params["called"] - 0.2, rel=1e-9)
    assert (found["recommended_arm"], found["arms"]["gig"]["rule"]) == ("gig", 3)
    assert any("arms are compared within epochs" in note for note in found["notes"])
    assert not any("unadjusted means" in note for note in found["notes"])
    page = (project.root / found["report"]).read_text(encoding="utf-8")
    assert "adjusted for what was known beforehand" not in page
    assert "adjusted for when customers were enrolled" in page


def test_pooling_would_have_found_an_effect_where_there_is_none(project: Project) -> None:
    done = project.cx("run", planned(project, customers(2_000, effect=0.0)), "--json", "--quiet")
    rows = [row for row in done.json["effects"] if row["metric"] == "spend" and row["scale"] == "absolute"]
    within, across = rows
    assert within["low"] < 0 < within["high"]
    assert across["low"] > 1.0
    assert "shares changed meanwhile" in across["reason"]
    assert done.json["arms"]["gig"]["rule"] == 4


def test_what_has_no_meaning_for_a_ramp_up_is_refused_or_says_why(project: Project) -> None:
    path = planned(project, customers(200))
    done = project.cx("assign", path, "--units", "data/callback.csv", "--out", "arms.csv", "--salt", "x")
    assert done.code == 3
    assert "an assignment is by one split" in done.err
    done = project.cx("plan", path, "--base", "churn=0.2", "--sd", "spend=3", "--json")
    assert done.code == 0, done.err
    assert {row["reason"] for row in done.json["rows"]} == {
        "the arms' shares change by epoch, and this version tells power for one split: plan with one of them"
    }
    done = project.cx("plan", path, "--history", "data/callback.csv", "--json")
    assert done.code == 0, done.err


def test_aa_tosses_within_epochs(project: Project) -> None:
    done = project.cx("aa", planned(project, customers(800)), "--replicates", "40", "--json", "--quiet")
    assert done.code == 0, done.err
    assert done.json["shares"]["2025-10-15"] == {"none": 0.5, "gig": 0.5}
    spend = next(row for row in done.json["rows"] if row["name"] == "spend")
    assert spend["alarms"] <= 9
    assert next(row for row in done.json["rows"] if row["name"] == "srm")["alarms"] <= 1
