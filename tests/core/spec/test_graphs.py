"""A plan's graph: its content is part of the plan, from a file or written out, and its mistakes are the plan's."""

from pathlib import Path

import pytest

from cxcausal.cli.explained import explained
from cxcausal.core.spec.load import load_experiment
from tests.core.spec.conftest import Load, Told, write

PLAN = """schema_version: 1
id: handoff
question: Does a person keep customers?
owner: team@example.com
data: {source: data/x.parquet, unit: customer_id}
design:
  type: observational
  treatment: {column: route, control: bot, arms: {bot: {}, human: {}}}
  confounders: [tier]
  graph: graphs/x.dot
metrics:
  success: [{name: churn, type: proportion, column: churned, desired_direction: decrease}]
"""
DOT = "digraph {\n  // whoever is in trouble\n  tier -> {route churned}\n  route -> churned\n}\n"
FILE = "graphs/x.dot"


def test_the_graphs_meaning_is_part_of_the_hash_and_its_looks_are_not(load: Load) -> None:
    first = load(PLAN, {FILE: DOT})
    same = load(PLAN, {FILE: 'strict digraph G { rankdir=LR; route -> "churned"; tier -> route; tier -> churned }'})
    moved = load(PLAN.replace(FILE, "y.dot"), {"y.dot": DOT})
    other = load(PLAN, {FILE: DOT.replace("}\n}", "}\n  mood [latent]\n}").replace("route -> c", "mood -> c")})
    assert first.plan_hash == same.plan_hash == moved.plan_hash
    assert first.plan_hash != other.plan_hash
    assert first.provenance["design.graph"] == "graphs/x.dot:1:1"


def test_a_resolved_plan_shows_its_graph_and_can_be_read_back_without_the_file(load: Load, tmp_path: Path) -> None:
    first = load(PLAN, {FILE: DOT})
    shown = explained(first)
    assert "  graph: |-  # from graphs/x.dot:1:1\n    digraph {\n      route -> churned\n" in shown
    (tmp_path / FILE).unlink()
    again = load(shown)
    assert again.plan_hash == first.plan_hash
    assert again.spec == first.spec


def test_a_graph_that_is_not_there_yet_is_noted(load: Load) -> None:
    resolved = load(PLAN)
    assert getattr(resolved.spec.design, "causal_graph") is None  # noqa: B009 - of one kind of design only
    assert "The graph 'graphs/x.dot' is not there: until it is, no effect counts as identified." in resolved.notes


def test_mistakes_are_told_where_they_stand(told: Told) -> None:
    ((code, text),) = told(PLAN, {FILE: DOT.replace("route -> churned", "route -> churned -> tier")})
    assert (code, text.split(" — ")[0]) == ("P364", "the arrows go round: churned → tier → churned")
    ((code, text),) = told(PLAN.replace("graphs/x.dot", "'digraph { tier -- route }'"))
    what = "a line without an arrow can't say what causes what (line 1, sign 16 of the graph)"
    assert (code, text.split(" — ")[0]) == ("P362", what)


def test_the_place_is_that_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"configs/project.yaml": "schema_version: 1\n", "plan.yaml": PLAN, FILE: DOT.replace("->", "--")})
    with pytest.raises(Exception, match=rf"^{FILE}:3:8 P362 "):
        load_experiment(tmp_path / "plan.yaml")


@pytest.mark.parametrize(
    ("path", "told_as"),
    [
        ("../x.dot", "leaves the project"),
        ("/etc/hosts", "leaves the project"),
        ("graphs", "is no file"),
        ("a" * 5000, "can't be read"),
        ("ann@example.com.dot", "holds an e-mail address"),
        ("large.dot", "has more than 400,000 bytes"),
        ("latin.dot", "is no text in UTF-8"),
        ("link.dot", "leaves the project"),
    ],
)
def test_files_that_are_not_read(told: Told, tmp_path: Path, path: str, told_as: str) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "large.dot").write_bytes(b" " * 10_000_000)
    (tmp_path / "latin.dot").write_bytes(b"digraph { \xe9 }")
    (tmp_path / "link.dot").symlink_to("/etc/hosts")
    ((code, text),) = told(PLAN.replace(FILE, path))
    assert code == "P360"
    assert told_as in text
    assert "ann@" not in text


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("{route churned}", "{rout churned}", ["P366"]),
        ("churned", "churn", []),
        ("churned", "lost", ["P366"]),
        ("tier ->", "tier [latent] tier ->", ["P367"]),
        ("route -> ", "route [observed=no] route -> ", ["P367"]),
        ("route -> churned", "churned [observed=no] route -> churned", ["P367"]),
    ],
)
def test_plan_and_graph_say_the_same(told: Told, old: str, new: str, codes: list[str]) -> None:
    dot = DOT.replace(old, new) if old != "{route churned}" else DOT.replace("route", "rout")
    assert [code for code, _ in told(PLAN, {FILE: dot})] == codes


@pytest.mark.parametrize(
    ("segment", "codes"),
    [("mood", ["P385"]), ("calls", ["P385"]), ("route", ["P311"]), ("churned", ["P310"]), ("tier", []), ("other", [])],
)
def test_what_the_treatment_may_have_changed_makes_no_segment(told: Told, segment: str, codes: list[str]) -> None:
    dot = DOT.replace("route -> churned", "route -> mood -> calls -> churned; route -> churned")
    found = told(f"{PLAN}segments: [{segment}]\n", {FILE: dot})
    assert [code for code, _ in found] == codes
    assert all("known before anybody was treated" in text for code, text in found if code == "P385")


def test_other_designs_have_no_graph(told: Told) -> None:
    randomized = PLAN.replace("observational", "randomized").replace("  confounders: [tier]\n", "")
    assert [code for code, _ in told(randomized, {FILE: DOT})] == ["P201"]
