"""`cxcausal`, and `python -m cxcausal`: the command line from its first instant to its last."""

import atexit
import json
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> NoReturn:
    """Run one verb; Ctrl-C before it was imported, and after it is over, is as calm as during its work."""
    signal.signal(signal.SIGTERM, _terminated)
    atexit.register(_deaf)
    try:
        from cxcausal.cli import main as run_verb  # noqa: PLC0415 - Ctrl-C may fall into the import as well

        run_verb()
    except KeyboardInterrupt:
        _leave(130)
        _told_early()
        sys.exit(130)
    except SystemExit as left:
        _leave(left.code if isinstance(left.code, int) else 0)
        raise


def _terminated(_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)


def _leave(code: int) -> None:
    """Let a signal that comes now end the process at once: all is done, and the exit code is known."""
    for number in _SIGNALS:
        signal.signal(number, lambda _number, _frame: os._exit(code))


def _deaf() -> None:
    """Close no ear before the interpreter does: from here on nothing waits, and a signal would only spoil the code."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _told_early() -> None:
    """Tell that Ctrl-C came before there was anything to interrupt."""
    problem = {"where": "command line", "code": "U130", "what": "interrupted", "mend": "what was done stays as it is"}
    if "--json" in sys.argv:
        print(json.dumps({"schema_version": 1, "errors": [problem]}, indent=2))  # noqa: T201 - click isn't there yet
    if "json" in (*sys.argv, os.environ.get("CXCAUSAL_LOG_FORMAT")) or "--log-format=json" in sys.argv:
        line = json.dumps({"level": "error", "event": "problem", **problem})
    else:
        line = "{where} {code} {what} \u2014 {mend}".format(**problem)
    print(line, file=sys.stderr)  # noqa: T201 - see above


if __name__ == "__main__":
    main()
