"""What a newcomer meets: help where nothing was asked for, next steps, refusals, and Ctrl-C."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from cxcausal.cli.errors import INTERRUPTED, run_guarded
from cxcausal.core.errors import DataError, Problem
from cxcausal.core.interrupts import Interrupts
from cxcausal.tracking.open_run import OpenRun
from tests.e2e.project import Project


def _swallowed() -> None:
    """Press Ctrl-C where a library answers with an error of its own."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted") from None


def _refused_after() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise DataError(Problem(where="x", code="D121", what="a file is damaged", mend="export again")) from None


def _aborted() -> None:
    raise click.Abort


@pytest.mark.parametrize("call", [_swallowed, _refused_after, _aborted])
def test_an_interruption_is_told_as_one_whatever_hides_it(
    call: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_guarded(call, as_json=False) == INTERRUPTED
    assert capsys.readouterr().err == "command line U130 interrupted — nothing more was done\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interruption_leaves_one_object_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(_swallowed, as_json=True) == INTERRUPTED
    (problem,) = json.loads(capsys.readouterr().out)["errors"]
    assert (problem["code"], problem["what"]) == ("U130", "interrupted")


def test_an_error_without_an_interruption_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Interrupts():
        _ = 1 / 0


def test_a_run_that_was_interrupted_inside_a_library_is_killed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), OpenRun(tmp_path, "trial") as store:
        _swallowed()
    assert (store.status().status, store.status().reason) == ("KILLED", "interrupted")


@pytest.mark.parametrize("words", [(), ("audit",)])
def test_a_bare_group_shows_its_help_and_no_problem(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = Project(root=tmp_path).cx(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: cxcausal ")
    assert "U200" not in done.err


def test_an_option_before_the_verb_is_sent_behind_it(tmp_path: Path) -> None:
    done = Project(root=tmp_path).cx("--json", "run", "x.yaml")
    assert done.code == 2
    assert "options stand after the verb" in done.err


def test_new_and_list_say_where_and_what_next(tmp_path: Path) -> None:
    listed = Project(root=tmp_path).cx("list")
    assert (listed.code, listed.out) == (0, "")
    assert listed.err.startswith(f"no plans under {tmp_path / 'experiments'};")
    made = Project(root=tmp_path).cx("new", "trial", "--out", "trial.yaml")
    assert made.out == "wrote trial.yaml\n"
    assert made.err.endswith("then `cxcausal validate trial.yaml`\n")


def test_a_world_is_written_under_the_name_of_what_it_is(tmp_path: Path) -> None:
    done = Project(root=tmp_path).cx("simulate", "outreach", "--out", "data/x.csv", "--n", "100")
    assert done.code == 2
    assert "U211 'data/x.csv' would hold Parquet under another name — let it end in .parquet" in done.err
    assert not (tmp_path / "data").exists()


def test_a_missing_file_is_named_where_it_was_looked_for(tmp_path: Path) -> None:
    Project(root=tmp_path).cx("new", "trial", "--out", "plans/trial.yaml")
    done = Project(root=tmp_path).cx("run", "plans/trial.yaml")
    assert done.code == 4
    assert done.err.endswith(f"check the path; it was looked for at {tmp_path / 'data/trial.parquet'}\n")
