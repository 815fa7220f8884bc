"""One experiment over event tables and over the flat table that they make: the same numbers, and the same record."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.data.test_events import COLUMNS, SOURCES, twin, world
from tests.e2e.project import Project, new_project

WINDOW = {"start": "0d", "end": "28d"}
METRICS: dict[str, list[dict[str, Any]]] = {
    "success": [{"name": "left", "type": "proportion", "column": "left", "desired_direction": "decrease"}],
    "guardrails": [
        {
            "name": "large",
            "type": "count",
            "column": "large",
            "desired_direction": "increase",
            "margin": {"absolute": 0.5},
        }
    ],
    "secondary": [
        {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase", "covariate": "spend_pre"},
        {
            "name": "basket",
            "type": "ratio",
            "numerator": "spend",
            "denominator": "orders",
            "desired_direction": "increase",
        },
    ],
}
MADE = {name: COLUMNS[name] for name in ("left", "spend", "orders", "large", "spend_pre", "last_shop")}
DATA = {"source": "data/assigned.parquet", "unit": "customer", "time_zero": "assigned_at", "observed_until": "until"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def _run(project: Project, name: str, data: dict[str, Any], days: int) -> dict[str, Any]:
    window = {"start": "0d", "end": f"{days}d"}
    metrics = {role: [{**metric, "window": window} for metric in planned] for role, planned in METRICS.items()}
    plan = project.plan(
        name=name, data=data, metrics=metrics, covariates=["spend_pre"], segments=["last_shop"], retrospective=True
    )
    done = project.cx("run", plan, "--json")
    assert done.code == 0, done.err
    result: dict[str, Any] = done.json
    return result


def test_events_and_the_flat_table_give_the_same_effects(project: Project) -> None:
    frames = world(project.root)
    project.write("configs/data_sources.yaml", _sources())
    over_events = _run(project, "events", {**DATA, "events": {"columns": MADE}}, 28)
    flat = twin(frames)
    # Rows settle three days after a window: the flat table says so by counting them as observed for less long.
    flat["until"] = flat["until"] - pd.Timedelta(days=3)
    flat.drop(columns="mature").to_parquet(project.root / "data/flat.parquet")
    over_rows = _run(project, "flat", {**DATA, "source": "data/flat.parquet"}, 28)
    assert len(over_events["effects"]) == len(over_rows["effects"]) > 20
    for mine, theirs in zip(over_events["effects"], over_rows["effects"], strict=True):
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            told = pytest.approx(theirs[key], rel=1e-9, abs=1e-12) if isinstance(value, float) else theirs[key]
            assert value == told, (mine["metric"], mine["population"], key)
    assert {name for name, _ in over_events["data"]["inputs"]} == {
        "data/assigned.parquet",
        "data/orders.parquet",
        "data/exits.csv",
    }


def test_a_plan_over_events_can_be_tossed_anew(project: Project) -> None:
    world(project.root)
    project.write("configs/data_sources.yaml", _sources())
    plan = project.plan(data={**DATA, "events": {"columns": MADE}}, metrics=_windowed(), retrospective=True)
    done = project.cx("aa", plan, "--replicates", "20", "--quiet", "--json")
    assert done.code == 0, done.err
    assert done.json["tosses"] == 20


def test_the_resolved_plan_holds_what_the_sources_mean(project: Project) -> None:
    world(project.root)
    project.write("configs/data_sources.yaml", _sources())
    plan = project.plan(data={**DATA, "events": {"columns": MADE}}, metrics=_windowed())
    before = project.cx("explain", plan)
    assert "settles_after: 3d  # from configs/data_sources.yaml:" in before.out
    assert "start: -28d" in before.out
    project.write("configs/data_sources.yaml", _sources().replace("settles_after: 3d", "settles_after: 4d"))
    after = project.cx("explain", plan, "--json")
    assert after.json["plan_hash"] not in before.out


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"left": {"source": "exit", "aggregate": "any"}}, "P340 data.events.columns.left.source: there is no event"),
        ({"left": {"source": "exits", "aggregate": "sum"}}, "P342 'left' is the sum of nothing"),
        ({"left": {"source": "exits", "aggregate": "any", "value": "x"}}, "P342 'left' is 'any' of the events"),
        ({"left": {"source": "exits", "aggregate": "any", "where": "import os"}}, "P319"),
        ({"spare": {"source": "exits", "aggregate": "any"}}, "P343 'spare' has no window"),
        ({"left": {"source": "exits", "aggregate": "any", "window": {"end": "9d"}}}, "P343 metric 'left' and"),
        ({"customer": {"source": "exits", "aggregate": "any", "window": {"end": "0d"}}}, "P345 'customer' is an id"),
    ],
)
def test_bad_columns_of_events_are_told_with_their_place(project: Project, columns: dict[str, Any], told: str) -> None:
    project.write("configs/data_sources.yaml", _sources())
    success = {"success": _windowed()["success"]}
    done = project.cx("validate", project.plan(data={**DATA, "events": {"columns": columns}}, metrics=success))
    assert (done.code, told in done.err) == (3, True), done.err


def test_what_happened_later_is_no_covariate(project: Project) -> None:
    project.write("configs/data_sources.yaml", _sources())
    columns = {**MADE, "spend_pre": {**COLUMNS["spend_pre"], "window": {"start": "-28d", "end": "1d"}}}
    plan = project.plan(data={**DATA, "events": {"columns": columns}}, metrics=_windowed(), covariates=["spend_pre"])
    done = project.cx("validate", plan)
    assert done.code == 3
    assert "P344 'spend_pre' is made of events after time zero" in done.err


def _windowed() -> dict[str, Any]:
    return {role: [{**metric, "window": WINDOW} for metric in planned] for role, planned in METRICS.items()}


def _sources() -> str:
    lines = ["schema_version: 1", "sources:"]
    for name, source in SOURCES.items():
        lines += [f"  {name}:", *(f"    {key}: {value}" for key, value in source.items())]
    return "\n".join(lines) + "\n"
