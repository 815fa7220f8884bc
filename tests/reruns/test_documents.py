"""The page about reruns: its commands run, and its schedulers call what there is."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pandas as pd
import pytest
import yaml

from tests.e2e.project import ROOT, Project, customers

PAGE = (ROOT / "docs/reruns.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_of_the_page_run(project: Project) -> None:
    (kept,) = _blocks("yaml")
    project.plan(**yaml.safe_load(kept))
    project.data(customers())
    project.data(customers(2200), "data/fresh.csv")
    project.data(customers(prefix="LATER"), "data/after.csv")
    lines = [shlex.split(line) for block in _blocks("sh") for line in block.splitlines()]
    assert len(lines) == 4
    for words in lines:
        assert words[0] == "cxcausal"
        done = project.cx(*words[1:])
        assert done.code == 0, done.err


@pytest.mark.parametrize(("code", "said"), [(0, ""), (8, "another one now"), (5, "withheld"), (4, "exit code 4")])
def test_the_script_for_cron_tells_a_flip_from_a_failure(tmp_path: Path, code: int, said: str) -> None:
    (script,) = _blocks("bash")
    (tmp_path / "weekly.sh").write_text(script)
    stand_in = tmp_path / "bin/cxcausal"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    stand_in.chmod(0o755)
    found = subprocess.run(
        ["sh", "weekly.sh", "callback"],  # noqa: S607 - the system's shell
        cwd=tmp_path,
        env={"PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == code
    assert said in found.stdout
    assert bool(found.stdout) == bool(said)
    assert (tmp_path / "rerun-callback.json").read_text().split()[:2] == ["rerun", "callback"]


def test_the_schedulers_call_rerun_with_options_that_it_has(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [_airflow(monkeypatch)["bash_command"], *_github()]
    assert len(commands) == 2
    frame = customers().assign(since="2026-01-05", until="2026-06-01")
    data = {"source": "data/callback.csv", "unit": "customer_id", "time_zero": "since", "observed_until": "until"}
    plan = project.plan(data=data)
    project.data(pd.DataFrame(frame))
    assert project.cx("run", plan).code == 0
    for command in commands:
        words = shlex.split(command.replace("{{ ds }}", "2026-06-02").partition(">")[0])
        assert words[0] == "cxcausal"
        done = project.cx(*words[1:])
        assert done.code == 0, done.err
        assert done.json["movement"]["parent"]


def _github() -> list[str]:
    (workflow,) = _blocks("yml")
    steps = yaml.safe_load(workflow)["jobs"]["rerun"]["steps"]
    return [step["run"] for step in steps if step.get("run", "").startswith("cxcausal")]


def _airflow(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the page's DAG gives its operator, by stand-ins of Airflow's modules."""
    given: dict[str, Any] = {}

    class Dag:
        def __init__(self, **_: Any) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    modules = {name: ModuleType(name) for name in ("airflow", "airflow.operators", "airflow.operators.bash")}
    vars(modules["airflow"])["DAG"] = Dag
    vars(modules["airflow.operators.bash"])["BashOperator"] = given.update
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    (source,) = _blocks("python")
    exec(compile(source, "docs/reruns.md", "exec"), {})  # noqa: S102 - our own page
    assert given["skip_on_exit_code"] == 8
    return given
