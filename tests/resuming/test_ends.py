"""However a run ends before its time, behind any stage: the right status, the right exit code, and it can go on."""

import signal
from typing import Any

import pytest

from cxcausal.core.errors import DataError, Problem
from cxcausal.tracking.audit import audit
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.run_store import RunStore
from tests.e2e.project import Project
from tests.resuming.stopping import newest, stored

PLAN = "experiments/callback.yaml"
_WRONG = Problem(where="data", code="D999", what="a value changed", mend="read it again")


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def leave() -> None:
    raise SystemExit(9)


def fail() -> None:
    raise DataError(_WRONG)


def break_down() -> None:
    raise ZeroDivisionError("CUST0000042")


ENDS = {
    "SIGINT": (press, "KILLED", "interrupted", 130),
    "SIGTERM": (terminate, "KILLED", "SIGTERM", 143),
    "sys.exit": (leave, "FAILED", "SystemExit", 9),
    "a problem": (fail, "FAILED", "DataError: D999", 4),
    "a bug": (break_down, "FAILED", "ZeroDivisionError", 1),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_run_is_told_and_it_goes_on(project: Project, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    act, status, reason, code = ENDS[end]
    with monkeypatch.context() as here:
        for name in ("save", "keep"):
            write = getattr(RunStore, name)

            def written(store: RunStore, made: str, payload: Any, *, write: Any = write) -> None:
                write(store, made, payload)
                if made == "effects":
                    act()

            here.setattr(RunStore, name, written)
        if end == "a bug":
            with pytest.raises(ZeroDivisionError):
                project.cx("run", PLAN)
        else:
            assert project.cx("run", PLAN).code == code
    folder = newest(project.root)
    found = read_status(folder)
    assert (found.status, found.reason) == (status, reason)
    assert audit(project.root).problems == ()
    done = project.cx("run", PLAN, "--resume", "--json")
    assert (done.code, done.json["run_id"]) == (0, folder.name)
    assert read_status(folder).status == "FINISHED"
    assert stored(folder)["verdict"] == "pilot"
    assert audit(project.root).problems == ()
