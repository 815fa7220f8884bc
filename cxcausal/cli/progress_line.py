"""The line that tells how far long work is: one that changes on a terminal, and else one every few seconds."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from cxcausal.cli.voice import Voice
from cxcausal.core.interrupts import held
from cxcausal.core.wording import count

if TYPE_CHECKING:
    from rich.progress import Progress as Drawn

CALM_SECONDS = 2.0
"""Work that is over sooner is not worth a word."""
TOLD_EVERY = 10.0
_DRAWN_EVERY = 0.2
_PATIENCE = 1.0
_MB = 1_000_000
_SURE_AFTER = 3.0
"""Seconds after which a guess at the time that is left is worth telling."""
_SURE_FROM = 10
"""Steps from which it is: the passes of a few are unlike one another."""
_RESTORED = "\r\x1b[2K\x1b[?25h"
"""The terminal's own words for an empty line and a cursor that can be seen."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The stage that is told: how much is done of how much, and since when, by the monotonic clock."""

    name: str
    total: int | None
    unit: str
    done: int
    begun: float

    def far(self, now: float) -> str:
        """Return how far it is, in words.

        Example:
            >>> Shown(name="tossing", total=500, unit="", done=100, begun=0.0).far(20.0)
            '100 of 500, about 80 s to go'
        """
        passed = now - self.begun
        parts = [] if self.total is None else [self._done_of(self.total)]
        if self.total and self.done >= _SURE_FROM and passed > _SURE_AFTER:
            parts.append(f"about {count(round(passed / self.done * max(self.total - self.done, 0)))} s to go")
        return ", ".join(parts)

    def _done_of(self, total: int) -> str:
        if self.unit == "bytes":
            return f"{self.done / _MB:.1f} of {total / _MB:.1f} MB"
        return f"{count(self.done)} of {count(total)}"


class ProgressLine:
    """A thread that looks what is being done and tells it; it never keeps the work waiting.

    Nothing is shown before `CALM_SECONDS` of the verb's own time, nor where `--quiet` asked for nothing.
    """

    def __init__(self, voice: Voice, current: Callable[[], Shown | None], begun: float) -> None:
        """Show nothing yet.

        Args:
            voice: tells lines where there is no terminal.
            current: returns what is being done, or None; asked from another thread.
            begun: when the verb began, by the monotonic clock.
        """
        self._voice, self._current, self._begun = voice, current, begun
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._drawn: Drawn | None = None
        self._ever_drawn = False

    def start(self) -> None:
        """Begin to look, unless that has begun already."""
        if self._thread is None and not self._closing.is_set() and not self._voice.manner.quiet:
            self._thread = threading.Thread(target=self._look, name="cxcausal-progress", daemon=True)
            self._thread.start()

    def hide(self) -> None:
        """Take the line from the terminal until it is drawn again."""
        if self._drawn is not None and threading.current_thread() is not self._thread:
            with held():
                if self._lock.acquire(timeout=_PATIENCE):  # a terminal that was told to wait keeps the drawing thread
                    try:
                        self._erase()
                    finally:
                        self._lock.release()

    def close(self) -> None:
        """End for good, and leave the terminal as it was."""
        self._closing.set()
        self.hide()
        if self._thread is not None:
            self._thread.join(timeout=_PATIENCE)
        self.restore()

    def restore(self, *, also_keys: bool = False) -> None:
        """Give the terminal its cursor back, whatever was being drawn; `also_keys` takes the ^C away that it shows."""
        if self._ever_drawn or (also_keys and self._voice.manner.log_format == "text" and is_terminal()):
            with suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), _RESTORED.encode())

    def _look(self) -> None:
        on_terminal = self._voice.manner.log_format == "text" and is_terminal()
        self._closing.wait(max(self._begun + CALM_SECONDS - monotonic(), 0.0))
        with suppress(OSError, ValueError):  # nobody reads stderr any longer
            while not self._closing.is_set():
                if on_terminal:
                    self._draw()
                else:
                    self._say()
                self._closing.wait(_DRAWN_EVERY if on_terminal else self._pause())

    def _pause(self) -> float:
        """Return for how long nothing is said: until the next stage where none is open now."""
        return TOLD_EVERY if self._current() is not None else _DRAWN_EVERY

    def _say(self) -> None:
        shown = self._current()
        if shown is not None:
            now = monotonic()
            facts = {"stage": shown.name, "seconds": round(now - shown.begun, 3), "done": shown.done}
            words = ", ".join(part for part in (shown.name, shown.far(now)) if part)
            self._voice.tell("info", "progress", f"{self._passed(now)}: {words}", total=shown.total, **facts)

    def _draw(self) -> None:
        with self._lock:
            shown = self._current()
            if shown is None or self._closing.is_set():
                self._erase()
                return
            if self._drawn is None:
                self._drawn, self._ever_drawn = _line(shown.name), True
                self._drawn.start()
            (task,) = self._drawn.task_ids
            told = {"description": shown.name, "total": shown.total, "completed": shown.done}
            now = monotonic()
            far = "  ".join(part for part in (self._passed(now), shown.far(now)) if part)
            self._drawn.update(task, far=far, **told)  # type: ignore[arg-type]
            self._drawn.refresh()

    def _passed(self, now: float) -> str:
        return f"{count(round(now - self._begun))} s"

    def _erase(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None


def is_terminal() -> bool:
    """Tell whether stderr is a terminal on which a line can be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _line(name: str) -> "Drawn":
    """Return a line of a spinner, the stage, a bar and how far it is."""
    from rich.console import Console  # noqa: PLC0415 - 50 ms that only long work on a terminal pays
    from rich.progress import BarColumn, SpinnerColumn, TextColumn  # noqa: PLC0415 - see above
    from rich.progress import Progress as Drawn  # noqa: PLC0415 - see above

    drawn = Drawn(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[far]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    drawn.add_task(name, total=None, far="")
    return drawn
