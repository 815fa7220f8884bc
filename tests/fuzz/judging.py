"""What may come of a case: a documented exit code, sentences with place and mend, and nothing else, in time."""

import contextlib
import io
import json
import os
import re
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from cxcausal.cli.errors import run_guarded
from cxcausal.core.errors import ExitCode

SLOW = 2.0
"""Seconds that no case may take, of the processor and on the wall: the lesser of both counts, as cores are shared."""
_STUCK = 30
_LINE = re.compile(r"(?P<where>\S.*?) (?P<code>[A-Z]\d{3}) (?P<what>\S.*) — (?P<mend>\S.*)")
_INTERRUPTED = 130
_TOLD = ("where", "code", "what", "mend")
CANARY = "KANARI"
"""Stands in every id of every file; it is never told."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a call ended.

    Attributes:
        code: the exit code; None after a traceback.
        out, err: what it wrote.
        trace: the traceback, or the warnings of libraries.
        cpu, wall: seconds.
        written: files that are new or changed.
    """

    code: int | None
    out: str
    err: str
    trace: str
    cpu: float
    wall: float
    written: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the problems that were told, each once."""
        found = (_LINE.fullmatch(line) for line in self.err.splitlines())
        return tuple(dict.fromkeys(match["code"] for match in found if match is not None))


class Stuck(BaseException):
    """A case that doesn't end; no code of ours may catch this."""


class _Caught:
    """A context manager that keeps any error which gets out: that is what is looked for."""

    trace = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or isinstance(error, KeyboardInterrupt):
            return False
        self.trace = "".join(traceback.format_exception(error))
        return True


@contextlib.contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    """Stop what uses the processor for longer, or waits for ten times as long."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stuck

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, 10 * seconds))
    before = [(number, signal.signal(number, stop)) for number, _, _ in clocks]
    for _, clock, limit in clocks:
        signal.setitimer(clock, limit)
    try:
        yield
    finally:
        for _, clock, _ in clocks:
            signal.setitimer(clock, 0)
        for number, listener in before:
            signal.signal(number, listener)


def attempt(call: Callable[[], object], folder: Path) -> Done:
    """Run a call as the command line runs a verb, in a folder, and note what it says, takes and writes.

    Args:
        call: a verb, or what does its work.
        folder: the working folder; files are watched here and in everything beside it.
    """
    out, err, caught = io.StringIO(), io.StringIO(), _Caught()
    code: int | None = None
    before, cpu, wall = _files(folder.parent), time.process_time(), time.perf_counter()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(record=True) as heard,
        caught,
        _no_longer_than(_STUCK),
    ):
        warnings.simplefilter("always")
        code = run_guarded(call, as_json=True)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    said = [str(one.message) for one in heard if not issubclass(one.category, DeprecationWarning)]
    after = _files(folder.parent)
    return Done(
        code=code,
        out=out.getvalue(),
        err=err.getvalue(),
        trace=caught.trace or "".join(f"warning: {text}\n" for text in dict.fromkeys(said)),
        cpu=cpu,
        wall=wall,
        written=tuple(sorted(path for path, state in after.items() if before.get(path) != state)),
    )


def faults(done: Done, allowed: tuple[int, ...], text: str | None = None, *, limit: float = SLOW) -> tuple[str, ...]:
    """Return everything that must not be: empty for a case that ended well.

    Args:
        done: how it ended.
        allowed: exit codes that the verb may return here.
        text: the plan's text, into which places of problems must point; None where they name data.
        limit: seconds that it may take.
    """
    if done.trace:
        return (f"traceback: {done.trace.strip().splitlines()[-1]}",)
    found = []
    if done.code not in allowed:
        found.append(f"exit code {done.code} is not among {allowed}")
    if min(done.cpu, done.wall) >= limit:
        found.append(f"took {done.cpu:.2f} s of the processor and {done.wall:.2f} s on the wall")
    if CANARY in done.out or CANARY in done.err:
        found.append("an id was told")
    if done.written:
        found.append(f"wrote {', '.join(done.written)}")
    return (*found, *_ill_told(done, text))


def _ill_told(done: Done, text: str | None) -> Iterator[str]:
    """Yield what is wrong with the problems: their lines, their JSON, and their places."""
    lines = done.err.splitlines() if done.code != ExitCode.OK else []
    size = None if text is None else _size_of(text)
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or not line.isprintable():
            yield f"not a problem's line: {line[:200]!r}"
        elif size is not None and not _is_within(match["where"], size):
            yield f"no place in the plan: {line[:200]!r}"
    try:
        told = json.loads(done.out, parse_constant=_no_constant)
    except ValueError as error:
        yield f"stdout is not one JSON object: {error}"
        return
    errors = _errors(told)
    if any(not str(error.get(key, "")).strip() for error in errors for key in _TOLD):
        yield "an error in JSON lacks its place, code, sentence or mend"
    if done.code not in {ExitCode.OK, ExitCode.GATE} and not (lines and errors):
        yield "a refusal without a reason"


def _errors(told: Mapping[str, Any]) -> list[dict[str, str]]:
    return [error for error in told.get("errors", ()) if isinstance(error, dict)]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _size_of(text: str) -> tuple[int, int]:
    """Return how many lines a text has, and the length of the longest."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    return len(lines), max(map(len, lines))


def _is_within(where: str, size: tuple[int, int]) -> bool:
    """Tell whether a place is a line and column of the plan, or of another file."""
    found = re.fullmatch(r"(.+):(\d+):(\d+)", where)
    if found is None:
        return False
    line, column = int(found[2]), int(found[3])
    lines, longest = size if found[1].endswith("case.yaml") else (line, column)
    return 1 <= line <= lines + 1 and 1 <= column <= longest + 2


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of every file below a folder."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)  # noqa: PTH118 - thousands of times
            with contextlib.suppress(FileNotFoundError):
                state = os.stat(path)  # noqa: PTH116 - as above
                found[os.path.relpath(path, folder)] = (state.st_size, state.st_mtime_ns)
    return found
