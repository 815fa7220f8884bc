"""The life of an experiment on record: amended, approved, decided and stopped, and what page one says of it."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import PLAN, Project, customers

BEA, CEM = "bea@example.com", "cem@example.com"
APPROVERS = [BEA, CEM, "analyst@example.com", "retention@example.com"]


def page_one(page: Path) -> str:
    """Return the words of page one: all that stands before the appendix."""
    body = page.read_text(encoding="utf-8").partition("<body")[2].partition('class="appendix"')[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def words(page: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))).split())


def kinds(project: Project) -> list[str]:
    return [json.loads(line)["kind"] for line in (project.root / "audit/ledger.jsonl").read_bytes().splitlines()]


def fresh_page(project: Project) -> Path:
    return Path(project.cx("report", "callback", "--json").json["path"])


def registered(project: Project, **changes: Any) -> str:
    path = project.plan(approvers=APPROVERS, **changes)
    assert project.cx("register", path).code == 0
    return path


def registered_run(project: Project) -> str:
    path = registered(project)
    project.data(customers())
    assert project.cx("run", path).code == 0
    return path


def test_from_draft_to_decided(project: Project) -> None:
    def state() -> str:
        return str(project.cx("list", "--json").json["experiments"][0]["state"])

    path = project.plan(approvers=APPROVERS)
    seen = [state()]
    for words_ in (
        ("register", path),
        ("run", path),
        ("stop", "callback"),
        ("decide", "callback", "ship", "--as", CEM),
    ):
        project.data(customers()) if words_[0] == "run" else None
        assert project.cx(*words_).code == 0
        seen.append(state())
    assert seen == ["draft", "registered", "running", "stopped", "decided"]
    assert "decided" in project.cx("list").out
    assert project.cx("audit", "verify").code == 0


def test_an_approved_decision_stands_on_page_one_and_the_run_stays_as_it_was(project: Project) -> None:
    registered_run(project)
    (own,) = (project.root / ".cxcausal/runs/callback").glob("*/report/index.html")
    before = own.read_bytes()
    assert project.cx("approve", "callback", "--as", BEA).code == 0
    assert project.cx("approve", "callback", "--as", BEA).code == 0
    assert project.cx("decide", own.parents[1].name, "ship", "--as", CEM).code == 0
    page = fresh_page(project)
    assert page.parent.name == own.parents[1].name
    told = page_one(page)
    assert re.search(rf"Approved by {BEA} on \d{{4}}-\d\d-\d\d", told)
    assert re.search(rf"Decided ship , by {CEM} on", told)
    assert "Not approved" not in told
    assert own.read_bytes() == before
    assert kinds(project) == ["register", "analyse", "approve", "decide", "render"]
    assert project.cx("audit", "verify").code == 0


def test_an_unapproved_decision_against_the_rule_stands_on_page_one(project: Project) -> None:
    registered_run(project)
    refused = project.cx("decide", "callback", "hold", "--as", CEM)
    assert (refused.code, "G124" in refused.err) == (5, True)
    assert project.cx("decide", "callback", "hold", "--reason", "no room <i>here</i>", "--as", CEM).code == 0
    page = fresh_page(project)
    assert "<i>here" not in page.read_text(encoding="utf-8")
    told = page_one(page)
    assert "Not approved This was decided without the approval of anyone" in told
    assert "against the rule's verdict ( ship ): no room <i>here</i>" in told


@pytest.mark.parametrize(
    ("words_", "code"),
    [
        (("approve", "callback", "--as", "eve@example.com"), "G121"),
        (("approve", "callback", "--as", "Analyst@example.com "), "G122"),
        (("approve", "callback", "--as", "retention@example.com"), "G122"),
        (("decide", "callback", "ship"), "G123"),
        (("decide", "callback", "stop", "--as", CEM, "--reason", " "), "G124"),
    ],
)
def test_who_may_not_sign_is_told_and_nothing_is_written(project: Project, words_: tuple[str, ...], code: str) -> None:
    registered_run(project)
    before = project.fingerprint()
    done = project.cx(*words_)
    assert (done.code, f" {code} " in done.err) == (5, True)
    assert project.fingerprint() == before


def test_what_is_not_on_record_can_t_be_signed_or_printed(project: Project) -> None:
    for words_ in (("approve", "callback"), ("decide", "callback", "ship"), ("report", "callback")):
        done = project.cx(*words_)
        assert (done.code, "U241" in done.err) == (2, True)
    done = project.cx("stop", "calback")
    assert (done.code, "U241" in done.err) == (2, True)
    done = project.cx("audit", "log", "calback")
    assert "about 'calback'" in done.err
    assert "`cxcausal list`" in done.err


def test_an_amendment_before_the_data_is_listed_and_caps_nothing(project: Project) -> None:
    registered(project)
    path = project.plan(approvers=APPROVERS, analysis={"alpha": 0.01})
    refused = project.cx("register", path)
    assert (refused.code, "G102" in refused.err, "cxcausal amend" in refused.err) == (5, True, True)
    assert "G129" in project.cx("amend", path, "--reason", "two tests").err
    done = project.cx("amend", path, "--reason", "two tests", "--results-not-seen", "--json")
    assert done.json["payload"]["changes"] == [{"key": "analysis.alpha", "before": "0.05", "after": "0.01"}]
    assert "G125" in project.cx("amend", path, "--reason", "again", "--results-not-seen").err
    project.data(customers())
    result = project.cx("run", path, "--json").json
    assert (result["verdict"], result["registered"]) == ("ship", True)
    (amendment,) = result["record"]["amendments"]
    assert (amendment["reason"], amendment["seen"]) == ("two tests", False)
    page = project.root / result["report"]
    assert "before any result was seen." in words(page)
    assert "analysis.alpha 0.05 0.01" in words(page)
    assert "Amended on" not in page_one(page)
    assert project.cx("audit", "verify").code == 0


def test_an_amendment_after_results_were_seen_caps_and_stands_on_page_one(project: Project) -> None:
    registered_run(project)
    path = project.plan(approvers=APPROVERS, analysis={"alpha": 0.1})
    denied = project.cx("amend", path, "--reason", "more power", "--results-not-seen")
    assert (denied.code, "G128" in denied.err) == (5, True)
    assert project.cx("amend", path, "--reason", "more power").code == 0
    result = project.cx("run", path, "--json").json
    assert (result["verdict"], result["registered"]) == ("pilot", False)
    told = page_one(project.root / result["report"])
    assert "by analyst@example.com ( more power ), after the results had first been analysed : analysis.alpha ." in told
    assert "Planned before the data no" in told


def test_results_that_somebody_says_they_saw_count_as_seen(project: Project) -> None:
    registered(project)
    path = project.plan(approvers=APPROVERS, analysis={"alpha": 0.01})
    assert project.cx("amend", path, "--reason", "a dashboard showed it", "--results-seen").code == 0
    project.data(customers())
    result = project.cx("run", path, "--json").json
    assert (result["verdict"], result["registered"]) == ("pilot", False)
    assert "after results had been seen" in page_one(project.root / result["report"])


def test_outcomes_that_exist_make_an_amendment_late_whatever_is_said(project: Project) -> None:
    registered(project)
    project.data(customers())
    path = project.plan(approvers=APPROVERS, analysis={"alpha": 0.01})
    assert project.cx("amend", path, "--reason", "two tests", "--results-not-seen").code == 0
    result = project.cx("run", path, "--json").json
    assert (result["verdict"], result["registered"]) == ("pilot", False)
    assert "when outcomes existed already" in page_one(project.root / result["report"])


def test_a_registration_after_the_data_stands_on_page_one(project: Project) -> None:
    data = {**PLAN["data"], "observed_until": "2026-01-31"}
    path = registered(project, data=data)
    project.data(customers())
    result = project.cx("run", path, "--json").json
    assert result["record"]["after_cut"] is True
    told = page_one(project.root / result["report"])
    assert "The data end on 2026-01-31 , before the plan was registered on" in told
    assert "Planned before the data by the record, not by dates" in told
    (note,) = project.cx("audit", "verify", "--json").json["notes"]
    assert note.startswith("callback: data of a run end on 2026-01-31, before the plan was registered on")


def test_a_plan_that_was_edited_after_its_registration_is_told_by_the_audit(project: Project) -> None:
    registered(project)
    assert project.cx("audit", "verify", "--json").json["notes"] == []
    project.plan(approvers=APPROVERS, analysis={"alpha": 0.2})
    (note,) = project.cx("audit", "verify", "--json").json["notes"]
    assert note == "experiments/callback.yaml is not the plan that was registered; amend it, or take the changes back"
