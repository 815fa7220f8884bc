"""How a verb talks: the options that every verb takes, before it or after it, and what was asked by them."""

import os
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import click

from cxcausal.core.errors import Problem, UsageError

LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("text", "json")
LOG_FORMAT_VARIABLE = "CXCAUSAL_LOG_FORMAT"
_LOG_FORMAT = "--log-format"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """What stands on stdout and stderr: `as_json` is about the first, the others about the second."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    log_format: LogFormat = "text"


def manner_of(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> Manner:
    """Return what the command line asks for, wherever its options stand; a usage error is told in this manner, too.

    Example:
        >>> manner_of(["--quiet", "run", "x.yaml", "--log-format=json"], {})
        Manner(as_json=False, quiet=True, verbose=False, log_format='json')
    """
    options = list(words[: words.index("--")] if "--" in words else words)
    asked = environment.get(LOG_FORMAT_VARIABLE, "")
    for word, following in pairwise([*options, ""]):
        if word == _LOG_FORMAT:
            asked = following
        elif word.startswith(f"{_LOG_FORMAT}="):
            asked = word.partition("=")[2]
    return Manner(
        as_json="--json" in options,
        quiet="--quiet" in options,
        verbose="--verbose" in options,
        log_format="json" if asked == "json" else "text",
    )


def refuse_contradiction(manner: Manner) -> None:
    """Raise where both less and more was asked for.

    Raises:
        UsageError: with the way out.
    """
    if manner.quiet and manner.verbose:
        what, mend = "--quiet and --verbose contradict each other", "leave one of them out"
        raise UsageError(Problem(where="command line", code="U204", what=what, mend=mend))


def manner_options() -> tuple[click.Option, ...]:
    """Return the options as click shows and checks them; what they ask for was read by `manner_of` before."""
    return (
        click.Option(
            ["--quiet"], is_flag=True, expose_value=False, help="Tell results and problems, and nothing else."
        ),
        click.Option(
            ["--verbose"],
            is_flag=True,
            expose_value=False,
            help="Tell each stage with its seconds, what was written, memory, and the traceback of a bug.",
        ),
        click.Option(
            [_LOG_FORMAT],
            type=click.Choice(LOG_FORMATS),
            default="text",
            envvar=LOG_FORMAT_VARIABLE,
            show_envvar=True,
            expose_value=False,
            help="json: stderr is one JSON object a line.",
        ),
    )


def with_manner(command: click.Command) -> click.Command:
    """Return a verb that takes these options as well, and so do the verbs below it."""
    known = {name for parameter in command.params for name in parameter.opts}
    whole = copy(command)
    whole.params = [*command.params, *(option for option in manner_options() if not known & set(option.opts))]
    if isinstance(whole, click.Group):
        whole.commands = {name: with_manner(below) for name, below in whole.commands.items()}
    return whole
