"""One trial: a run is killed -9 at a random instant, what is left is checked, and the run goes on."""

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.tracking import ledger
from cxcausal.tracking.audit import audit
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.mlflow_sink import open_store
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.start import START_FILE
from cxcausal.tracking.sync import sync
from cxcausal.tracking.tracking_uri import DEFAULT_URI, resolve_uri
from tests.cli.terminal import Trial, Warm
from tests.e2e.project import Project, customers, new_project
from tests.resuming.stopping import newest, stages, stored

PLAN = "experiments/callback.yaml"
MOST_KILLS = 3
"""How often one run may be killed before it is let through."""
_RECORDED = "recorded, MLflow not told"
_AT_AN_ACT = """
import os, sys
left, opened = [{count}], []
def act(event, arguments):
    if event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "sqlite3.connect", "fcntl.flock") or (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    ):
        left[0] -= 1
        if event == "os.mkdir" and "/runs/" in str(arguments[0]) and not opened:
            opened.append(left[0])
        if left[0] == 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(act)
"""
_TELL_ACTS = "import atexit\natexit.register(lambda: open('acts', 'w').write(f'{left[0]} {opened[0]}'))\n"
"""The process kills itself right before its n-th act on a file, a folder, a lock or a database."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A run that nobody disturbed: what it found, its stages' bytes, how long it took, its acts since it was opened."""

    results: dict[str, Any]
    stages: dict[str, bytes]
    seconds: float
    acts: range


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where a run was killed each time, by what it had written, and whether it went on under its own id."""

    died: tuple[str, ...]
    resumed: bool


def trial_project(root: Path, mlflow_template: Path, *, empty: bool = False) -> Project:
    """Make a project with one plan and its data; an empty one has no store yet."""
    made = new_project(root, mlflow_template)
    made.data(customers(4_000))
    made.plan(retrospective=True)
    if empty:
        (root / ".cxcausal/mlflow.db").unlink()
    return made


def reference(warm: Warm, project: Project) -> Reference:
    """Let a run through, twice: the first imports what is missing."""
    counting = (
        _AT_AN_ACT.format(count=-1)
        + "import atexit\natexit.register(lambda: open('acts', 'w').write(f'{left[0]} {opened[0]}'))\n"
    )
    for code in (counting, ""):
        began = time.monotonic()
        left, screen = warm.run(("run", PLAN), project.root, code=code)
        assert left == 0, screen
    acts, opened = (-1 - int(left) for left in (project.root / "acts").read_text().split())
    folder = newest(project.root)
    return Reference(
        results=stored(folder), stages=stages(folder), seconds=time.monotonic() - began, acts=range(opened, acts)
    )


def trial(warm: Warm, project: Project, expected: Reference, dice: random.Random, *, by_acts: float = 0.6) -> Outcome:
    """Kill a run, check what is left, and go on with it until it is through; it may be killed again on the way.

    With the chance `by_acts` it is killed before one of its acts since it was opened, else at any moment.
    """
    root, before = project.root, set(run_folders(project.root))
    died: list[str] = []
    words: tuple[str, ...] = ("run", PLAN)
    for _ in range(dice.randint(1, MOST_KILLS)):
        left, screen = _killed(warm, project, words, dice, expected, by_acts)
        assert left in {0, -signal.SIGKILL}, screen
        check_sound(root)
        new = set(run_folders(root)) - before
        assert len(new) <= 1, "one run in one folder"
        if left == 0:
            break
        died.append(_where(new))
        if died[-1] == _RECORDED:
            break
        if died[-1] not in {"nothing", "opened"}:
            words = ("run", PLAN, "--resume")
        else:
            before |= new
    if left != 0 and died[-1] != _RECORDED:
        left, screen = warm.run(words, root)
        assert left == 0, screen
    folder = newest(root)
    assert stored(folder) == expected.results
    assert stages(folder) == expected.stages
    check_sound(root)
    if died[-1:] != [_RECORDED]:  # what is half-written beside a record is nobody's to remove: its writer may live
        assert not list(folder.rglob("*.partial"))
    return Outcome(died=tuple(died), resumed="--resume" in words and died[-1:] != [_RECORDED])


def check_sound(root: Path) -> None:
    """Check that nothing is corrupt, and nothing FINISHED that the ledger and its manifest do not vouch for."""
    reap(root)
    entered = {line.payload["run_id"]: line.payload["manifest"] for line in ledger.read(root)}
    for folder in run_folders(root):
        status = read_status(folder).status
        assert status in {"FINISHED", "KILLED"}, status
        assert (status == "FINISHED") == (folder.name in entered), folder
        if status == "FINISHED":
            assert verify_manifest(folder) == entered[folder.name]
    assert audit(root).problems == ()
    store = root / ".cxcausal/mlflow.db"
    if store.exists():
        with contextlib.closing(sqlite3.connect(store)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def check_synced(root: Path) -> None:
    """Check that three calls of `sync` leave one run in MLflow for each that is finished."""
    finished = sorted(folder.name for folder in run_folders(root) if read_status(folder).status == "FINISHED")
    for _ in range(3):
        assert sync(root, DEFAULT_URI).pending == ()
    client = open_store(resolve_uri(root, DEFAULT_URI))
    experiment = client.get_experiment_by_name("cx/callback")
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    assert sorted(run.data.tags["cx.run_id"] for run in found) == finished
    assert {run.info.status for run in found} == {"FINISHED"}


def _killed(
    warm: Warm, project: Project, words: tuple[str, ...], dice: random.Random, expected: Reference, by_acts: float
) -> tuple[int, str]:
    """Run a command and kill it at a random moment, or before a random one of its acts."""
    if dice.random() < by_acts:
        act = dice.choice(expected.acts)
        return warm.run(words, project.root, code=_AT_AN_ACT.format(count=act))
    return warm.run(words, project.root, _killer(dice.uniform(0.0, 1.05 * expected.seconds)))


def _killer(wait: float) -> Callable[[Trial], None]:
    def act(running: Trial) -> None:
        time.sleep(wait)
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.process, signal.SIGKILL)

    return act


def _where(new: set[Path]) -> str:
    """Tell how far a run had come, by what it had written."""
    if not new:
        return "nothing"
    (folder,) = new
    if read_status(folder).status == "FINISHED":
        return _RECORDED
    marks = {
        "manifest.json": "manifest",
        "report/index.html": "report",
        "results/results.json": "results",
        "stages/decision.json": "decision",
        "stages/value.json": "value",
        "stages/effects.json": "effects",
        "stages/checks.json": "checks",
        "stages/data.json": "data",
        "unfinished/answers.json": "answers",
        START_FILE: "started",
    }
    return next((mark for path, mark in marks.items() if (folder / path).exists()), "opened")
