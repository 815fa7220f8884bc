"""The port of progress, and signals that wait for what belongs together."""

import signal
from pathlib import Path

import pytest

from cxcausal.core.interrupts import Interrupts, Terminated, held
from cxcausal.core.progress import Event, Progress, StageEnded
from cxcausal.core.spec.models import Csv
from cxcausal.data.csv_files import structure_of
from cxcausal.data.fingerprint import hash_inputs
from cxcausal.data.sources import Source


def test_a_stage_that_fails_says_that_it_is_not_whole() -> None:
    heard: list[Event] = []
    with pytest.raises(ZeroDivisionError), Progress(heard.append).stage("dividing"):
        _ = 1 / 0
    last = heard[-1]
    assert isinstance(last, StageEnded)
    assert (last.name, last.whole) == ("dividing", False)


def test_hashing_and_checking_tell_every_byte(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"a,b\n" + b"1,2\n" * 700_000)
    heard: list[Event] = []
    source = Source(kind="csv", files=(file,), names=("x.csv",))
    hash_inputs(source, Progress(heard.append))
    structure_of(file, "x.csv", Csv(), Progress(heard.append))
    ended = {event.name: event.done for event in heard if isinstance(event, StageEnded)}
    assert ended == {
        "hashing x.csv": file.stat().st_size,
        "checking that x.csv is whole": 0,
        "checking x.csv": file.stat().st_size,
    }


@pytest.mark.parametrize(("number", "risen"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_waits_for_what_belongs_together(number: signal.Signals, risen: type[BaseException]) -> None:
    done = []
    signals = Interrupts()

    def work() -> None:
        with signals:
            with held(), held():
                signal.raise_signal(number)
                done.append("both lines")
            done.append("never")

    with pytest.raises(risen):
        work()
    assert (done, signals.pressed) == (["both lines"], True)


def test_a_second_signal_does_not_wait() -> None:
    done = []

    def work() -> None:
        with Interrupts(), held():
            signal.raise_signal(signal.SIGINT)
            done.append("first line")
            signal.raise_signal(signal.SIGINT)
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["first line"]


def test_a_signal_rises_although_the_held_lines_fail() -> None:
    def work() -> None:
        with Interrupts(), held():
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt):
        work()


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts() as signals, held():
            signal.raise_signal(signal.SIGTERM)
        assert not signals.pressed
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_is_told_from_ctrl_c_when_a_library_hides_it() -> None:
    def hidden() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except Terminated:
            raise RuntimeError("Query interrupted") from None

    with pytest.raises(Terminated), Interrupts():
        hidden()
