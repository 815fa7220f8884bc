"""Many processes at once, and processes that die at any moment: what is left must be true."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.interrupts import Interrupts
from cxcausal.core.results import RunResult
from cxcausal.tracking import ledger
from cxcausal.tracking.audit import audit
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.listing import list_runs
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.mlflow_sink import open_store
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.sync import sync
from cxcausal.tracking.tracker import Tracker
from cxcausal.tracking.tracking_uri import DEFAULT_URI, resolve_uri

HERE = Path(__file__).resolve().parent
SCRIPT = """
import runpy, sys
from pathlib import Path
from cxcausal.tracking.tracker import Tracker
make = runpy.run_path(sys.argv[1])["result"]
tracker = Tracker(Path(sys.argv[2]), sys.argv[4], actor="ann@example.com")
for _ in range(int(sys.argv[3])):
    with tracker.open("outreach") as store:
        store.save("flow", {"rows": 100})
        print(tracker.record(store, make(store.run_id), b"page").warnings, flush=True)
"""


def recorder(root: Path, runs: int, uri: str = DEFAULT_URI) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(HERE / "conftest.py"), str(root), str(runs), uri]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)


def run_tags(root: Path) -> list[str]:
    client = open_store(resolve_uri(root, DEFAULT_URI))
    experiment = client.get_experiment_by_name("cx/outreach")
    return sorted(run.data.tags["cx.run_id"] for run in client.search_runs([experiment.experiment_id]))


@pytest.mark.slow
def test_cold_start_of_processes_on_an_empty_store(tmp_path: Path) -> None:
    """Four processes find no MLflow store and make one together; each records twice."""
    processes = [recorder(tmp_path, 2) for _ in range(4)]
    said = [process.communicate(timeout=180)[0].split("\n") for process in processes]
    assert said == [["()", "()", ""]] * 4
    finished = [run.run_id for run in list_runs(tmp_path) if run.status == "FINISHED"]
    assert len(finished) == 8
    assert run_tags(tmp_path) == sorted(finished)
    assert audit(tmp_path).problems == ()


@pytest.mark.slow
def test_kill_9_at_random_moments(project: Path) -> None:
    """Twenty processes are killed while they record; nothing is FINISHED without files that hold."""
    dice = random.Random(11)  # noqa: S311 - a seeded die, no secret
    for _ in range(20):
        process = recorder(project, 1000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.4))
        process.kill()
        process.communicate(timeout=30)
    reap(project)
    statuses = {folder.name: read_status(folder).status for folder in run_folders(project)}
    assert set(statuses.values()) == {"FINISHED", "KILLED"}
    for folder in run_folders(project):
        if statuses[folder.name] == "FINISHED":
            verify_manifest(folder)
    finished = sorted(run_id for run_id, status in statuses.items() if status == "FINISHED")
    entered = {line.payload["run_id"] for line in ledger.read(project)}
    assert set(finished) <= entered
    for _ in range(3):
        sync(project, DEFAULT_URI)
    assert run_tags(project) == finished
    assert audit(project).problems == ()


def test_ctrl_c_between_ledger_and_status_waits_for_both(
    tmp_path: Path, make_result: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    append = ledger.append_to

    def appended_and_pressed(*words: Any) -> Any:
        line = append(*words)
        signal.raise_signal(signal.SIGINT)
        return line

    def recorded() -> None:
        tracker = Tracker(tmp_path, actor="ann@example.com")
        with Interrupts(), tracker.open("outreach") as store:
            tracker.record(store, make_result(store.run_id), b"page")

    monkeypatch.setattr(ledger, "append_to", appended_and_pressed)
    with pytest.raises(KeyboardInterrupt):
        recorded()
    (folder,) = run_folders(tmp_path)
    assert read_status(folder).status == "FINISHED"
    assert [line.payload["run_id"] for line in ledger.read(tmp_path)] == [folder.name]


def test_runs_of_dead_processes_are_closed_when_the_next_one_opens(tmp_path: Path) -> None:
    with Tracker(tmp_path).open("outreach") as store:
        dead = json.loads((store.directory / "status.json").read_bytes())
    dead.update(status="RUNNING", process=2**22 - 1)
    (store.directory / "status.json").write_text(json.dumps(dead), encoding="utf-8")
    damaged = store.directory.with_name("01AAAAAAAAAAAAAAAAAAAAAAAA")
    damaged.mkdir()
    (damaged / "status.json").write_bytes(b"{")
    with Tracker(tmp_path).open("outreach") as living:
        assert living.status().status == "RUNNING"
    assert store.status().status == "KILLED"
