"""Ctrl-C that stays Ctrl-C: a library that answers it with an error of its own does not hide it."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

Previous = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Interrupts:
    """A context manager: an error that rises after Ctrl-C was pressed leaves as `KeyboardInterrupt`.

    The embedded engine stops a query with a `RuntimeError` where Ctrl-C falls into it, and the keyboard's own exception
    is lost. Outside the main thread, and where Ctrl-C is ignored, nothing changes.

    Example:
        >>> with Interrupts() as keyboard:
        ...     keyboard.pressed
        False
    """

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self.pressed = False
        self._previous: Previous = None

    def __enter__(self) -> Self:
        """Note Ctrl-C before it is passed on to whoever listened so far."""
        listening = threading.current_thread() is threading.main_thread()
        if listening and callable(signal.getsignal(signal.SIGINT)):
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the listener back, and let the keyboard's exception rise in place of what hid it."""
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None
        if self.hidden_by(error):
            raise KeyboardInterrupt from error

    def hidden_by(self, error: BaseException | None) -> bool:
        """Tell whether Ctrl-C was pressed and this error rose in its place."""
        return self.pressed and isinstance(error, Exception)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        if callable(self._previous):
            self._previous(number, frame)
