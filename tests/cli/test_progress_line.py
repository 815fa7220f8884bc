"""What is told of long work: nothing at first, then where it is; stages of a counted one are not told one by one."""

import contextlib
import json
import re
import signal
import time
from collections.abc import Callable

import pytest

from cxcausal.cli import progress_line
from cxcausal.cli.manner import Manner
from cxcausal.cli.progress_line import ProgressLine, Shown
from cxcausal.cli.session import new_session
from cxcausal.cli.voice import Voice

TOSSING = Shown(name="tossing the coin", total=500, unit="", done=100, begun=0.0)


@pytest.fixture(autouse=True)
def hurried(calm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become hundredths."""
    monkeypatch.setattr(progress_line, "CALM_SECONDS", 0.05)
    monkeypatch.setattr(progress_line, "TOLD_EVERY", 0.03)


def lines_of(
    capsys: pytest.CaptureFixture[str], manner: Manner, current: Callable[[], Shown | None], seconds: float
) -> list[str]:
    line = ProgressLine(Voice(manner=manner, verb="aa"), current, time.monotonic())
    line.start()
    time.sleep(seconds)
    line.close()
    return capsys.readouterr().err.splitlines()


def test_long_work_is_told_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capsys, Manner(), lambda: TOSSING, 1.0)
    assert len(lines) >= 2
    assert all(re.match(r"\d s: tossing the coin, 100 of 500, about ", line) for line in lines)


@pytest.mark.parametrize(
    ("manner", "current", "seconds"),
    [(Manner(), lambda: TOSSING, 0.0), (Manner(quiet=True), lambda: TOSSING, 0.2), (Manner(), lambda: None, 0.2)],
)
def test_quick_work_quiet_work_and_no_work_are_not_told(
    capsys: pytest.CaptureFixture[str], manner: Manner, current: Callable[[], Shown | None], seconds: float
) -> None:
    assert lines_of(capsys, manner, current, seconds) == []


def test_lines_for_machines_have_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(lines_of(capsys, Manner(log_format="json"), lambda: TOSSING, 1.0)[0])
    assert (told["event"], told["stage"], told["done"], told["total"]) == ("progress", "tossing the coin", 100, 500)
    assert told["seconds"] > 0


def test_bytes_are_told_as_mb() -> None:
    shown = Shown(name="hashing x.csv", total=3_400_000_000, unit="bytes", done=1_200_000_000, begun=0.0)
    assert shown.far(1.0) == "1200.0 of 3400.0 MB"


def test_stages_of_a_counted_stage_are_not_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    here = new_session(Manner(log_format="json"), "aa")
    with here.watch.progress.stage("tossing the coin", total=2) as tossing:
        for _ in range(2):
            with here.watch.progress.stage("asking the data", total=3):
                tossing.advance()
    here.watch.close()
    assert [json.loads(line)["stage"] for line in capsys.readouterr().err.splitlines()] == ["tossing the coin"]


def test_ctrl_c_that_a_library_swallowed_stops_the_next_step() -> None:
    here = new_session(Manner(), "aa")

    def swallowing() -> None:
        with here.signals, here.watch.progress.stage("tossing the coin", total=9) as tossing:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            tossing.advance()
            raise AssertionError("it went on")

    with pytest.raises(KeyboardInterrupt):
        swallowing()
    here.watch.close()
    assert here.watch.heard.stopped_in == "tossing the coin"
