"""The three standard streams, as they may be found: closed, full, left by their reader, or short of letters."""

import contextlib
import io
import os
import sys


def prepare() -> None:
    """Fill what is closed, lest a file of the record is opened in its place; show a missing letter as its code."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # some streams can't be reconfigured, and stay as they are
                stream.reconfigure(errors="backslashreplace")


def drop() -> None:
    """Let what a stream still holds for nobody go nowhere: the interpreter would fail on it once more while it ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
