"""The port through which long work tells how far it is; whoever listens decides what of it is shown, and how."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import BinaryIO, Literal

Unit = Literal["", "bytes"]


@dataclass(frozen=True, kw_only=True)
class StageBegan:
    """A piece of work began; `total` is how much there is of it, None where nobody knows."""

    name: str
    total: int | None = None
    unit: Unit = ""


@dataclass(frozen=True, kw_only=True)
class StageAdvanced:
    """So much of the innermost stage is done by now."""

    done: int


@dataclass(frozen=True, kw_only=True)
class StageEnded:
    """The innermost stage is over, `whole` where it came to its own end and not to an error."""

    name: str
    seconds: float
    done: int
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Queried:
    """The engine answered one statement: a pass over the data, or a small one over what it kept."""


@dataclass(frozen=True, kw_only=True)
class RunOpened:
    """A run has its folder; it is RUNNING until it is recorded."""

    experiment: str
    run_id: str


@dataclass(frozen=True, kw_only=True)
class RunRecorded:
    """The run is FINISHED: results, report, manifest and the ledger's line are on disk."""

    run_id: str


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """Something lies on disk now: `what` in a word or two, and its path."""

    what: str
    path: str


Event = StageBegan | StageAdvanced | StageEnded | Queried | RunOpened | RunRecorded | Wrote
Listener = Callable[[Event], None]


@dataclass(kw_only=True)
class Stage:
    """How much of one stage is done."""

    listener: Listener
    done: int = field(default=0, init=False)

    def advance(self, by: int = 1) -> None:
        """Add to what is done."""
        self.reach(self.done + by)

    def reach(self, done: int) -> None:
        """Say how much is done in all."""
        self.done = done
        self.listener(StageAdvanced(done=done))


def _nobody(_: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Progress:
    """Handed down from the edges to whatever may take long; the default listener hears nothing.

    A listener may raise to stop the work, such as where Ctrl-C was pressed and a library swallowed it.

    Example:
        >>> heard = []
        >>> with Progress(heard.append).stage("counting", total=2) as counting:
        ...     counting.advance()
        >>> [type(event).__name__ for event in heard], heard[-1].done, heard[-1].whole
        (['StageBegan', 'StageAdvanced', 'StageEnded'], 1, True)
    """

    listener: Listener = _nobody

    def tell(self, event: Event) -> None:
        """Pass one event on."""
        self.listener(event)

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: Unit = "") -> Iterator[Stage]:
        """Tell that a piece of work begins and, however it ends, that it ended; stages may lie in one another."""
        begun, stage, whole = monotonic(), Stage(listener=self.listener), False
        self.listener(StageBegan(name=name, total=total, unit=unit))
        try:
            yield stage
            whole = True
        finally:
            self.listener(StageEnded(name=name, seconds=monotonic() - begun, done=stage.done, whole=whole))


SILENT = Progress()
"""Tells nobody."""


@dataclass(frozen=True)
class CountedReader:
    """A binary stream that tells a stage how many bytes were read from it.

    Example:
        >>> import io
        >>> with SILENT.stage("reading", total=5, unit="bytes") as reading:
        ...     _ = CountedReader(io.BytesIO(b"hello"), reading).read(3)
        >>> reading.done
        3
    """

    stream: BinaryIO
    stage: Stage

    def read(self, size: int = -1) -> bytes:
        """Read, and tell."""
        found = self.stream.read(size)
        self.stage.advance(len(found))
        return found
