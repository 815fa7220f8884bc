"""The three standard streams, as they may be found: closed, full, left by their reader, or short of letters."""

import io
import os
import sys
from typing import NoReturn

from cxcausal.cli.errors import refusal, tell
from cxcausal.core.errors import ExitCode

UNREAD = 141
"""As shells tell it of a program whose reader left, such as `head`."""


def prepare() -> None:
    """Fill what is closed, lest a file of the record is opened in its place; show a missing letter as its code."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave(code: int) -> NoReturn:
    """End the process once everything is written; nobody is told of a reader who left."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = code or UNREAD
    except OSError as error:
        if code != ExitCode.ENVIRONMENT:
            tell((refusal(error),))
        code = ExitCode.ENVIRONMENT
    if code in {UNREAD, ExitCode.ENVIRONMENT}:
        _drop()
    sys.exit(code)


def _drop() -> None:
    """Let what stdout still holds go nowhere: the interpreter would fail on it once more while it ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
