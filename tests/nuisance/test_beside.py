"""Work side by side: results in order, one thread each, steps in the caller's thread, and the first error of all."""

import threading
import time

import pytest

from cxcausal.nuisance.beside import Step, nothing, side_by_side
from cxcausal.nuisance.threads import VARIABLE, threads


@pytest.fixture(params=["1", "4"])
def some_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(VARIABLE, request.param)
    return str(request.param)


def test_results_are_in_order_and_steps_in_the_caller_s_thread(some_threads: str) -> None:
    def call(number: int, step: Step) -> tuple[int, int]:
        time.sleep(0.02 * (3 - number))
        step()
        return number, threads()

    where: list[threading.Thread] = []
    calls = [lambda step, number=number: call(number, step) for number in range(3)]
    found = side_by_side(calls, lambda: where.append(threading.current_thread()), rows=10)
    assert found == [(number, 1) for number in range(3)]
    assert where == [threading.current_thread()] * 3
    assert threads() == int(some_threads)


def test_many_rows_leave_the_threads_to_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "4")
    assert side_by_side([lambda _: threads()], nothing, rows=10**7) == [4]


def test_the_first_error_is_raised_whichever_came_first(some_threads: str) -> None:
    second = threading.Event()

    def first(step: Step) -> int:
        if some_threads != "1":
            assert second.wait(5)
        raise ValueError("first")

    def later(step: Step) -> int:
        second.set()
        raise ValueError("second")

    with pytest.raises(ValueError, match="first"):
        side_by_side([first, later], nothing, rows=10)


def test_an_error_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "2")
    taken: list[int] = []

    def wrong(step: Step) -> None:
        raise ValueError("wrong")

    def long(step: Step) -> None:
        for number in range(1_000):
            time.sleep(0.01)
            step()
            taken.append(number)

    with pytest.raises(ValueError, match="wrong"):
        side_by_side([wrong, long, long], nothing, rows=10)
    assert len(taken) < 100


def test_a_step_that_raises_stops_all(some_threads: str) -> None:
    def long(step: Step) -> None:
        for _ in range(1_000):
            time.sleep(0.01)
            step()

    def refused() -> None:
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        side_by_side([long, long, long], refused, rows=10)
    assert time.monotonic() - begun < 5
