"""The verb compare, as table, JSON and page, on runs of a project."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from cxcausal.report.keys import lookup
from tests.e2e.project import Project, customers

METRIC = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
HOSTILE = "<script>alert(1)</script>"


def ran(project: Project, **changes: Any) -> str:
    done = project.cx("run", project.plan(**changes), "--json")
    assert done.code in {0, 5}, done.err
    return str(done.json["run_id"])


@pytest.fixture
def two(project: Project) -> tuple[Project, str, str]:
    """Two runs: the second on more customers, with a weaker effect and another level."""
    project.data(customers(2000))
    first = ran(project)
    project.data(customers(3000, lift=-0.01))
    return project, first, ran(project, analysis={"alpha": 0.1})


def test_an_experiment_stands_for_its_last_two_runs(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    by_name, by_plan = (
        project.cx("compare", "callback", "--json"),
        project.cx("compare", "experiments/callback.yaml", "--json"),
    )
    found = project.cx("compare", first, second, "--json").json
    assert by_name.json == by_plan.json == found
    assert (found["first"]["run_id"], found["second"]["run_id"]) == (first, second)
    assert found["customers"] == "shared"
    (pair,) = [pair for pair in found["effects"] if pair["headline"] and pair["scale"] == "absolute"]
    assert pair["difference"] == pytest.approx(0.07)
    assert pair["beyond"] is True
    assert [change["key"] for change in found["plan"]] == ["analysis.alpha"]
    assert {"key": "rows", "kind": "changed", "first": 2000, "second": 3000} in found["data"]
    assert [change["key"] for change in found["inputs"]] == ["data/callback.csv"]
    assert found["environment"] == []
    assert "moved by more than chance explains: churn (call)" in found["sentence"]


def test_the_other_way_round_is_the_negative(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    there, back = (project.cx("compare", *words, "--json").json for words in ((first, second), (second, first)))
    for one, other in zip(there["effects"], back["effects"], strict=True):
        if one["difference"] is not None:
            assert one["difference"] == -other["difference"]
            assert (one["low"], one["high"]) == pytest.approx((-other["high"], -other["low"]))


def test_a_run_and_its_repetition_do_not_differ(project: Project) -> None:
    project.data(customers(2000))
    first, second = ran(project), ran(project)
    found = project.cx("compare", first, second, "--json").json
    assert found["customers"] == "same"
    assert all(pair["difference"] in {0.0, None} and not pair["beyond"] for pair in found["effects"])
    assert not any(found[name] for name in ("inputs", "data", "plan", "code", "environment"))
    told = project.cx("compare", first, second)
    assert told.code == 0
    assert "The decision is the same" in told.out
    assert "plan: nothing differs" in told.out


def test_as_a_table(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    told = project.cx("compare", first, second)
    assert told.code == 0
    assert re.search(r"churn: call against none +−0\.08 \(.*\) +−0\.01 \(.*\) +0\.07 \(.*\) +yes", told.out)
    assert re.search(r"analysis\.alpha +0\.05 +0\.1", told.out)
    assert "errors are not independent" in told.out


def test_a_metric_defined_anew_is_not_compared(two: tuple[Project, str, str]) -> None:
    project, first, _ = two
    frame = customers(2000)
    project.data(frame.assign(left=1 - frame["churned"]))
    second = ran(project, metrics={"success": [{**METRIC, "column": "left"}]})
    found = project.cx("compare", first, second, "--json").json
    assert {pair["reason"] for pair in found["effects"]} == {"the plans define this metric differently"}
    assert {"key": "metrics.success[churn].column", "kind": "changed", "first": "churned", "second": "left"} in found[
        "plan"
    ]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("nothing",), 2, "U231"),
        (("01J9ZK3V4M5N6P7Q8R9S0T1V2W", "01J9ZK3V4M5N6P7Q8R9S0T1V2X"), 2, "U230"),
        (("nothing", "callback"), 2, "U230"),
        (("experiments/nothing.yaml",), 3, "P"),
    ],
)
def test_what_there_is_not(words: tuple[str, ...], code: int, error: str, project: Project) -> None:
    done = project.cx("compare", *words, "--json")
    assert done.code == code, done.err
    assert done.json["errors"][0]["code"].startswith(error)


def test_a_run_that_failed_is_not_compared(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    status = project.root / f".cxcausal/runs/callback/{second}/status.json"
    status.write_text(json.dumps({**json.loads(status.read_bytes()), "status": "FAILED"}), encoding="utf-8")
    done = project.cx("compare", first, second)
    assert (done.code, "U232" in done.err) == (2, True)


def test_a_changed_run_is_refused(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    path = project.root / f".cxcausal/runs/callback/{first}/results/results.json"
    path.write_bytes(path.read_bytes().replace(b"0.05", b"0.06", 1))
    done = project.cx("compare", first, second)
    assert (done.code, "I702" in done.err) == (7, True)


class Page(HTMLParser):
    """Every number and every quote of a page with its key, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.numbers: list[tuple[str, str]] = []
        self.quotes: list[str] = []
        self.words: list[str] = []
        self._keyed = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.add(tag)
        if tag == "data":
            self.numbers.append((str(named["data-key"]), str(named["value"])))
        if tag == "bdi":
            self.quotes.append(str(named.get("data-key") or named.get("data-plan")))
        self._keyed += tag in {"data", "bdi", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._keyed -= tag in {"data", "bdi", "style"}

    def handle_data(self, data: str) -> None:
        if not self._keyed:
            self.words.append(data)


def test_as_a_page(two: tuple[Project, str, str]) -> None:
    project, first, second = two
    done = project.cx("compare", first, second, "--html", "out/compared.html", "--json")
    text = (project.root / "out/compared.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert not {"script", "link", "img", "iframe", "form"} & page.tags
    assert len(page.numbers) > 10
    for key, value in page.numbers:
        assert lookup(done.json, key) == pytest.approx(float(value), rel=0, abs=0), key
    for key in page.quotes:
        assert lookup(done.json, key) is not None or key.endswith((".first", ".second", "capped_by", "data_cut")), key
    assert not re.search(r"\d", "".join(page.words)), [word for word in page.words if re.search(r"\d", word)]


def test_a_page_of_hostile_words(project: Project) -> None:
    project.data(customers(400))
    first = ran(project)
    second = ran(project, question=f"Is {HOSTILE} a question?")
    assert project.cx("compare", first, second, "--html", "out/compared.html").code == 0
    text = (project.root / "out/compared.html").read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
