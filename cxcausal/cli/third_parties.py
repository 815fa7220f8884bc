"""What other libraries log, warn of or print becomes JSON lines as well, without the values that it may quote."""

import logging
import os
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from cxcausal.cli.voice import Level, Voice

_SEE_NO_DATA = frozenset({"alembic", "mlflow"})
"""Libraries that are never given a row or an id, so that their words can be passed on."""
_STDERR = 2
_CONFIGURES_ITSELF = "MLFLOW_CONFIGURE_LOGGING"
_PATIENCE = 0.5
"""Seconds to wait for the last words of a process that was started and still has stderr."""


class ThirdParties:
    """A context manager, entered where logs are JSON; Python's logging, its warnings and stderr itself lead here.

    A message may quote a value, and no value of a customer may stand in a log. So libraries that see data are told of
    by who speaks, where in its code, and the message without what was put into it; of text that was written straight
    to stderr, such as by the engine of another language, only the length is told.
    """

    def __init__(self, voice: Voice) -> None:
        """Change nothing yet."""
        self._voice = voice
        self._handler = _Lines(voice)
        self._others: list[logging.Handler] = []
        self._level = logging.WARNING
        self._showwarning = warnings.showwarning
        self._pipe: _Pipe | None = None
        self._mlflow: str | None = None

    def __enter__(self) -> Self:
        """Take over."""
        root = logging.getLogger()
        self._others, self._level = list(root.handlers), root.level
        root.handlers = [self._handler]
        root.setLevel(logging.INFO if self._voice.manner.verbose else logging.WARNING)
        self._showwarning, warnings.showwarning = warnings.showwarning, self._warned
        self._mlflow = os.environ.get(_CONFIGURES_ITSELF)
        os.environ[_CONFIGURES_ITSELF] = "false"
        if _is_descriptor(sys.stderr):
            self._pipe = _Pipe(self._voice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give everything back."""
        root = logging.getLogger()
        root.handlers = self._others
        root.setLevel(self._level)
        warnings.showwarning = self._showwarning
        if self._mlflow is None:
            os.environ.pop(_CONFIGURES_ITSELF, None)
        else:
            os.environ[_CONFIGURES_ITSELF] = self._mlflow
        if self._pipe is not None:
            self._pipe.close()

    def _warned(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002 - the interpreter's signature
        line: str | None = None,  # noqa: ARG002 - see above
    ) -> None:
        """Tell a Python warning by its category and place."""
        place = "/".join(Path(filename).parts[-3:])
        known = str(message) if _SEE_NO_DATA & set(Path(filename).parts) else None
        self._voice.tell("warning", "python_warning", known, category=category.__name__, source=f"{place}:{lineno}")


class _Lines(logging.Handler):
    """Python's log records as lines."""

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice = voice

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record."""
        level: Level = "info"
        if record.levelno >= logging.WARNING:
            level = "error" if record.levelno >= logging.ERROR else "warning"
        source = f"{record.module}:{record.lineno}"
        self._voice.tell(level, "library_log", _safe(record), logger=record.name, source=source)


def _safe(record: logging.LogRecord) -> str | None:
    """Return a record's words as far as they can't quote data; None where nobody knows."""
    if record.name.partition(".")[0] in _SEE_NO_DATA:
        return record.getMessage()
    return record.msg if record.args and isinstance(record.msg, str) else None


class _Pipe:
    """Stands in the place of the process's stderr, for Python, other languages and processes that are started."""

    def __init__(self, voice: Voice) -> None:
        sys.stderr.flush()
        self._voice, self._stderr = voice, os.dup(_STDERR)
        reading, writing = os.pipe()
        os.dup2(writing, _STDERR)
        os.close(writing)
        voice.descriptor = self._stderr
        self._thread = threading.Thread(target=self._pass_on, args=(reading,), name="cxcausal-stderr", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give stderr back, once everything that was written has been told."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os.dup2(self._stderr, _STDERR)
        self._thread.join(timeout=_PATIENCE)
        self._voice.descriptor = None

    def _pass_on(self, reading: int) -> None:
        with open(reading, encoding="utf-8", errors="replace") as stream, suppress(OSError):
            for text in stream:
                if text.strip():
                    self._voice.tell("warning", "stderr_text", None, characters=len(text.strip()))


def _is_descriptor(stream: TextIO) -> bool:
    """Tell whether a stream is the process's own stderr, and not what a test or a notebook put in its place."""
    try:
        return stream.fileno() == _STDERR
    except (OSError, ValueError):
        return False
