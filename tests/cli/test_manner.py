"""--quiet, --verbose and --log-format: the same for every verb, before it and after it, and what each leaves."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxcausal.cli import VERBS
from cxcausal.cli.manner import LOG_FORMAT_VARIABLE, Manner, manner_of
from tests.e2e.project import ROOT, Finished, Project, customers, new_project

OPTIONS = ("--quiet", "--verbose", "--log-format [text|json]")


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    return Project(root=tmp_path)


@pytest.fixture
def trial(tmp_path: Path, mlflow_template: Path) -> tuple[Project, str]:
    """A project with data and a plan."""
    made = new_project(tmp_path, mlflow_template)
    made.data(customers(400))
    return made, made.plan(retrospective=True)


def lines_of(done: Finished) -> list[dict[str, Any]]:
    """Read stderr as the lines that it must consist of."""
    return [json.loads(line) for line in done.err.splitlines()]


def told_of(done: Finished) -> list[dict[str, Any]]:
    """Return the lines but for those of stages."""
    return [line for line in lines_of(done) if line["event"] != "stage"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_documents_and_takes_the_same_options_on_either_side(empty: Project, verb: str) -> None:
    helped = empty.cx("--quiet", verb, "--help")
    assert helped.code == 0
    for option in OPTIONS:
        assert helped.out.count(f"\n  {option} ") == 1
    for words in ((verb, "--verbose", "--log-format", "json", "--help"), ("--log-format=json", verb, "--help")):
        assert empty.cx(*words).out == helped.out


def test_a_verb_below_a_verb_takes_them_too(empty: Project) -> None:
    for option in OPTIONS:
        assert option in empty.cx("audit", "verify", "--help").out
    assert empty.cx("audit", "--quiet", "verify").code == 0


@pytest.mark.parametrize(
    ("words", "environment", "wanted"),
    [
        (["run", "x", "--verbose"], {}, Manner(verbose=True)),
        (["--verbose", "run", "x"], {}, Manner(verbose=True)),
        (["run", "--json", "--quiet"], {}, Manner(as_json=True, quiet=True)),
        (["run", "--log-format", "json"], {}, Manner(log_format="json")),
        (["run", "--log-format"], {}, Manner()),
        (["run"], {LOG_FORMAT_VARIABLE: "json"}, Manner(log_format="json")),
        (["run", "--log-format=text"], {LOG_FORMAT_VARIABLE: "json"}, Manner()),
        (["run", "--", "--verbose", "--json"], {}, Manner()),
    ],
)
def test_what_is_asked_for_is_read_wherever_it_stands(
    words: list[str], environment: dict[str, str], wanted: Manner
) -> None:
    assert manner_of(words, environment) == wanted


@pytest.mark.parametrize("words", [("--quiet", "list", "--verbose"), ("list", "--verbose", "--quiet", "--json")])
def test_less_and_more_at_once_is_refused(empty: Project, words: tuple[str, ...]) -> None:
    done = empty.cx(*words)
    assert (done.code, "U204" in done.err) == (2, True)


def test_an_unknown_log_format_is_a_usage_error(empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "U200" in empty.cx("list", "--log-format", "xml").err
    monkeypatch.setenv(LOG_FORMAT_VARIABLE, "xml")
    assert empty.cx("list").code == 2


def test_quiet_leaves_results_warnings_and_problems(trial: tuple[Project, str]) -> None:
    project, plan = trial
    assert project.cx("--quiet", "new", "mine").err == ""
    assert project.cx("register", plan, "--quiet").err == ""
    ran = project.cx("run", plan, "--quiet")
    assert (ran.code, ran.err) == (0, "")
    assert "callback: PILOT" in ran.out
    assert project.cx("--quiet", "validate", "nowhere.yaml").err.startswith("nowhere.yaml:1:1 P100 ")
    units = project.cx("assign", plan, "--units", "data/callback.csv", "--out", "arms.csv", "--quiet")
    assert units.err == "warning: without a salt anyone who knows the plan can tell who is in which arm\n"


def test_verbose_tells_stages_passes_memory_and_places(trial: tuple[Project, str]) -> None:
    project, plan = trial
    done = project.cx("run", plan, "--verbose")
    assert done.code == 0
    run_id = done.out.split("\nrun ")[1].split("\n")[0]
    for words in (
        " s  reading data/callback.csv\n",
        " s  asking the data\n",
        " s  sending the run to MLflow\n",
        f"wrote run: {project.root / '.cxcausal/runs/callback' / run_id}\n",
        f"wrote ledger: {project.root / 'audit/ledger.jsonl'}\n",
        f"wrote report: {project.root / 'reports/callback' / run_id / 'index.html'}\n",
        "; memory peak: ",
    ):
        assert words in done.err
    asked = int(done.err.split("statements to the engine: ")[1].split(";")[0])
    assert asked > 5


def test_quick_work_tells_nothing(trial: tuple[Project, str]) -> None:
    project, plan = trial
    assert project.cx("plan", plan, "--base", "churn=0.2", "--units", "4000").err == ""
    assert project.cx("validate", plan).err == ""


def test_logs_are_json_lines_and_the_result_one_object(trial: tuple[Project, str]) -> None:
    project, plan = trial
    done = project.cx("run", plan, "--json", "--log-format", "json")
    assert done.json["verdict"] == "pilot"
    lines = lines_of(done)
    assert all({"time", "level", "event", "verb"} <= set(line) and line["time"].endswith("Z") for line in lines)
    stages = {line["stage"]: line for line in lines if line["event"] == "stage"}
    assert {"reading data/callback.csv", "asking the data", "recording the run"} <= set(stages)
    assert "run" not in stages["reading data/callback.csv"]
    assert stages["recording the run"]["run"] == done.json["run_id"]
    assert stages["recording the run"]["seconds"] >= 0
    last = lines[-1]
    assert (last["event"], last["code"], last["verb"]) == ("ended", 0, "run")
    assert last["statements"] > 5
    assert last["memory_peak_mb"] > 10


def test_problems_warnings_and_hints_are_lines_as_well(trial: tuple[Project, str]) -> None:
    project, plan = trial
    (bad, ended) = told_of(project.cx("validate", "nowhere.yaml", "--log-format=json"))
    assert bad == bad | {"level": "error", "event": "problem", "where": "nowhere.yaml:1:1", "code": "P100"}
    assert {"what", "mend"} <= set(bad)
    assert (ended["event"], ended["code"]) == ("ended", 3)
    (usage, _) = told_of(project.cx("--log-format", "json", "validte"))
    assert (usage["code"], "verb" in usage) == ("U203", False)
    (hint, _) = told_of(project.cx("new", "mine", "--log-format", "json"))
    assert (hint["event"], hint["level"], hint["text"][:5]) == ("hint", "info", "next:")
    units = ("assign", plan, "--units", "data/callback.csv", "--out", "arms.csv")
    warned = [line for line in lines_of(project.cx(*units, "--log-format=json")) if line["level"] == "warning"]
    assert [line["event"] for line in warned] == ["warning"]
    assert lines_of(project.cx("validate", "nowhere.yaml", "--log-format=json", "--quiet"))[-1]["event"] == "problem"


def test_secrets_of_addresses_stay_out_of_the_lines(trial: tuple[Project, str]) -> None:
    project, _ = trial
    source = {"source": "postgresql://ann:s3cr3t-canary@db.example.com/x"}
    done = project.cx("run", project.plan(data=source, retrospective=True), "--log-format", "json", "--verbose")
    assert done.code != 0
    assert lines_of(done)
    assert "s3cr3t-canary" not in done.err


def test_a_bug_is_a_line_with_its_frames_and_without_its_words(
    empty: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_path: Path) -> None:
        raise ZeroDivisionError("CUST0000007")

    def guarded(call: Callable[[], object], **_: object) -> None:
        hooks.append(sys.excepthook)
        call()

    hooks: list[Any] = []
    monkeypatch.setattr("cxcausal.cli.plan_commands.load_experiment", broken)
    monkeypatch.setattr("cxcausal.cli.run_guarded", guarded)
    with pytest.raises(ZeroDivisionError) as risen:
        empty.cx("explain", "x.yaml", "--log-format", "json", "--verbose")
    hooks[0](ZeroDivisionError, risen.value, risen.value.__traceback__)
    told = capsys.readouterr().err
    frames, problem = [json.loads(line) for line in told.splitlines()]
    assert (frames["kind"], problem["code"]) == ("ZeroDivisionError", "B100")
    assert any("plan_commands.py" in frame for frame in frames["frames"])
    assert "CUST" not in told


def test_the_variable_asks_as_the_option_does(empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOG_FORMAT_VARIABLE, "json")
    assert [line["event"] for line in lines_of(empty.cx("list"))][-1] == "ended"
    assert LOG_FORMAT_VARIABLE in empty.cx("list", "--help").out
    assert os.environ[LOG_FORMAT_VARIABLE] == "json"


def test_help_where_nothing_was_asked_for_is_a_line_as_well(empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOG_FORMAT_VARIABLE, "json")
    (usage, ended) = lines_of(empty.cx("audit"))
    assert (usage["event"], usage["text"][:6], ended["code"]) == ("usage", "Usage:", 2)


def test_nothing_but_the_voice_writes_to_stderr() -> None:
    """What goes past it is neither quiet where quiet was asked for, nor a line where lines were."""
    writers = [path.name for path in (ROOT / "cxcausal/cli").glob("*.py") if ", err=True" in path.read_text("utf-8")]
    assert writers == ["voice.py"]
