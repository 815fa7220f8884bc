"""Observational questions with a known answer: trainees against people of other surveys, and who stopped smoking."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.e2e.project import Project, new_project

TRIAL = 1_794.34
NAIVE = {"cps": -8_497.52, "psid": -15_204.8}
NSW: dict[str, Any] = {
    "schema_version": 1,
    "id": "nsw-observed",
    "question": "Does a year of supported work raise what people earn two years later?",
    "owner": "programme-evaluation@example.com",
    "retrospective": True,
    "data": {"source": "data/nsw.csv"},
    "design": {
        "type": "observational",
        "treatment": {
            "column": "treat",
            "control": "0",
            "arms": {"0": {"label": "No programme"}, "1": {"label": "Supported work"}},
        },
        "confounders": ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"],
    },
    "estimand": {"contrast": "att"},
    "estimation": {"folds": 5, "repeats": 1},
    "metrics": {"success": [{"name": "earnings", "type": "mean", "column": "re78", "desired_direction": "increase"}]},
}
SMOKING: dict[str, Any] = {
    **NSW,
    "id": "smoking",
    "question": "Do people who stop smoking gain weight?",
    "data": {
        "source": "data/nhefs.csv",
        "unit": "seqn",
        "columns": {name: {"type": "text"} for name in ("sex", "race", "education", "exercise", "active")},
    },
    "design": {
        "type": "observational",
        "treatment": {"column": "qsmk", "control": "0", "arms": {}},
        "confounders": [
            "sex", "race", "age", "education", "smokeintensity", "smokeyrs", "exercise", "active", "wt71",
        ],
    },
    "estimand": {"contrast": "ate"},
    "metrics": {
        "success": [{"name": "gain", "type": "mean", "column": "wt82_71", "desired_direction": "increase"}]
    },
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def _trainees(shared: Path, survey: str) -> pd.DataFrame:
    """Return those of the trial who were trained, and people of another survey who were not."""
    trial = pd.read_csv(shared / "nsw_dw.csv.gz")
    others = pd.read_csv(shared / f"lalonde_{survey}_controls.csv.gz")
    others = others.rename(columns={"education": "educ", "hispanic": "hisp", "married": "marr"})
    columns = ["treat", *NSW["design"]["confounders"], "re78"]
    return pd.concat([trial[trial.treat == 1], others])[columns].astype({"treat": int})


def _absolute(told: Any, **wanted: Any) -> Any:
    rows = (row for row in told["effects"] if row["scale"] == "absolute" and row["population"] == "all")
    return next(row for row in rows if all(row[key] == value for key, value in wanted.items()))


@pytest.mark.parametrize("survey", ["cps", "psid"])
def test_people_of_another_survey_are_too_far_apart(project: Project, shared_data: Path, survey: str) -> None:
    project.data(_trainees(shared_data, survey), "data/nsw.csv")
    done = project.cx("run", project.plan(**NSW), "--json")
    assert done.code == 5
    told = done.json
    assert told["verdict"] == "no_decision"
    assert {check["name"] for check in told["checks"] if check["verdict"] == "fail"} == {"overlap"}
    naive = _absolute(told, method="naive_difference")
    assert naive["point"] == pytest.approx(NAIVE[survey], abs=0.06)
    assert (naive["estimand"], naive["companion"], naive["headline"]) == ("association", True, False)
    shown = _absolute(told, method="aipw", estimand="att")
    assert shown["low"] < TRIAL < shown["high"]
    page = (project.root / told["report"]).read_text(encoding="utf-8")
    assert "The groups are too far apart" in page
    assert "Naive difference" in page


def test_who_stops_smoking_gains_weight(project: Project, shared_data: Path) -> None:
    project.data(pd.read_csv(shared_data / "nhefs.csv.gz"), "data/nhefs.csv")
    done = project.cx("run", project.plan(**SMOKING), "--json")
    assert done.code == 0, done.err
    adjusted = _absolute(done.json, method="aipw", estimand="ate")
    assert 3.0 <= adjusted["point"] <= 3.8
    assert _absolute(done.json, method="naive_difference")["point"] == pytest.approx(2.5406, abs=5e-5)
