"""Replays with the units that a run kept: what became of the data is told unit by unit, and apart from the code."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cxcausal.reviewing.replaying import replay
from cxcausal.tracking import code_state
from tests.e2e.project import Project, customers, new_project
from tests.replay.test_replay import moved
from tests.resuming.stopping import newest

PLAN = "experiments/callback.yaml"
DATA = "data/callback.csv"
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Project:
    made = new_project(tmp_path_factory.mktemp("kept") / "project", mlflow_template)
    made.data(customers())
    made.plan(retrospective=True)
    assert made.cx("run", PLAN).code == 0
    return made


@pytest.fixture
def run(finished: Project, tmp_path: Path) -> Project:
    return Project(root=Path(shutil.copytree(finished.root, tmp_path / "project")))


def restated(frame: pd.DataFrame) -> pd.DataFrame:
    """Take back forty cancellations."""
    return frame.assign(churned=[0] * 40 + list(frame.churned[40:]))


def late(frame: pd.DataFrame) -> pd.DataFrame:
    """Add cancellations that came later."""
    return frame.assign(churned=list(frame.churned[:-60]) + [1] * 60)


def more(frame: pd.DataFrame) -> pd.DataFrame:
    """Add customers who came later."""
    return pd.concat([frame, customers(200, prefix="LATER")])


def erased(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave fifty customers out."""
    return frame.iloc[50:]


@pytest.mark.parametrize(
    ("change", "kind", "units"),
    [
        (restated, "DATA_RESTATED", (0, 40, 0)),
        (late, "DATA_LATE", (60, 0, 0)),
        (more, "DATA_LATE", (200, 0, 0)),
        (erased, "DATA_ERASED", (0, 0, 50)),
    ],
)
def test_units_tell_what_became_of_the_data(run: Project, change: Change, kind: str, units: tuple[int, ...]) -> None:
    run.data(change(customers()))
    before = run.fingerprint()
    found = replay(run.root, newest(run.root).name)
    assert run.fingerprint() == before
    assert found.outcome == kind
    assert {one.kind for one in found.differences} == {kind}
    assert found.units is not None
    assert (found.units.late, found.units.restated, found.units.erased) == units
    assert found.notes == ()


def test_units_tell_code_from_data(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run.data(more(customers()))
    moved(monkeypatch, 0.01)
    monkeypatch.setattr(code_state, "package_sha256", lambda: "0" * 64)
    found = replay(run.root, newest(run.root).name)
    names = {one.name.rpartition(" ")[2]: one.kind for one in found.differences if one.name.startswith("effects")}
    assert (names["point"], names["n_treated"], found.outcome) == ("CODE_CHANGED", "DATA_LATE", "CODE_CHANGED")


def test_units_stand_in_for_data_that_are_gone(run: Project) -> None:
    (run.root / DATA).unlink()
    found = replay(run.root, newest(run.root).name)
    assert found.outcome == "IDENTICAL"
    assert "not there any longer" in found.notes[0]


def test_a_rerun_is_replayed(run: Project) -> None:
    done = run.cx("rerun", "callback", "--json")
    assert done.code == 0, done.err
    assert replay(run.root, newest(run.root).name).outcome == "IDENTICAL"
