"""No count of one to nine customers of a segment is told: not in results, MLflow's tables, the report or compare."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.results import Estimate
from cxcausal.core.small_cells import is_small
from cxcausal.pipeline.small_cells import without_small_cells
from tests.e2e.project import PLAN, Project, customers

SIDES = (("n_treated", "mean_treated"), ("n_control", "mean_control"))
METRICS = {
    "success": PLAN["metrics"]["success"],
    "secondary": [{"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}],
}


def crowd(rare: int) -> pd.DataFrame:
    """Return customers of three tiers, of whom `rare` in either arm are of the last."""
    frame = customers(1200)
    half = [("rare" if at < rare else "basic" if at < 150 else "gold") for at in range(600)]
    return frame.assign(tier=[*half, *half], spend=[float(at % 13) for at in range(1200)])


@pytest.fixture
def places(project: Project) -> tuple[dict[str, Any], Path, Project]:
    """The result of a run with seven rare customers in either arm, and where the record lies."""
    project.data(crowd(7))
    done = project.cx("run", project.plan(metrics=METRICS, segments=["tier"]), "--json")
    assert done.code == 0, done.err
    return done.json, project.root, project


def rows_in(text: str) -> list[dict[str, Any]]:
    """Return a table in CSV with its counts as numbers."""
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text)))
    return [
        {**row, **{name: int(row[name]) if row[name] else None for side in SIDES for name in side if name[0] == "n"}}
        for row in rows
    ]


def told_too_much(rows: list[dict[str, Any]]) -> list[str]:
    """Return the cells of one to nine customers that a table tells, or that its other cells leave open."""
    found = []
    for row in rows:
        for count, mean in SIDES:
            if is_small(row[count]):
                found.append(f"{row['metric']} {row['population']} {count}")
            assert (row[count] is None) <= (row[mean] in {None, ""})
    for whole in (row for row in rows if row["population"] == "all"):
        same = ("metric", "arm", "control", "scale", "method", "adjustment", "companion")
        parts = [row for row in rows if "=" in row["population"] and all(row[name] == whole[name] for name in same)]
        for count, _ in SIDES:
            unknown = [row for row in parts if row[count] is None]
            if len(unknown) == 1 and is_small(whole[count] - sum(row[count] or 0 for row in parts)):
                found.append(f"{unknown[0]['metric']} {unknown[0]['population']} {count} by subtraction")
    return found


def test_the_search_finds_what_is_told(places: tuple[dict[str, Any], Path, Project]) -> None:
    rows = places[0]["effects"]
    rare = next(row for row in rows if row["population"] == "tier=rare")
    assert told_too_much([*rows, {**rare, "n_treated": 7}])
    whole = next(row for row in rows if row["population"] == "all")
    gold, rest = {**whole, "population": "tier=gold", "n_treated": 593}, {**rare, "population": "tier=rare"}
    assert any("subtraction" in text for text in told_too_much([whole, {**gold, "n_control": 593}, {**whole, **rest}]))


def test_results_and_tables_of_the_record(places: tuple[dict[str, Any], Path, Project]) -> None:
    result, root, _ = places
    assert told_too_much(result["effects"]) == []
    rare = [row for row in result["effects"] if row["population"] == "tier=rare"]
    assert rare
    assert {(row["status"], row["point"], row["n_treated"]) for row in rare} == {("not_computed", None, None)}
    assert all("fewer than 10 customers" in row["reason"] for row in rare)
    assert any(row["population"] == "tier=gold" and row["n_treated"] for row in result["effects"])
    tables = [path for path in root.rglob("effects.csv") if ".cxcausal" in path.parts]
    assert len(tables) == 2  # the run's own, and MLflow's
    for path in tables:
        assert told_too_much(rows_in(path.read_text(encoding="utf-8"))) == []
    copies = [path for path in root.rglob("results.json") if ".cxcausal" in path.parts]
    assert len(copies) == 2
    for path in copies:
        assert told_too_much(json.loads(path.read_bytes())["effects"]) == []


def test_the_report(places: tuple[dict[str, Any], Path, Project]) -> None:
    result, root, _ = places
    pages = [root / result["report"], *root.glob(".cxcausal/artifacts/**/*.html")]
    assert len(pages) == 2
    for page in pages:
        text = page.read_text(encoding="utf-8")
        counts = re.findall(r'data-key="[^"]*\.?n_(?:treated|control)"[^>]*>([\d,]+)<', text)
        assert counts
        assert not [count for count in counts if is_small(int(count.replace(",", "")))]
        assert "fewer than 10 customers" in text


def test_compare(places: tuple[dict[str, Any], Path, Project]) -> None:
    _, _, project = places
    project.data(crowd(30))
    assert project.cx("run", "experiments/callback.yaml").code == 0
    found = project.cx("compare", "callback", "--json").json
    rare = [pair for pair in found["effects"] if pair["population"] == "tier=rare"]
    assert rare
    assert all(pair["first"]["point"] is None and pair["difference"] is None for pair in rare)
    assert all(pair["second"]["point"] is not None for pair in rare if pair["second"]["reason"] is None)


def _row(level: str, treated: int | None, control: int | None) -> Estimate:
    numbers: dict[str, Any] = {"point": 1.0, "mean_treated": 2.0, "mean_control": 1.0}
    what: dict[str, Any] = {"metric": "spend", "role": "secondary", "arm": "call", "control": "none"}
    return Estimate(
        **what, **numbers, estimand="itt", method="m", population=level, n_treated=treated, n_control=control
    )


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"a": (10, 10), "b": (50, 50)}, {"a": (10, 10), "b": (50, 50)}),
        ({"a": (10, 10), "b": (None, None)}, {"a": (10, 10), "b": (None, None)}),
        ({"a": (95, 50), "b": (None, None)}, {"a": (None, 50), "b": (None, None)}),
        ({"a": (9, 10), "b": (50, 50)}, {"a": (None, None), "b": (None, 50)}),
        ({"a": (9, 9), "b": (50, 50), "c": (40, 60)}, {"a": (None, None), "b": (50, None), "c": (None, 60)}),
        ({"a": (9, 20), "b": (8, 20), "c": (40, 60)}, {"a": (None, None), "b": (None, None), "c": (40, 60)}),
    ],
)
def test_the_smallest_of_the_others_hides_the_small_one(cells: dict[str, Any], told: dict[str, Any]) -> None:
    rows = [_row("all", 100, 100), *(_row(f"x={level}", *pair) for level, pair in cells.items())]
    found = {row.population: (row.n_treated, row.n_control) for row in without_small_cells(rows)}
    assert found == {"all": (100, 100), **{f"x={level}": pair for level, pair in told.items()}}


def test_names_that_few_customers_share_are_told_nowhere(project: Project) -> None:
    frame = customers(1200)
    places = [
        "Hermitage" if at == 3 else "Old Mill" if at in {7, 8} else "gold" if at % 2 else "basic" for at in range(1200)
    ]
    project.data(frame.assign(tier=places, spend=[float(at % 13) for at in range(1200)]))
    done = project.cx("run", project.plan(metrics=METRICS, segments=["tier"]), "--json")
    assert done.code == 0, done.err
    told = {row["population"] for row in done.json["effects"]}
    assert told == {"all", "tier=basic", "tier=gold", "tier=a value of fewer than 10 customers"}
    keys = ("population", "metric", "arm", "scale", "method", "adjustment", "trimming", "companion", "estimand")
    rows = [tuple(row[key] for key in keys) for row in done.json["effects"]]
    assert len(rows) == len(set(rows))
    assert told_too_much(done.json["effects"]) == []
    # The kept units are the data themselves, for reruns.
    record = [path for path in project.root.rglob("*") if path.suffix in {".json", ".jsonl", ".html", ".csv", ".db"}]
    record = [path for path in record if path.parent != project.root / "data"]
    assert len(record) > 5
    rare = (b"Hermitage", b"Old Mill")
    assert [path.name for path in record if any(name in path.read_bytes() for name in rare)] == []
