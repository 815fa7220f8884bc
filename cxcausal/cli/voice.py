"""What is told on stderr: sentences for people, or one JSON object a line for whoever collects logs."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import click

from cxcausal.cli.manner import Manner
from cxcausal.core.errors import Problem

Level = Literal["debug", "info", "warning", "error"]
_ORDER: tuple[Level, ...] = ("debug", "info", "warning", "error")
_STDERR = 2


def _nothing() -> None:
    """Do nothing before a line."""


@dataclass(kw_only=True)
class Voice:
    """Writes to stderr, and nothing anywhere else; a stderr that nobody reads is no error.

    Attributes:
        manner: what was asked for. verb: which verb speaks.
        run: the run's id, once there is one.
        clear: called before a sentence, so that a line of progress makes room for it.
        descriptor: where JSON lines go; None for wherever `sys.stderr` leads.
    """

    manner: Manner
    verb: str | None = None
    run: str | None = None
    clear: Callable[[], None] = _nothing
    descriptor: int | None = None

    def problem(self, problem: Problem) -> None:
        """Tell a problem."""
        facts = {"where": problem.where, "code": problem.code, "what": problem.what, "mend": problem.mend}
        self.tell("error", "problem", str(problem), **facts)

    def tell(self, level: Level, event: str, text: str | None = None, **facts: object) -> None:
        """Tell one thing, where its level is asked for.

        Args:
            level: `--quiet` leaves warnings and errors; `--verbose` adds debug.
            event: its name in JSON.
            text: the sentence; None where there is nothing to tell people. Problems have it in parts in JSON.
            facts: what else JSON says.
        """
        if _ORDER.index(level) < _ORDER.index(self._least):
            return
        if self.manner.log_format == "json":
            whole = facts if event == "problem" or text is None else {"text": text, **facts}
            self._write(self.line(level, event, whole))
        elif text is not None:
            self.clear()
            with suppress(BrokenPipeError):
                click.echo(text, err=True)

    def line(self, level: Level, event: str, facts: dict[str, object]) -> str:
        """Return one JSON line, its secrets removed."""
        from cxcausal.tracking.redaction import without_secrets_in  # noqa: PLC0415 - only who asks for JSON pays

        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"time": now, "level": level, "event": event, "verb": self.verb, "run": self.run}
        known = {key: value for key, value in {**head, **facts}.items() if value is not None}
        return json.dumps(without_secrets_in(known), ensure_ascii=False, allow_nan=False) + "\n"

    def last_words(self, text: str) -> None:
        """Tell one thing from where nothing may be waited for, not even a stream's buffer."""
        as_json = self.manner.log_format == "json"
        words = self.line("error", "left", {"text": text}) if as_json else f"{text}\n"
        with suppress(OSError):
            os.write(_STDERR if self.descriptor is None else self.descriptor, words.encode(errors="replace"))

    @property
    def _least(self) -> Level:
        if self.manner.quiet:
            return "warning"
        return "debug" if self.manner.verbose else "info"

    def _write(self, line: str) -> None:
        with suppress(BrokenPipeError):
            if self.descriptor is None:
                sys.stderr.write(line)
                sys.stderr.flush()
            else:
                os.write(self.descriptor, line.encode(errors="replace"))
