"""A step that stands still is given up; no step begins after that."""

import threading
import time

import pytest

from cxcausal.tracking.patience import patiently


class Client:
    """Steps that take as long as they are told to, and a list of those that began."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.over = threading.Event()

    def step(self, seconds: float) -> float:
        self.began.append(seconds)
        time.sleep(seconds)
        return seconds


def test_many_steps_may_take_longer_than_one() -> None:
    client = Client()
    assert patiently(lambda one: sum(one.step(0.1) for _ in range(5)), client, seconds=0.3) == pytest.approx(0.5)


def test_one_step_that_stands_still_is_given_up_and_none_follows() -> None:
    client = Client()

    def work(one: Client) -> None:
        try:
            one.step(0.5)
            one.step(0.0)
        finally:
            client.over.set()

    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        patiently(work, client, seconds=0.1)
    assert time.monotonic() - began < 0.4
    assert client.over.wait(5)
    assert client.began == [0.5]


def test_what_the_work_raises_rises() -> None:
    def work(one: Client) -> None:
        one.step(0.0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        patiently(work, Client(), seconds=5)
