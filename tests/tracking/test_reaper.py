"""Runs of dead processes: finished where the ledger vouches for them, killed otherwise."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from cxcausal.core.errors import MachineError
from cxcausal.core.results import RunResult
from cxcausal.tracking import ledger
from cxcausal.tracking.files import write_over
from cxcausal.tracking.listing import list_runs
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.run_store import RunStore
from cxcausal.tracking.sync import sync
from cxcausal.tracking.tracker import Recorded, Tracker

NOWHERE = "http://127.0.0.1:9"
MakeResult = Callable[..., RunResult]


def record(root: Path, make_result: MakeResult) -> Recorded:
    tracker = Tracker(root, NOWHERE, actor="ann@example.com")
    with tracker.open("outreach") as store:
        return tracker.record(store, make_result(store.run_id), b"page")


def orphaned(directory: Path) -> None:
    """Say that the run is still at work in a process that there never was."""
    status = {**json.loads((directory / "status.json").read_bytes()), "status": "RUNNING", "process": 2**22 + 1}
    (directory / "status.json").write_text(json.dumps({**status, "ended_at": None}), encoding="utf-8")


def test_a_run_that_the_ledger_has_is_finished(tmp_path: Path, make_result: MakeResult) -> None:
    recorded = record(tmp_path, make_result)
    orphaned(recorded.directory)
    assert reap(tmp_path, "another") == ()
    assert reap(tmp_path) == (recorded.run_id,)
    assert read_status(recorded.directory).status == "FINISHED"


@pytest.mark.parametrize("harm", ["no line", "other files"])
def test_a_run_that_it_cannot_vouch_for_is_killed(tmp_path: Path, make_result: MakeResult, harm: str) -> None:
    recorded = record(tmp_path, make_result)
    orphaned(recorded.directory)
    if harm == "no line":
        ledger.ledger_path(tmp_path).unlink()
    else:
        recorded.report.write_bytes(b"another page")
    assert [run.status for run in list_runs(tmp_path)] == ["KILLED"]
    assert read_status(recorded.directory).status == "KILLED"


def interrupted(store: RunStore, tracker: Tracker, result: RunResult) -> None:
    tracker._enter(store, result, b"<p>", None)
    raise KeyboardInterrupt


def test_a_failure_after_the_ledger_has_the_run_leaves_it_finished(tmp_path: Path, make_result: MakeResult) -> None:
    tracker = Tracker(tmp_path, NOWHERE, actor="ann@example.com")
    with pytest.raises(KeyboardInterrupt), tracker.open("outreach") as store:
        interrupted(store, tracker, make_result(store.run_id))
    assert store.status().status == "FINISHED"


def test_sync_closes_what_died_and_sends_it(project: Path, make_result: MakeResult) -> None:
    recorded = record(project, make_result)
    orphaned(recorded.directory)
    assert sync(project, "sqlite:///.cxcausal/mlflow.db").sent == (recorded.run_id,)


def test_a_store_that_was_lost_is_made_anew(project: Path, make_result: MakeResult, mlflow_template: Path) -> None:
    recorded, uri = record(project, make_result), "sqlite:///.cxcausal/mlflow.db"
    assert sync(project, uri).sent == (recorded.run_id,)
    assert sync(project, uri).sent == ()
    (project / ".cxcausal/mlflow.db").write_bytes(mlflow_template.read_bytes())
    assert sync(project, uri).sent == (recorded.run_id,)


def test_a_disk_without_room_takes_a_status_over_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    def save(store: RunStore) -> None:
        monkeypatch.setattr(os, "replace", full)
        store.save("flow", {"rows": 1})

    with pytest.raises(MachineError), Tracker(tmp_path, NOWHERE).open("outreach") as store:
        save(store)
    assert (store.status().status, store.status().reason) == ("FAILED", "MachineError: E601")
    assert not write_over(tmp_path / "absent.json", b"{}")
    assert not (tmp_path / "absent.json").exists()


def test_a_folder_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    def save(store: RunStore) -> None:
        shutil.rmtree(store.directory)
        store.save("flow", {"rows": 1})

    with pytest.raises(MachineError, match="E601 could not find"), Tracker(tmp_path).open("outreach") as store:
        save(store)
    assert not store.directory.exists()
