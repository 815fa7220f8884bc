"""The test's end of the zygote: send it jobs, and read how they ended."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 240.0
Ill = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One command in a project, `times` in a row: what is wrong with its world (mounts), and with each process."""

    root: Path
    words: tuple[str, ...]
    world: tuple[Ill, ...] = ()
    ills: tuple[Ill, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    stdout: str | None = None
    folder: Path | None = None
    limit: float = LIMIT
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended, and the record as it stood then, seen from within its world."""

    code: int
    seconds: float
    out: str
    err: str
    seen: Mapping[str, Any]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Machine:
    """A zygote in a process of its own; ends with `close`."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"},
        )

    def run(self, job: Job) -> Ended:
        return self.run_all((job,))[0]

    def run_all(self, jobs: Sequence[Job]) -> tuple[Ended, ...]:
        """Run jobs at once and return how each ended, in their order."""
        asked = [self._asked(job) for job in jobs]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return tuple(_ended(one, answer) for one, answer in zip(asked, told, strict=True))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _asked(self, job: Job) -> dict[str, Any]:
        self._count += 1
        note = self._notes / str(self._count)
        changed = {**os.environ, "CXCAUSAL_ACTOR": "ann@example.com", **job.environment}
        return {
            "root": str(job.root),
            "folder": str(job.folder or job.root),
            "words": list(job.words),
            "world": list(job.world),
            "ills": list(job.ills),
            "environment": {name: value for name, value in changed.items() if value is not None},
            "stdin": os.devnull,
            "stdout": job.stdout or f"{note}.out",
            "stderr": f"{note}.err",
            "seen": f"{note}.seen",
            "limit": job.limit,
            "times": job.times,
        }


def _ended(asked: Mapping[str, Any], told: Mapping[str, Any]) -> Ended:
    seen = Path(asked["seen"])
    return Ended(
        code=told["code"],
        seconds=told["seconds"],
        out=_text(asked["stdout"]),
        err=_text(asked["stderr"]),
        seen=json.loads(seen.read_bytes()) if seen.exists() else {"files": {}, "ledger": "", "runs": {}},
    )


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else ""
