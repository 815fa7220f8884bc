"""Work side by side: calls that know nothing of one another, each done by one thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

from cxcausal.nuisance.threads import one_level, threads, work_beside

Found = TypeVar("Found")
Step = Callable[[], None]
"""Called where a piece of work is done; it may raise to stop all work."""
_MOST_ROWS = 100_000


def nothing() -> None:
    """Take no step."""


def side_by_side(calls: Sequence[Callable[[Step], Found]], step: Step, *, rows: int) -> list[Found]:
    """Return what calls return, each made by one thread, as many at a time as there are threads.

    What a call returns must not depend on the others. Linear algebra is kept to one thread. Over very many rows, calls
    follow one another: each keeps all threads busy by itself, and takes much memory.

    Args:
        calls: given what they call wherever a piece of their work is done, and what stops them where all is to end.
        step: called in this thread for every such piece.
        rows: that each call works on, roughly.

    Raises:
        Exception: what the first of the calls to fail, in their order, raises.

    Example:
        >>> side_by_side([lambda step: 1, lambda step: 2], nothing, rows=1)
        [1, 2]
    """
    many = min(threads(), len(calls)) if rows <= _MOST_ROWS else 1
    with one_level():
        if many <= 1:
            return [call(step) for call in calls]
        work = _Work()
        with ThreadPoolExecutor(max_workers=many, initializer=work_beside) as pool:
            futures = [pool.submit(call, work.done) for call in calls]
            try:
                work.awaited(futures, step)
            finally:
                work.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
    return _results(futures)


class _StoppedError(Exception):
    """Work was told to stop, because other work beside it failed, or nobody waits for it any longer."""


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is heard from the threads: True for a piece of work, False for the end of a call."""

    heard: SimpleQueue[bool] = field(default_factory=SimpleQueue)
    stopped: Event = field(default_factory=Event)

    def done(self) -> None:
        """Say that a piece of work is done, in the thread that did it."""
        if self.stopped.is_set():
            raise _StoppedError
        self.heard.put(True)

    def awaited(self, futures: Sequence[Future[Found]], step: Step) -> None:
        """Wait until all is done, or something failed; nothing that was heard before is lost."""
        for future in futures:
            future.add_done_callback(lambda _: self.heard.put(False))
        left = len(futures)
        while left:
            if self.heard.get():
                step()
                continue
            left -= 1
            if any(future.done() and future.exception() is not None for future in futures):
                return


def _results(futures: Sequence[Future[Found]]) -> list[Found]:
    for future in futures:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, _StoppedError):
            raise error
    return [future.result() for future in futures]
