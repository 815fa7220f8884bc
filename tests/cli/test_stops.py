"""Ctrl-C in a real terminal, SIGTERM and closed pipes at any instant: a calm end, and a truthful state."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cxcausal.cli.errors import INTERRUPTED, UNREAD, run_guarded
from cxcausal.simulate.files import simulate
from cxcausal.tracking import ledger
from cxcausal.tracking.audit import audit
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.run_status import read_status
from tests.cli.terminal import AS_A_SCRIPT, ROOT, Terminal, Trial, Warm
from tests.e2e.project import Project, customers, new_project

HIDDEN, SEEN = "\x1b[?25l", "\x1b[?25h"
"""What a terminal is sent to hide its cursor, and to show it."""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
IN_MLFLOW = "import time, cxcausal.tracking.sync as s; s.send = lambda *_, **__: time.sleep(60)\n"
UNHURRIED_MLFLOW = (
    "import time, cxcausal.cli.progress_line as p, cxcausal.tracking.sync as s; p.CALM_SECONDS = 0.1; "
    "sent = s.send; s.send = lambda *a, **k: (time.sleep(1), sent(*a, **k))[1]\n"
)
"""Long enough for the line to be drawn, however fast the machine is."""
SLOW_TO_LEAVE = "import time, cxcausal.tracking.open_run as o; o._close = lambda *_, **__: time.sleep(60)\n"


def trial(folder: Path, mlflow_template: Path) -> tuple[Project, str]:
    made = new_project(folder, mlflow_template)
    made.data(customers(4_000))
    return made, made.plan(retrospective=True)


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> tuple[Project, str]:
    return trial(tmp_path / "project", mlflow_template)


def statuses(root: Path) -> dict[str, str]:
    return {folder.name: read_status(folder).status for folder in run_folders(root)}


def check_truthful(root: Path, code: int, screen: str, before: dict[str, str]) -> None:
    """Check what a run that a signal ended has left."""
    said = ESCAPES.sub("", screen)
    now = statuses(root)
    new = {run_id: status for run_id, status in now.items() if run_id not in before}
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert {run_id: now[run_id] for run_id in before} == before
    assert not list(root.rglob("*.partial"))
    assert screen.rfind(SEEN) >= screen.rfind(HIDDEN)
    assert len(new) <= 1
    finished = [run_id for run_id, status in now.items() if status == "FINISHED"]
    assert {line.payload["run_id"] for line in ledger.read(root)} == set(finished)
    assert all((root / f"reports/callback/{run_id}/index.html").exists() for run_id in finished)
    if code == 0:
        assert list(new.values()) == ["FINISHED"]
        return
    assert len(re.findall(rf"U{code} ", said)) == 1, said
    assert set(new.values()) <= {"KILLED", "FINISHED"}
    for run_id, status in new.items():
        words = f"the run {run_id} is finished and recorded" if status == "FINISHED" else f"{run_id} is marked KILLED"
        assert words in said


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    made = Warm()
    yield made
    made.close()


def test_ctrl_c_and_sigterm_at_random_instants_of_a_run(tmp_path: Path, mlflow_template: Path, warm: Warm) -> None:
    """A dozen trials over a run that takes a second or two when all is imported."""
    made, plan = trial(tmp_path / "project", mlflow_template)
    dice = random.Random(4)  # noqa: S311 - a seeded die, no secret
    for _ in range(2):  # the first tells what is imported
        began = time.monotonic()
        code, screen = warm.run(("run", plan), made.root)
        whole = time.monotonic() - began
        assert code == 0, screen
    codes = []
    for at in range(12):
        before, wait = statuses(made.root), dice.uniform(0.002, 0.8 * whole)

        def act(running: Trial, wait: float = wait, at: int = at) -> None:
            time.sleep(wait)
            with contextlib.suppress(ProcessLookupError):
                if at % 3:
                    running.press_ctrl_c()
                else:
                    os.kill(running.process, signal.SIGTERM)

        code, screen = warm.run(("run", plan), made.root, act)
        codes.append(code)
        assert code in {0, 130 if at % 3 else 143}, screen
        check_truthful(made.root, code, screen, before)
    assert len(codes) - codes.count(0) >= 4
    assert audit(made.root).problems == ()


@pytest.mark.parametrize("wait", [0.01, 0.06, 0.15, 0.5])
def test_ctrl_c_while_python_imports(project: tuple[Project, str], wait: float) -> None:
    made, plan = project
    terminal = Terminal(("run", plan), made.root)
    time.sleep(wait)
    terminal.press_ctrl_c()
    assert terminal.left_with() == 130
    check_truthful(made.root, 130, terminal.screen, {})


def test_progress_is_drawn_on_a_terminal_and_gone_at_the_end(project: tuple[Project, str], warm: Warm) -> None:
    made, plan = project
    code, screen = warm.run(("run", plan), made.root, code=UNHURRIED_MLFLOW)
    assert code == 0
    assert "sending the run to MLflow" in screen
    drawn, _, result = screen.partition("callback: PILOT")
    assert drawn.count(HIDDEN) >= 1
    assert drawn.rfind(SEEN) > drawn.rfind(HIDDEN)
    assert HIDDEN not in result
    assert ESCAPES.sub("", result).count("\n") > 3


def test_ctrl_c_while_mlflow_is_told_says_that_the_run_is_there(project: tuple[Project, str], warm: Warm) -> None:
    made, plan = project

    def act(running: Trial) -> None:
        running.wait_for("sending the run to MLflow")
        running.press_ctrl_c()

    code, screen = warm.run(("run", plan), made.root, act, IN_MLFLOW)
    assert code == 130
    check_truthful(made.root, 130, screen, {})
    (run_id,) = statuses(made.root)
    assert "index.html; `cxcausal sync` sends it to MLflow" in ESCAPES.sub("", screen)
    assert made.cx("sync", "--json").json["sent"] == [run_id]


def test_a_second_ctrl_c_leaves_at_once(project: tuple[Project, str], warm: Warm) -> None:
    made, plan = project
    began: list[float] = []

    def act(running: Trial) -> None:
        running.wait_for("sending the run to MLflow")
        for pause in (0.1, 0.5):
            running.press_ctrl_c()
            time.sleep(pause)
        os.kill(running.process, 0)  # it lives: two signals of one press are one
        began.append(time.monotonic())
        running.press_ctrl_c()

    code, screen = warm.run(("run", plan), made.root, act, SLOW_TO_LEAVE + IN_MLFLOW)
    assert code == 130
    assert time.monotonic() - began[0] < 10
    assert "left at once" in screen
    assert "Traceback" not in screen
    assert screen.rfind(SEEN) >= screen.rfind(HIDDEN)


def test_ctrl_c_leaves_one_object_and_lines_where_both_are_asked_for(project: tuple[Project, str]) -> None:
    made, plan = project
    command = [sys.executable, "-c", IN_MLFLOW + AS_A_SCRIPT.replace("os.write(1, b'>'); ", "")]
    process = subprocess.Popen(
        [*command, "run", plan, "--json", "--log-format", "json"],
        cwd=made.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[dict[str, Any]] = []
    while not lines or lines[-1].get("stage") != "recording the run":
        lines.append(json.loads(process.stderr.readline()))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143
    lines += [json.loads(line) for line in err.splitlines()]
    (problem,) = json.loads(out)["errors"]
    assert problem["code"] == "U143"
    told = [line for line in lines if line["event"] == "problem"]
    assert [{key: line[key] for key in problem} for line in told] == [problem]
    assert (lines[-1]["event"], lines[-1]["code"]) == ("ended", 143)


@pytest.mark.parametrize("words", [("schema",), ("schema", "--json"), ("schema", "--log-format", "json")])
def test_a_reader_that_leaves_early_is_no_error(words: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cxcausal", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(60) == UNREAD
    process.stderr.close()
    assert [json.loads(line)["code"] for line in err.splitlines()] == ([UNREAD] if "json" in words else [])


def test_a_stderr_that_nobody_reads_does_not_stop_a_run(project: tuple[Project, str]) -> None:
    made, plan = project
    code = "import cxcausal.cli.progress_line as p; p.CALM_SECONDS = p.TOLD_EVERY = 0.05\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code + AS_A_SCRIPT, "run", plan, "--verbose"],
        cwd=made.root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.close()
    assert b"callback: PILOT" in process.communicate(timeout=120)[0]
    assert process.returncode == 0
    assert list(statuses(made.root).values()) == ["FINISHED"]


def _pressed(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_that_falls_into_a_clean_up_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    class Cleaned:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def work() -> None:
        del made[:]
        time.sleep(5)

    made = [Cleaned()]
    began = time.monotonic()
    assert run_guarded(work, as_json=False) == INTERRUPTED
    assert time.monotonic() - began < 4
    assert capsys.readouterr().err == "command line U130 interrupted — nothing more was done\n"


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_atomic(path, b"old")
    monkeypatch.setattr(os, "fsync", _pressed)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert ([one.name for one in tmp_path.iterdir()], path.read_bytes()) == (["x.json"], b"old")


def test_an_interrupted_world_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxcausal.simulate.files._truth_json", _pressed)
    with pytest.raises(KeyboardInterrupt):
        simulate("outreach", tmp_path / "world.parquet", n=100)
    assert list(tmp_path.iterdir()) == []
