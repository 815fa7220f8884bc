"""How failure leaves the process: problems as lines on stderr, one JSON object on stdout if asked, and an exit code."""

import contextlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

import click

from cxcausal.core.canonical import json_ready
from cxcausal.core.errors import CxCausalError, ExitCode, Problem
from cxcausal.core.interrupts import Interrupts

SCHEMA_VERSION = 1
INTERRUPTED = 130
_TOO_LARGE = Problem(
    where="memory",
    code="E603",
    what="the machine has no memory left for this",
    mend="close other programs or use a larger machine; earlier results are unchanged",
)


def told(problem: Problem) -> dict[str, str]:
    """Return a problem as it stands in JSON."""
    return {"where": problem.where, "code": problem.code, "what": problem.what, "mend": problem.mend}


def tell(problems: Iterable[Problem]) -> None:
    """Write problems to stderr, one line each."""
    for problem in problems:
        click.echo(str(problem), err=True)


def emit(payload: Mapping[str, Any], problems: Iterable[Problem] = ()) -> None:
    """Write the one JSON object of a command to stdout."""
    whole = {"schema_version": SCHEMA_VERSION, **payload, "errors": [told(problem) for problem in problems]}
    text = json.dumps(json_ready(whole), ensure_ascii=False, indent=2, allow_nan=False)
    click.echo("".join(sign if sign.isprintable() or sign == "\n" else _escape(sign) for sign in text))


def _escape(sign: str) -> str:
    """Return an unprintable sign as JSON escapes it, so that no terminal obeys it."""
    return json.dumps(sign)[1:-1]


def run_guarded(call: Callable[[], object], *, as_json: bool) -> int:
    """Run a command and return the exit code; every error that users can cause is told on the way."""
    try:
        with Interrupts():
            code = call()
    except CxCausalError as error:
        return _failed(error.problems, error.exit_code, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        problem = Problem(where="command line", code="U130", what="interrupted", mend="nothing more was done")
        return _failed((problem,), INTERRUPTED, as_json=as_json)
    except (OSError, MemoryError) as error:
        return _failed((refusal(error),), ExitCode.ENVIRONMENT, as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        mend = "see `cxcausal --help`" if not isinstance(error, click.UsageError) else _usage(error)
        problem = Problem(where="command line", code="U200", what=error.format_message(), mend=mend)
        return _failed((problem,), ExitCode.USAGE, as_json=as_json)
    return code if isinstance(code, int) else ExitCode.OK


def report_bugs(*, verbose: bool, as_json: bool) -> None:
    """Tell an unexpected error in one line, and its traceback only where asked; Python then exits with 1."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if verbose:
            traceback.print_exception(kind, error, trace)
        mend = "please report it with what `--verbose` shows"
        problem = Problem(where="cxcausal", code="B100", what=f"a bug in cxcausal ({kind.__name__})", mend=mend)
        _failed((problem,), ExitCode.BUG, as_json=as_json)

    sys.excepthook = hook


def _failed(problems: tuple[Problem, ...], code: int, *, as_json: bool) -> int:
    tell(problems)
    if as_json:
        with contextlib.suppress(OSError):  # it may be stdout itself that failed, and stderr has the problems
            emit({}, problems)
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
