"""A process that has imported everything once, and becomes the command line in a forked child, fault and all.

Started as `python -m tests.faults.zygote`; it reads batches of jobs as JSON lines and answers each with one line.
"""

import contextlib
import importlib
import json
import os
import signal
import time
from hashlib import sha256
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TextIO

import cxcausal
from tests.faults import ills

PEERS = (
    "alembic.command",
    "alembic.config",
    "ibis.backends.duckdb",
    "jinja2",
    "mlflow",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "sqlalchemy.dialects.sqlite",
)
RECORD = (".cxcausal", "audit", "reports", "data", "experiments")


def seen(root: Path) -> dict[str, Any]:
    """Return what a project's record holds: hashes of its files, the ledger's text, and how each run stands."""
    kept = [path for part in RECORD for path in (root / part).rglob("*")]
    files = {str(path.relative_to(root)): path for path in kept if path.is_file()}
    folders = sorted((root / ".cxcausal/runs").glob("*/*"))
    ledger = root / "audit/ledger.jsonl"
    return {
        "files": {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
        "ledger": ledger.read_text(encoding="utf-8", errors="replace") if ledger.is_file() else "",
        "runs": {f"{at.parent.name}/{at.name}": _state(at) for at in folders},
    }


def _state(folder: Path) -> dict[str, Any]:
    """Return what a run's status and the note about MLflow say."""
    found: dict[str, Any] = {"status": None, "mlflow": None}
    for name in found:
        with contextlib.suppress(OSError, ValueError):
            found[name] = json.loads((folder / f"{name}.json").read_bytes())
    return found


def serve(requests: TextIO, replies: TextIO) -> dict[str, Any] | None:
    """Fork a child per job; return a job in the child that shall do it, and None at the end of requests."""
    for line in requests:
        started: dict[int, float] = {}
        jobs = json.loads(line)
        for job in jobs:
            child = os.fork()
            if child == 0:
                requests.close()
                replies.close()
                return dict(job)
            started[child] = time.monotonic()
        ended = {child: _waited(child, since + jobs[0]["limit"]) for child, since in started.items()}
        told = [{"code": ended[child][0], "seconds": ended[child][1] - since} for child, since in started.items()]
        replies.write(json.dumps(told) + "\n")
        replies.flush()
    return None


def _waited(child: int, deadline: float) -> tuple[int, float]:
    """Return a child's exit code, as shells tell it, and when it ended; kill it at the deadline."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code, time.monotonic()
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        time.sleep(0.005)


def become(job: dict[str, Any]) -> None:
    """Make the world of the job, and in it its process, as often as is asked; look at what is left, and leave."""
    os.setpgid(0, 0)
    os.chdir(job["folder"])
    for name, *given in job["world"]:
        getattr(ills, name)(*given)
    code = 0
    for _ in range(job["times"]):
        worker = os.fork()
        if worker == 0:
            _become_worker(job)
            return
        left = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        code = code or (left if left >= 0 else 128 - left)
    Path(job["seen"]).write_text(json.dumps(seen(Path(job["root"]))), encoding="utf-8")
    os._exit(code)


def _become_worker(job: dict[str, Any]) -> None:
    """Take on the folder, the environment, the streams and the ills of the job."""
    os.chdir(job["folder"])  # what was mounted over it is seen only now
    os.environ.clear()
    os.environ.update(job["environment"])
    for descriptor, name in ((0, job["stdin"]), (1, job["stdout"]), (2, job["stderr"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        opened = os.open(name, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    for name, *given in job["ills"]:
        getattr(ills, name)(*given)


def _warm() -> None:
    """Import what any run would, and build Ibis's parser of types; nothing here starts a thread."""
    for name in PEERS:
        importlib.import_module(name)
    for module in walk_packages(cxcausal.__path__, "cxcausal."):
        if module.name != "cxcausal.__main__":
            importlib.import_module(module.name)
    importlib.import_module("ibis").dtype("int64")


def main() -> None:
    """Serve, and in each child run the command line to the very end of its interpreter."""
    requests, replies = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    _warm()
    job = serve(requests, replies)
    if job is not None:
        become(job)
        importlib.import_module("cxcausal.cli").main(job["words"])


if __name__ == "__main__":
    main()
