"""Patience with a store: work that has stood still for a while is given up, and no further step of it begins."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How many seconds one step may take, and how many to wait for others who are at work with the same store."""

    step: float
    turn: float


class Watched:
    """Passes calls on to a client, remembers when the last one ended, and refuses any that begin after `stop`."""

    def __init__(self, client: object) -> None:
        """Watch a client that is about to be used by one thread."""
        self._client = client
        self._stopped = False
        self.stirred = time.monotonic()

    def stop(self) -> None:
        """Let no further call begin."""
        self._stopped = True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client's method is
        """Return the client's method, watched."""
        method = getattr(self._client, name)

        def call(*given: object, **named: object) -> object:
            if self._stopped:
                raise TimeoutError("given up")
            try:
                return method(*given, **named)
            finally:
                self.stirred = time.monotonic()

        return call


def patiently(work: Callable[[Any], Found], client: object, *, seconds: float) -> Found:
    """Return `work(client)`, done in a thread of its own, unless one call of the client takes too long.

    A socket's timeout is not enough: a server that sends a byte now and then never runs into it.

    Args:
        work: is given the client; whatever it raises rises here.
        client: its methods are the steps.
        seconds: how long one step may take.

    Raises:
        TimeoutError: a step took longer; the thread is left behind, and ends with the step it is in.

    Example:
        >>> patiently(lambda text: text.upper(), "done", seconds=1)
        'DONE'
    """
    watched, future = Watched(client), Future[Found]()
    threading.Thread(target=_settle, args=(future, work, watched), daemon=True).start()
    try:
        while (left := watched.stirred + seconds - time.monotonic()) > 0:
            if _ended(future, left):
                return future.result()
        raise TimeoutError(f"no answer within {seconds:g} s")
    finally:
        watched.stop()


def _settle(future: "Future[Found]", work: Callable[[Any], Found], watched: Watched) -> None:
    """Do the work and hand over what came of it; the error is raised again in the thread that waits."""
    try:
        future.set_result(work(watched))
    except BaseException as error:  # noqa: BLE001 - nothing is swallowed: `future.result()` raises it
        future.set_exception(error)


def _ended(future: "Future[Found]", seconds: float) -> bool:
    """Wait for the work, and tell whether it has ended."""
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    return ended.wait(seconds)
