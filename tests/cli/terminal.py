"""A real terminal for a command that is started in it: keys are pressed, and what the screen was sent is kept."""

import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AS_A_SCRIPT = "import os, cxcausal.__main__ as m; os.write(1, b'>'); m.main()"
"""The command as its script starts it; the sign says that Python itself is up."""
_IN_TERMINAL = 'exec "$@" <>"$TTY_OF_TEST" >&0 2>&0'
"""A session's leader that opens a terminal gets it as its own, and Ctrl-C with it."""


class Terminal:
    """One command in a terminal of its own."""

    def __init__(self, words: tuple[str, ...], cwd: Path, *, code: str = AS_A_SCRIPT, **environment: str) -> None:
        self._master, slave = pty.openpty()
        surrounding = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", **environment}
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", _IN_TERMINAL, "sh", sys.executable, "-c", code, *words],
            cwd=cwd,
            env={**surrounding, "TTY_OF_TEST": os.ttyname(slave)},
            start_new_session=True,
        )
        self._sent = bytearray()
        self._reader = threading.Thread(target=read_all, args=(self._master, self._sent), daemon=True)
        self._reader.start()
        self.wait_for(">")
        os.close(slave)

    def wait_for(self, words: str, seconds: float = 60.0) -> None:
        """Wait until the screen was sent these words."""
        end = time.monotonic() + seconds
        while words.encode() not in self._sent:
            assert time.monotonic() < end, self.screen
            assert self.process.poll() is None, self.screen
            time.sleep(0.002)

    def press_ctrl_c(self) -> None:
        """Press the keys: the kernel sends SIGINT to whatever runs in the foreground."""
        os.write(self._master, b"\x03")

    def left_with(self, seconds: float = 60.0) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(2.0)
        os.close(self._master)
        return code

    @property
    def screen(self) -> str:
        """What the screen was sent."""
        return self._sent.decode(errors="replace")


def read_all(master: int, sent: bytearray) -> None:
    """Read what a terminal is sent until nobody has it open any longer: an unread terminal makes its writers wait."""
    while True:
        try:
            found = os.read(master, 65536)
        except OSError:
            return
        if not found:
            return
        sent += found
