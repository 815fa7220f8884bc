"""Runs hostile plans in a process of its own, whose every step an audit hook sees; prints what each did, as JSON."""

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from cxcausal.cli import verbs
from cxcausal.cli.errors import run_guarded

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CANARY = "pwned"
NEVER = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "urllib.Request",
    "ftplib.connect",
    "http.client.connect",
    "pickle.find_class",
    "ctypes.dlopen",
    "webbrowser.open",
    "shutil.rmtree",
    "os.symlink",
    "os.link",
}
"""What no plan may make happen, whatever it says."""
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod"}


class Watch:
    """What was done that no plan may do."""

    def __init__(self, root: Path) -> None:
        self.root, self.seen, self.on = root.resolve(), list[str](), False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and self._is_breach(event, arguments):
            self.seen.append(f"{event} {str(arguments)[:200]}")

    def _is_breach(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            path, _, flags = arguments
            return isinstance(path, str | bytes) and (
                (bool(flags & WRITING) and not self._is_inside(path)) or "/outside/" in os.fsdecode(path)
            )
        if event == "subprocess.Popen":
            return not _is_git(arguments[1])
        if event == "os.putenv":
            return not arguments[0].startswith(b"MLFLOW_")  # the tracker's own settings
        if event in {"compile", "exec"}:
            return CANARY in _text(arguments[0])
        return event in NEVER or (event in CHANGES and not self._is_inside(arguments[0]))

    def _is_inside(self, path: str | bytes) -> bool:
        whole = Path(os.fsdecode(path)).absolute()
        return whole == Path(os.devnull) or Path(os.path.normpath(whole)).is_relative_to(self.root)


def _is_git(command: Any) -> bool:
    words = [str(word) for word in command] if isinstance(command, list | tuple) else [str(command)]
    return Path(words[0]).name == "git" and CANARY not in " ".join(words)


def _text(code: Any) -> str:
    if isinstance(code, bytes):
        return code.decode("utf-8", "replace")
    return code if isinstance(code, str) else str(getattr(code, "co_consts", ""))


def tried(watch: Watch, verb: str, plan: Path) -> dict[str, Any]:
    """Run one verb on one plan and return its exit code, what it printed, and what it did that is forbidden."""
    out, err = io.StringIO(), io.StringIO()
    watch.seen, begun = [], time.perf_counter()
    crash = ""
    code = -1
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        watch.on = True
        try:
            code = run_guarded(lambda: verbs.main([verb, str(plan)], "cxcausal", standalone_mode=False), as_json=False)
        except BaseException as error:  # noqa: BLE001 - a traceback is what is looked for
            crash = f"{type(error).__name__}: {error}"
        finally:
            watch.on = False
    text = out.getvalue() + err.getvalue()
    seconds = time.perf_counter() - begun
    return {"verb": verb, "code": int(code), "crash": crash, "text": text, "seen": watch.seen, "seconds": seconds}


def main(root: Path, names: list[str]) -> None:
    """Validate every plan, run those that are valid, and print what happened."""
    watch = Watch(root)
    sys.addaudithook(watch)
    plans = root / "experiments"
    tried(watch, "run", plans / "warm_up.yaml")
    found = {}
    for name in names:
        steps = [tried(watch, "validate", plans / name)]
        steps += [tried(watch, "run", plans / name)] if steps[0]["code"] == 0 else []
        found[name] = steps
    print(json.dumps(found))  # noqa: T201 - to the test


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
