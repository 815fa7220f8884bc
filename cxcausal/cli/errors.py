"""How failure leaves the process: problems as lines on stderr, one JSON object on stdout if asked, and an exit code."""

import json
import select
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import Any

import click

from cxcausal.cli.manner import Manner
from cxcausal.cli.session import Session, new_session, session
from cxcausal.cli.stops import code_of, second_leaves_at_once, stopped
from cxcausal.cli.streams import drop
from cxcausal.core.canonical import json_ready
from cxcausal.core.errors import CxCausalError, ExitCode, MachineError, Problem
from cxcausal.core.interrupts import INTERRUPTED, Terminated

__all__ = ["INTERRUPTED", "as_they_are", "emit", "report_bugs", "run_guarded", "tell", "told"]

SCHEMA_VERSION = 1
_TOO_LARGE = Problem(
    where="memory",
    code="E603",
    what="the machine has no memory left for this",
    mend="close other programs or use a larger machine; earlier results are unchanged",
)
UNREAD = 141
"""Whoever read stdout stopped reading before the end, as `head` does: what shells say of SIGPIPE."""
_STDOUT = 1


class Unread(Exception):  # noqa: N818 - it is no error
    """Nobody reads stdout any longer."""


def told(problem: Problem) -> dict[str, str]:
    """Return a problem as it stands in JSON."""
    return {"where": problem.where, "code": problem.code, "what": problem.what, "mend": problem.mend}


def tell(problems: Iterable[Problem]) -> None:
    """Write problems to stderr, one line each."""
    voice = session().voice
    for problem in problems:
        voice.problem(problem)


def emit(payload: Mapping[str, Any], problems: Iterable[Problem] = ()) -> None:
    """Write the one JSON object of a command to stdout."""
    whole = {"schema_version": SCHEMA_VERSION, **payload, "errors": [told(problem) for problem in problems]}
    text = json.dumps(json_ready(whole), ensure_ascii=False, indent=2, allow_nan=False)
    click.echo("".join(sign if sign.isprintable() or sign == "\n" else _escape(sign) for sign in text))


def _escape(sign: str) -> str:
    """Return an unprintable sign as JSON escapes it, so that no terminal obeys it."""
    return json.dumps(sign)[1:-1]


def run_guarded(call: Callable[[], object], *, as_json: bool, of: Session | None = None) -> int:
    """Run a command and return the exit code; every error that users can cause is told on the way.

    Args:
        call: the command.
        as_json: failure is told as one object on stdout as well.
        of: the session that the command runs in.
    """
    here = of or new_session(Manner(as_json=as_json))
    with _taken_over(here), second_leaves_at_once(lambda: _last_words(here)):
        try:
            code = _answered(call, here)
        finally:
            here.watch.close()
        code = _flushed(code, here)
        here.watch.ended(code)
    return code


def _answered(call: Callable[[], object], here: Session) -> int:
    """Run a command and tell its failure."""
    try:
        code = _used(call, here)
    except CxCausalError as error:
        return _failed(error.problems, error.exit_code, here)
    except (click.Abort, KeyboardInterrupt, Terminated) as error:
        here.watch.close()
        here.watch.restore()
        problem = stopped(here.voice.verb, here.watch.heard, by=code_of(error))
        return _failed((problem,), code_of(error), here)
    except (OSError, MemoryError) as error:
        return _failed((refusal(error),), ExitCode.ENVIRONMENT, here)
    except Unread:
        return UNREAD
    return code if isinstance(code, int) else ExitCode.OK


def _used(call: Callable[[], object], here: Session) -> object:
    """Run a command, and tell where it was called wrongly."""
    try:
        with here.signals:
            return call()
    except click.exceptions.NoArgsIsHelpError as error:
        here.voice.tell("error", "usage", error.format_message())
        return ExitCode.USAGE
    except click.ClickException as error:
        mend = "see `cxcausal --help`" if not isinstance(error, click.UsageError) else _usage(error)
        problem = Problem(where="command line", code="U200", what=error.format_message(), mend=mend)
        return _failed((problem,), ExitCode.USAGE, here)


@contextmanager
def as_they_are() -> Iterator[None]:
    """Let Ctrl-C and a closed stdout reach `run_guarded`: click would answer both in its own way."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort from None
    except BrokenPipeError as error:
        if _unread():
            raise Unread from None
        what, mend = "a connection broke in the middle", "see whether the server is up, then run it again"
        raise MachineError(Problem(where="cxcausal", code="E604", what=what, mend=mend)) from error


def _unread() -> bool:
    """Tell whether it is stdout that nobody reads any longer."""
    looking = select.poll()
    looking.register(_STDOUT, 0)
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in looking.poll(0))


def report_bugs(here: Session) -> None:
    """Tell an unexpected error in one line, and its traceback only where asked; Python then exits with 1.

    An error's own words may quote data, so JSON lines have its kind and where it rose, and not its words.
    """

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if here.manner.log_format == "json":
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
            here.voice.tell("debug", "traceback", None, kind=kind.__name__, frames=frames)
        elif here.manner.verbose:
            traceback.print_exception(kind, error, trace)
        mend = "please report it with what `--verbose` shows"
        problem = Problem(where="cxcausal", code="B100", what=f"a bug in cxcausal ({kind.__name__})", mend=mend)
        _failed((problem,), ExitCode.BUG, here)

    sys.excepthook = hook


def _failed(problems: tuple[Problem, ...], code: int, here: Session) -> int:
    for problem in problems:
        here.voice.problem(problem)
    if here.manner.as_json:
        with suppress(OSError):  # it may be stdout itself that failed, and stderr has the problems
            emit({}, problems)
    return code


def _taken_over(here: Session) -> AbstractContextManager[object]:
    """Return the context in which other libraries' words are JSON lines, where lines are asked for."""
    if here.manner.log_format == "text":
        return nullcontext()
    from cxcausal.cli.third_parties import ThirdParties  # noqa: PLC0415 - only who asks for JSON pays for logging

    return ThirdParties(here.voice)


def _last_words(here: Session) -> None:
    here.watch.restore()
    here.voice.last_words("left at once; what was being done is marked KILLED when the plan is run again")


def _flushed(code: int, here: Session) -> int:
    """Return the exit code once stdout has everything; 141 where all went well and nobody read it to the end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = code or UNREAD
    except OSError as error:
        if code != ExitCode.ENVIRONMENT:
            here.voice.problem(refusal(error))
        code = ExitCode.ENVIRONMENT
    drop()
    return code


def refusal(error: OSError | MemoryError) -> Problem:
    """Return what the operating system refused, in one line."""
    if isinstance(error, MemoryError):
        return _TOO_LARGE
    return Problem(
        where=str(error.filename or "this machine"),
        code="E600",
        what=f"the system refused: {error.strerror or type(error).__name__}",
        mend="check space, permissions and limits, then run again; earlier results are unchanged",
    )


def _usage(error: click.UsageError) -> str:
    if error.ctx is None:
        return "see `cxcausal --help`"
    if error.ctx.parent is None and isinstance(error, click.NoSuchOption):
        return "options stand after the verb, such as `cxcausal list --json`; see `cxcausal --help`"
    return f"see `{error.ctx.command_path} --help`"
