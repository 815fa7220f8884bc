"""An observational run on the command line: what it prints, what it keeps, and what its page says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cxcausal.report.text import FIXED_PHRASES
from tests.e2e.project import Project, new_project
from tests.observed import document, people
from tests.report.reader import read
from tests.report.test_numbers import agrees, quoted, recomputed

CHURN_MONEY = {"money": {"per_unit": 240}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Project:
    made = new_project(tmp_path_factory.mktemp("observed") / "project", mlflow_template)
    (made.root / "data").mkdir(exist_ok=True)
    people(n=1500).to_parquet(made.root / "data" / "rows.parquet")
    return made


def plan(project: Project, name: str, **more: Any) -> str:
    """Write a plan with a worth in numbers."""
    written = document(**more)
    written["id"] = name
    written["data"] = {"source": "data/rows.parquet", "unit": "customer_id"}
    success = {**written["metrics"]["success"][0], **CHURN_MONEY}
    written["metrics"] = {**written["metrics"], "success": [success]}
    project.write(f"experiments/{name}.yaml", yaml.safe_dump(written, sort_keys=False))
    return f"experiments/{name}.yaml"


def test_the_terminal_says_grade_whom_and_that_no_coin_decided(project: Project) -> None:
    done = project.cx("run", plan(project, "hand-off-told", target="ato"))
    assert done.code == 0, done.err
    assert "evidence grade C" in done.out
    assert "customers for whom either was a real possibility" in done.out
    assert "It was not a randomised test." in done.out
    assert "Compared naively" in done.out


def test_the_result_keeps_what_stands_behind_its_effects_under_one_key(project: Project) -> None:
    done = project.cx("run", plan(project, "hand-off-json", target="att"), "--json")
    assert done.code == 0, done.err
    result = done.json
    assert result["scores"]["target"] == "att"
    assert result["scores"]["adjusted_for"] == ["trouble", "tenure", "channel"]
    assert {one["role"] for one in result["scores"]["nuisances"]} == {"propensity", "outcome"}
    arm = result["value"]["arms"][0]
    assert arm["estimand"] == "att"
    assert arm["total_customers"] == result["data"]["analysed_by_arm"]["human"]
    page = (project.root / result["report"]).read_text("utf-8")
    marks = read(page)
    tree = {**result, "ledger_head": None}
    numbers = [mark for mark in marks.numbers if "ledger_head" not in mark.attributes["data-key"]]
    assert [mark for mark in numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []
    quotes = [mark for mark in marks.quotes if mark.attributes.get("data-key") != "ledger_head"]
    assert [mark for mark in quotes if not quoted(tree, mark)] == []
    rest = "\n".join(marks.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []


def test_a_randomised_run_has_the_key_and_nothing_in_it(project: Project) -> None:
    treatment = {"column": "route", "control": "bot", "arms": {"bot": {"share": "1/2"}, "human": {"share": "1/2"}}}
    design = {"type": "randomized", "treatment": treatment}
    path = plan(project, "coin", design=design, estimation={}, target="itt", checks={"srm": {"on_breach": "warn"}})
    done = project.cx("run", path, "--json")
    assert done.code == 0, done.err
    assert done.json["scores"] is None
    assert "scores" not in {one.stem for one in (project.root / ".cxcausal/runs/coin").rglob("*.json")}


def test_the_money_of_an_overlap_is_per_customer_on_page_one(project: Project) -> None:
    result = project.cx("run", plan(project, "hand-off-ato", target="ato"), "--json").json
    assert result["value"]["arms"][0]["net_total"] == {}
    page = (project.root / result["report"]).read_text("utf-8")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Per customer for whom either was a real possibility, “Handed over to a person” is worth EUR" in words
    assert "Money is told from unadjusted means" not in words
    assert "so there is no total." in words


def test_a_second_run_on_the_same_data_gives_the_same_facts(project: Project) -> None:
    path = plan(project, "hand-off-twice", target="ato")
    first, second = (project.cx("run", path, "--json").json for _ in range(2))
    assert first["scores"] == second["scores"]
    assert first["value"] == second["value"]
