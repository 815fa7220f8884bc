"""Ctrl-C and SIGTERM: the first unwinds the work, a second leaves at once, and a sentence says what was kept."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from cxcausal.cli.watch import Heard
from cxcausal.core.errors import Problem
from cxcausal.core.interrupts import INTERRUPTED, TERMINATED, Terminated, listening, put_back

_SAME_PRESS = 0.3
"""Seconds in which a signal that comes twice is one: whoever started us may pass on what the terminal sent as well."""
_AGAIN_AFTER = 0.02
_READS_ONLY = frozenset({"validate", "explain", "list", "audit", "plan", "aa", "replay"})
_GO_ON = "run it again; with --resume it goes on where it was"
_SENDING = "sending runs to MLflow"


@contextmanager
def second_leaves_at_once(last_words: Callable[[], None]) -> Iterator[None]:
    """Let the first signal rise as its exception, and end the process at the second, behind a few last words.

    Where its exception falls into a place from which none can rise, such as the clean-up of an object that nobody has
    any longer, the signal is sent once more.
    """
    first: list[float] = []
    again: list[threading.Timer] = []
    others_hook = sys.unraisablehook

    def lost(what: "sys.UnraisableHookArgs") -> None:
        if isinstance(what.exc_value, KeyboardInterrupt | Terminated):
            first.clear()
            again.append(threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), code_of(what.exc_value) - 128)))
            again[-1].start()
        else:
            others_hook(what)

    def note(number: int, _: FrameType | None) -> None:
        now = monotonic()
        if not first:
            first.append(now)
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if now - first[0] > _SAME_PRESS:
            last_words()
            os._exit(128 + number)

    previous = listening({signal.SIGINT: note, signal.SIGTERM: note})
    sys.unraisablehook = lost
    try:
        yield
    finally:
        sys.unraisablehook = others_hook
        for timer in again:
            timer.cancel()  # else it may come where nobody listens any longer
        put_back(previous)


def stopped(verb: str | None, heard: Heard | None, *, by: int) -> Problem:
    """Return what was interrupted, what was kept, and how to go on.

    Args:
        verb: that was called.
        heard: what is known of its work.
        by: the exit code, which says which signal it was.

    Example:
        >>> str(stopped("plan", Heard(stopped_in="reading x.csv"), by=130))
        'command line U130 interrupted while reading x.csv; nothing was written — run it again'
    """
    how = "stopped by SIGTERM" if by == TERMINATED else "interrupted"
    if verb is None or heard is None:
        what, mend = "", "nothing more was done"
    else:
        what, mend = _left(verb, heard)
    place = f" while {heard.stopped_in}" if heard is not None and heard.stopped_in is not None else ""
    return Problem(where="command line", code=f"U{by}", what=f"{how}{place}{what}", mend=mend)


def _left(verb: str, heard: Heard) -> tuple[str, str]:
    """Return what was kept, and how to go on."""
    if heard.run_id is not None and heard.recorded:
        lies = f"its report is {heard.report}" if heard.report else "`cxcausal list --json` says where it lies"
        return f"; the run {heard.run_id} is finished and recorded", f"{lies}; `cxcausal sync` sends it to MLflow"
    if heard.run_id is not None:
        return f"; the run {heard.run_id} is marked KILLED, earlier ones are as they were", _GO_ON
    if verb == "run":
        return "; nothing was recorded", "run it again"
    if verb == "sync":
        return f"; {heard.done.get(_SENDING, 0)} runs were sent", "`cxcausal sync` goes on with the rest"
    if verb in _READS_ONLY:
        return "; nothing was written", "run it again"
    return "; what is recorded stays as it is", "run the same command again: it does only what is missing"


def code_of(error: BaseException) -> int:
    """Return the exit code of what a signal raised."""
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED
