"""A real terminal for a command that is started in it: keys are pressed, and what the screen was sent is kept."""

import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
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


PRELOADED = """
import atexit, contextlib, importlib, json, os, sys
import cxcausal.api, cxcausal.cli.run_commands, cxcausal.data.opening, cxcausal.pipeline.analyse, mlflow
import cxcausal.__main__ as cx
print("ready", flush=True)
for line in sys.stdin:
    terminal, words, folder, code = json.loads(line)
    child = os.fork()
    if child == 0:
        atexit.register(lambda: os.path.exists("modules") or open("modules", "w").write(" ".join(sys.modules)))
        break
    print(child, flush=True)
    left = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    known = open(f"{folder}/modules").read().split() if os.path.exists(f"{folder}/modules") else []
    for name in set(known) - set(sys.modules):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    print(left, flush=True)
else:
    os._exit(0)
os.setsid()
opened = os.open(terminal, os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(opened, number)
os.chdir(folder)
sys.argv[1:] = words
exec(code)
cx.main()
"""


class Trial:
    """One command that runs in a terminal: its process, what its screen was sent, and its keys."""

    def __init__(self, process: int, master: int, sent: bytearray) -> None:
        self.process, self._master, self._sent = process, master, sent

    def wait_for(self, words: str, seconds: float = 60.0) -> None:
        """Wait until the screen was sent these words."""
        end = time.monotonic() + seconds
        while words.encode() not in self._sent:
            said = self._sent.decode(errors="replace")
            assert "B100" not in said, said
            assert time.monotonic() < end, said
            time.sleep(0.002)

    def press_ctrl_c(self) -> None:
        """Press the keys."""
        os.write(self._master, b"\x03")


class Warm:
    """A process that has imported everything already, and of which each trial is a copy: imports would take most."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PRELOADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._line() == "ready"

    def run(
        self, words: tuple[str, ...], folder: Path, act: Callable[[Trial], None] | None = None, code: str = ""
    ) -> tuple[int, str]:
        """Run a command in a terminal of its own, act on it, and return its exit code and its screen.

        Args:
            words: of the command.
            folder: where it runs.
            act: what is done to it meanwhile.
            code: runs before it, such as to make a step slow.
        """
        master, slave = os.openpty()
        sent = bytearray()
        reader = threading.Thread(target=read_all, args=(master, sent), daemon=True)
        reader.start()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([os.ttyname(slave), words, str(folder), code]) + "\n")
        self._process.stdin.flush()
        trial = Trial(int(self._line()), master, sent)
        if act is not None:
            act(trial)
        left = int(self._line())
        os.close(slave)
        reader.join(5.0)
        os.close(master)
        return left, sent.decode(errors="replace")

    def close(self) -> None:
        """End it."""
        self._process.communicate("", timeout=30)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
