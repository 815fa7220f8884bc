"""Units kept of the shipped plans, and of one over event tables, give back the effects that the data gave."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import PlanError
from cxcausal.core.plan_hash import hash_of
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.resolve import spec_of
from cxcausal.data import open_dataset
from cxcausal.data.kept import keep_units
from cxcausal.data.movements import between
from cxcausal.pipeline.movement import effects_in
from cxcausal.simulate import simulate
from tests.data.test_events import COLUMNS, SOURCES, world
from tests.e2e.project import ROOT
from tests.e2e.test_events import METRICS

MOST = 1_000_000


def _agrees(spec: ExperimentSpec, root: Path, folder: Path, on: str | None = None) -> None:
    with open_dataset(spec, root, on=on, data_roots=(ROOT.parent / "shared",)) as dataset:
        kept = keep_units(dataset, spec, folder / "kept", b"k" * 32, MOST)
        told = effects_in(spec, dataset)
    assert told
    assert kept.path is not None
    with between(kept.path, kept.path, spec, folder) as both:
        again = effects_in(spec, both.dataset(both.table("same"), "same"))
    assert again.keys() == told.keys()
    for contrast, row in told.items():
        assert again[contrast].point == pytest.approx(row.point, rel=1e-12, abs=1e-15)
        for name, value in asdict(row).items():
            close = pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
            assert getattr(again[contrast], name) == close, (contrast, name)


def test_the_outreach_plan(tmp_path: Path) -> None:
    spec = load_experiment(ROOT / "experiments/proactive_outreach.yaml", root=ROOT).spec
    world_ = simulate("outreach", tmp_path / "outreach.parquet", n=6000, seed=3)
    _agrees(spec, ROOT, tmp_path, on=str(world_.data))


@pytest.mark.parametrize("name", ["incentive_results", "hillstrom", "star"])
def test_a_plan_over_public_data(tmp_path: Path, shared_data: Path, name: str) -> None:
    assert shared_data.is_dir()
    _agrees(load_experiment(ROOT / f"experiments/{name}.yaml", root=ROOT).spec, ROOT, tmp_path)


def test_a_plan_over_event_tables(tmp_path: Path) -> None:
    world(tmp_path)
    window = {"start": "0d", "end": "28d"}
    made = {name: COLUMNS[name] for name in ("left", "spend", "orders", "large", "spend_pre", "last_shop")}
    spec = ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "callback",
            "question": "Does a call within a day keep customers?",
            "owner": "retention@example.com",
            "data": {
                "source": "data/assigned.parquet",
                "unit": "customer",
                "time_zero": "assigned_at",
                "observed_until": "until",
                "events": {"columns": made, "sources": SOURCES},
            },
            "design": {
                "type": "randomized",
                "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "call": {}}},
            },
            "covariates": ["spend_pre"],
            "metrics": {
                role: [{**metric, "window": window} for metric in planned] for role, planned in METRICS.items()
            },
        }
    )
    _agrees(spec, tmp_path, tmp_path)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_stored_plan_is_read_as_the_plan_that_it_was(path: Path) -> None:
    resolved = load_experiment(path, root=ROOT)
    stored = json.loads(canonical_json(resolved.plan))
    assert spec_of(stored) == resolved.spec
    assert hash_of(stored) == resolved.plan_hash
    assert hash_of({**stored, "reruns": {"keep_units": False}}) == resolved.plan_hash


def test_a_stored_plan_of_another_version_is_refused() -> None:
    with pytest.raises(PlanError, match="R814"):
        spec_of({"schema_version": 1, "colour": "blue"})
