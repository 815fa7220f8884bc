"""What the operating system refuses is the environment's failure, and no bug of ours."""

import json

import pytest

from cxcausal.cli.errors import run_guarded


def raising(error: BaseException) -> int:
    def call() -> None:
        raise error

    return run_guarded(call, as_json=True)


def test_a_refusal_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(OSError(28, "No space left on device", "data/x.csv")) == 6
    said = capsys.readouterr()
    assert said.err.startswith("data/x.csv E600 the system refused: No space left on device — check space")
    assert json.loads(said.out)["errors"][0]["code"] == "E600"


def test_memory_that_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(MemoryError()) == 6
    assert capsys.readouterr().err.startswith("memory E603 the machine has no memory left for this — close other")


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())
