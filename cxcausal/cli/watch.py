"""The listener of the command line: what it hears of the work, and what of it is told."""

import resource
import sys
from dataclasses import dataclass, field
from time import monotonic

from cxcausal.cli.progress_line import ProgressLine, Shown
from cxcausal.cli.voice import Voice
from cxcausal.core.interrupts import Interrupts
from cxcausal.core.progress import (
    Event,
    Progress,
    Queried,
    RunOpened,
    RunRecorded,
    StageAdvanced,
    StageBegan,
    StageEnded,
    Wrote,
)

_PER_MB = 1 << (20 if sys.platform == "darwin" else 10)
"""The system counts memory in bytes there, and in KiB elsewhere."""
_WORTH_TELLING = 0.005
"""Seconds of a stage from which people are told of it."""


@dataclass(kw_only=True)
class Heard:
    """What is known of the work so far.

    Attributes:
        run_id: of the run that was opened. recorded: whether it is FINISHED. report: where its page lies.
        stopped_in: the innermost stage that ended before its end. done: how much of each stage is done, by its name.
        statements: how often the engine was asked.
    """

    run_id: str | None = None
    recorded: bool = False
    report: str | None = None
    stopped_in: str | None = None
    done: dict[str, int] = field(default_factory=dict)
    statements: int = 0


@dataclass(kw_only=True)
class _Open:
    name: str
    total: int | None
    unit: str
    begun: float
    done: int = 0


class Watch:
    """Hears the events of one verb; what is shown while it works is `ProgressLine`'s.

    Stages inside one that is counted (such as the passes of each of 500 tosses) are not told one by one.
    """

    def __init__(self, voice: Voice, signals: Interrupts) -> None:
        """Hear nothing yet; `signals` says whether to stop, also where a library swallowed Ctrl-C."""
        self.heard = Heard()
        self.progress = Progress(self._hear)
        self._voice, self._signals, self._begun = voice, signals, monotonic()
        self._stack: list[_Open] = []
        self._line = ProgressLine(voice, self._shown, self._begun)
        voice.clear = self._line.hide

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._line.close()

    def restore(self) -> None:
        """Give the terminal its cursor back, without waiting for anything."""
        self._line.restore(also_keys=True)

    def ended(self, code: int) -> None:
        """Tell that the verb is over, and what it took."""
        seconds, peak = round(monotonic() - self._begun, 3), memory_peak_mb()
        text = f"done in {seconds:.1f} s; statements to the engine: {self.heard.statements}; memory peak: {peak} MB"
        facts = {"code": code, "seconds": seconds, "statements": self.heard.statements, "memory_peak_mb": peak}
        self._voice.tell("info" if self._in_json else "debug", "ended", text if self._verbose else None, **facts)

    @property
    def _in_json(self) -> bool:
        return self._voice.manner.log_format == "json"

    @property
    def _verbose(self) -> bool:
        return self._voice.manner.verbose

    def _hear(self, event: Event) -> None:
        match event:
            case Queried():
                self.heard.statements += 1
            case StageAdvanced():
                self._advance(event)
            case StageBegan():
                self._begin(event)
            case StageEnded():
                self._end(event)
            case RunOpened():
                self.heard.run_id = self._voice.run = event.run_id
            case RunRecorded():
                self.heard.recorded = True
            case Wrote():
                self._write(event)

    def _advance(self, event: StageAdvanced) -> None:
        self._stop_where_asked()
        if self._stack:
            self._stack[-1].done = event.done

    def _begin(self, event: StageBegan) -> None:
        self._stop_where_asked()
        self._stack.append(_Open(name=event.name, total=event.total, unit=event.unit, begun=monotonic()))
        self._line.start()

    def _end(self, event: StageEnded) -> None:
        if self._stack:
            self._stack.pop()
        if not event.whole and self.heard.stopped_in is None:
            self.heard.stopped_in = event.name
        self.heard.done[event.name] = event.done
        if not self._stack:
            self._line.hide()
        if self._counted() is None:
            facts = {"stage": event.name, "seconds": round(event.seconds, 3), "whole": event.whole}
            text = f"{event.seconds:7.2f} s  {event.name}" if self._verbose and event.seconds > _WORTH_TELLING else None
            self._voice.tell("info" if self._in_json else "debug", "stage", text, **facts)

    def _write(self, event: Wrote) -> None:
        if event.what == "report":
            self.heard.report = event.path
        self._voice.tell("debug", "wrote", f"wrote {event.what}: {event.path}", what=event.what, path=event.path)

    def _stop_where_asked(self) -> None:
        if self._signals.pressed:
            raise self._signals.exception()

    def _counted(self) -> _Open | None:
        return next((stage for stage in self._stack if stage.total is not None and stage.unit == ""), None)

    def _shown(self) -> Shown | None:
        """Return what the line of progress tells, from its own thread."""
        stack = tuple(self._stack)
        if not stack:
            return None
        stage = next((one for one in stack if one.total is not None and one.unit == ""), stack[-1])
        return Shown(name=stage.name, total=stage.total, unit=stage.unit, done=stage.done, begun=stage.begun)


def memory_peak_mb() -> int:
    """Return the most memory that this process held so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MB)
