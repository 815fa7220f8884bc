"""The examples for schedulers: the script against every exit code, the DAG and the workflow step by step."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from cxcausal.cli import VERBS
from cxcausal.core.errors import ExitCode
from tests.e2e.project import ROOT, new_project
from tests.e2e.project import customers as drawn

SCHEDULING = ROOT / "docs/scheduling"
PAGE = (ROOT / "docs/scheduling.md").read_text(encoding="utf-8")
ANSWERS = (0, 5, 8)
CALL = ("rerun", "proactive-outreach", "--on", "data/outreach.parquet", "--json", "--log-format", "json", "--as")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the examples, and in its bin a cxcausal that ends as CODE says and notes its words."""
    shutil.copytree(SCHEDULING, tmp_path / "docs/scheduling")
    fake = tmp_path / "bin/cxcausal"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" >called\necho \'{"verdict": "hold"}\'\necho said >&2\nexit "$CODE"\n'
    )
    fake.chmod(0o755)
    return tmp_path


def bash(text: str, where: Path, **told: str) -> subprocess.CompletedProcess[str]:
    here = {**os.environ, "PATH": f"{where / 'bin'}{os.pathsep}{os.environ['PATH']}", **told}
    words = ["bash", "-e", "-o", "pipefail", "-c", text]
    return subprocess.run(words, cwd=where, env=here, capture_output=True, text=True, check=False, timeout=60)


def script(where: Path, **told: str) -> subprocess.CompletedProcess[str]:
    return bash("docs/scheduling/rerun.sh proactive-outreach data/outreach.parquet", where, **told)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 143])
def test_the_script_tells_exit_codes_apart(code: int, checkout: Path) -> None:
    done = script(checkout, CODE=str(code), CXCAUSAL_ACTOR="cron@example.com")
    assert done.returncode == code
    assert bool(done.stderr) is (code != 0)
    kept = checkout / ".cxcausal/scheduled/proactive-outreach"
    assert json.loads((kept / "result.json").read_text(encoding="utf-8")) == {"verdict": "hold"}
    assert (kept / "log.jsonl").read_text(encoding="utf-8") == "said\n"
    called = (checkout / "called").read_text(encoding="utf-8").split()
    assert called == [*CALL, "cron@example.com"]


def test_every_code_that_asks_for_something_else_has_its_own_words(checkout: Path) -> None:
    said = {script(checkout, CODE=str(code)).stderr for code in (3, 4, 5, 6, 7, 8, 130)}
    assert len(said) == 7


def test_the_script_notifies_by_a_command(checkout: Path) -> None:
    notify = checkout / "bin/notify"
    notify.write_text('#!/bin/sh\nprintf "%s|" "$@" >told\n')
    notify.chmod(0o755)
    done = script(checkout, CODE="8", CX_NOTIFY="notify")
    assert (done.returncode, done.stderr) == (8, "")
    subject, result, _ = (checkout / "told").read_text(encoding="utf-8").split("|")
    assert subject.startswith("proactive-outreach: the decision is another one")
    assert (checkout / result).is_file()


def test_the_crontab_calls_what_is_there(checkout: Path) -> None:
    lines = (SCHEDULING / "crontab").read_text(encoding="utf-8").splitlines()
    jobs = [line.split(maxsplit=5) for line in lines if re.match(r"[\d*]", line)]
    assert len(jobs) == 2
    for *when, command in jobs:
        assert all(re.fullmatch(r"[\d*,/-]+", part) for part in when)
        folder, _, rest = command.partition(" && ")
        assert folder == "cd /srv/experiments"
        assert bash(rest, checkout, CODE="0").returncode == 0
        assert rest.split()[0] == "docs/scheduling/rerun.sh" or rest.split()[1] in VERBS


@pytest.mark.skipif("rerun" not in VERBS, reason="the verb rerun is not there yet")
def test_the_script_with_the_real_command(checkout: Path, mlflow_template: Path) -> None:
    project = new_project(checkout / "project", mlflow_template)
    shutil.copytree(SCHEDULING, project.root / "docs/scheduling")
    (checkout / "bin/cxcausal").write_text(f'#!/bin/sh\nexec {sys.executable} -m cxcausal "$@"\n')
    project.data(drawn(1000))
    assert project.cx("run", project.plan()).code == 0
    text = "docs/scheduling/rerun.sh callback data/callback.csv"
    told = {"PYTHONPATH": str(ROOT), "PATH": f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = bash(text, project.root, **told, CXCAUSAL_ACTOR="cron@example.com")
    kept = project.root / ".cxcausal/scheduled/callback"
    assert done.returncode == 0, (done.stderr, (kept / "log.jsonl").read_text(encoding="utf-8"))
    result = json.loads((kept / "result.json").read_text(encoding="utf-8"))
    assert result["errors"] == []
    missing = bash("docs/scheduling/rerun.sh callback data/nothing.csv", project.root, **told)
    assert missing.returncode == 4, missing.stderr


class Operator:
    """Stands in for BashOperator, and notes what it was given."""

    made: dict[str, "Operator"]

    def __init__(self, *, task_id: str, bash_command: str, cwd: str, **options: Any) -> None:
        self.task_id, self.command, self.cwd, self.options = task_id, bash_command, cwd, options
        self.after: list[str] = []
        Operator.made[task_id] = self

    def __rshift__(self, other: "Operator") -> "Operator":
        other.after.append(self.task_id)
        return other


class Dag:
    """Stands in for DAG."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the block."""


@pytest.fixture
def dag(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the DAG's file defines, executed with stand-ins for Airflow's modules."""
    Operator.made = {}
    contents: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.sdk": {"DAG": Dag},
        "airflow.providers": {},
        "airflow.providers.standard": {},
        "airflow.providers.standard.operators": {},
        "airflow.providers.standard.operators.bash": {"BashOperator": Operator},
    }
    for name, named in contents.items():
        module = types.ModuleType(name)
        vars(module).update(named)
        monkeypatch.setitem(sys.modules, name, module)
    found: dict[str, Any] = {"__name__": "dag_of_the_docs"}
    exec(compile((SCHEDULING / "airflow_dag.py").read_text(encoding="utf-8"), "airflow_dag.py", "exec"), found)  # noqa: S102 - our own example
    return found


def test_the_dag_is_what_the_page_says(dag: dict[str, Any]) -> None:
    assert dag["dag"].options["catchup"] is False
    assert dag["dag"].options["max_active_runs"] == 1
    assert list(Operator.made) == ["rerun", "tell"]
    assert Operator.made["tell"].after == ["rerun"]
    assert {task.cwd for task in Operator.made.values()} == {"/srv/experiments"}


@pytest.mark.parametrize("code", [0, 3, 4, 5, 6, 7, 8])
def test_the_tasks_of_the_dag(code: int, checkout: Path, dag: dict[str, Any]) -> None:
    first = subprocess.run(  # as the operator does it: without -e
        ["/bin/bash", "-c", Operator.made["rerun"].command],
        cwd=checkout,
        env={**os.environ, "PATH": f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}", "CODE": str(code)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert first.returncode == (0 if code in ANSWERS else code)
    pushed = first.stdout.splitlines()[-1]
    assert pushed == str(code)
    told = bash(re.sub(r"\{\{.*?\}\}", pushed, Operator.made["tell"].command), checkout)
    assert told.returncode == (0 if code in {5, 8} else 99)
    assert bool(told.stdout) is (code in {5, 8})


@pytest.mark.parametrize("code", [0, 4, 5, 7, 8])
def test_the_steps_of_the_workflow(code: int, checkout: Path) -> None:
    flow = yaml.safe_load((SCHEDULING / "github-actions.yml").read_text(encoding="utf-8"))
    job = flow["jobs"]["rerun"]
    steps = {step["name"]: step for step in job["steps"] if "name" in step}
    assert list(steps) == ["rerun", "keep the ledger", "judge"]
    outputs = checkout / "outputs"
    ran = bash(steps["rerun"]["run"], checkout, **job["env"], CODE=str(code), GITHUB_OUTPUT=str(outputs))
    assert ran.returncode == 0, ran.stderr
    assert outputs.read_text(encoding="utf-8") == f"code={code}\n"
    judged = bash(steps["judge"]["run"], checkout, **job["env"], CODE=str(code))
    assert judged.returncode == (0 if code in ANSWERS else code)
    assert judged.stdout.startswith({0: "", 5: "::warning::", 8: "::warning::"}.get(code, "::error::"))


def test_the_workflow_commits_the_ledger(checkout: Path) -> None:
    flow = yaml.safe_load((SCHEDULING / "github-actions.yml").read_text(encoding="utf-8"))
    job = flow["jobs"]["rerun"]
    (step,) = [step for step in job["steps"] if step.get("name") == "keep the ledger"]
    remote = checkout / "remote.git"
    bash(f"git init -q --bare {remote}; git init -q; git remote add origin {remote}", checkout)
    setup = (
        "git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first && git push -q -u origin HEAD"
    )
    assert bash(setup, checkout).returncode == 0
    (checkout / "audit").mkdir()
    (checkout / "audit/ledger.jsonl").write_text("{}\n")
    for _ in range(2):  # the second time nothing has changed
        done = bash(step["run"], checkout, **job["env"])
        assert done.returncode == 0, done.stderr
    log = bash(f"git --git-dir {remote} log --format=%s --all", checkout).stdout.splitlines()
    assert log == ["Record a rerun of proactive-outreach", "first"]


def test_the_page_names_every_exit_code_and_links_to_files() -> None:
    told = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for code in codes.split(",")}
    assert told == {*(int(code) for code in ExitCode), 130, 143}
    for name in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / name).is_file()
