"""Ctrl-C and SIGTERM that stay what they are: a library that answers with an error of its own does not hide them."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

Previous = Callable[[int, FrameType | None], object] | int | signal.Handlers | None
Note = Callable[[int, FrameType | None], None]
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM arrived; the process leaves with 143 once everything is closed."""

    def __init__(self) -> None:
        """Carry the exit code that shells expect for SIGTERM."""
        super().__init__(TERMINATED)


class Interrupts:
    """A context manager: an error that rises after Ctrl-C or SIGTERM leaves as `KeyboardInterrupt` or `Terminated`.

    The embedded engine stops a query with a `RuntimeError` where Ctrl-C falls into it, and the keyboard's own exception
    is lost. SIGTERM, which would end the process on the spot, unwinds it in the same way. Outside the main thread
    nothing changes, nor for a signal that is ignored.

    Example:
        >>> with Interrupts() as signals:
        ...     signals.pressed
        False
    """

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self._received: list[int] = []
        self._previous: dict[int, Previous] = {}

    @property
    def pressed(self) -> bool:
        """Whether one of the signals arrived."""
        return bool(self._received)

    def __enter__(self) -> Self:
        """Note the signals before they are passed on to whoever listened so far."""
        self._previous = listening({signal.SIGINT: self._note, signal.SIGTERM: self._note})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the listeners back, and let the signal's exception rise in place of what hid it."""
        put_back(self._previous)
        if self.hidden_by(error):
            raise self.exception() from error

    def hidden_by(self, error: BaseException | None) -> bool:
        """Tell whether a signal arrived and this error rose in its place."""
        return self.pressed and isinstance(error, Exception)

    def exception(self) -> BaseException:
        """Return what the first signal stands for."""
        return Terminated() if self._received and self._received[0] == signal.SIGTERM else KeyboardInterrupt()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)
        _pass_on(self._previous.get(number), number, frame)


@contextmanager
def held() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM wait for the end of a few lines that belong together; a second one does not wait.

    Example:
        >>> try:
        ...     with held():
        ...         signal.raise_signal(signal.SIGINT)
        ...         done = True
        ... except KeyboardInterrupt:
        ...     print("afterwards", done)
        afterwards True
    """
    waiting: list[int] = []
    previous: dict[int, Previous] = {}

    def note(number: int, frame: FrameType | None) -> None:
        waiting.append(number)
        if len(waiting) > 1:
            _pass_on(previous.get(number), number, frame)

    previous |= listening({signal.SIGINT: note, signal.SIGTERM: note})
    try:
        yield
    finally:
        put_back(previous)
        if len(waiting) == 1:
            signal.raise_signal(waiting[0])


def listening(notes: Mapping[int, Note]) -> dict[int, Previous]:
    """Listen to these signals, those that are ignored apart, and return who listened before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    previous: dict[int, Previous] = {}
    for number, note in notes.items():
        if signal.getsignal(number) not in {signal.SIG_IGN, None}:
            previous[number] = signal.getsignal(number)
            signal.signal(number, note)
    return previous


def put_back(previous: dict[int, Previous]) -> None:
    """Let those listen again who listened before."""
    while previous:
        number, listener = previous.popitem()
        signal.signal(number, listener)


def _pass_on(listener: Previous, number: int, frame: FrameType | None) -> None:
    """Let who listened before answer; where nobody did, a signal is the exception that it stands for."""
    if callable(listener):
        listener(number, frame)
    elif number == signal.SIGTERM:
        raise Terminated
    else:
        raise KeyboardInterrupt
