"""How a run stands, and whether the process that owns it still lives."""

import json
import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.tracking.layout import STATUS_FILE, now_text

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How a run stands, and which process of which host owns it while it is RUNNING.

    `started_ticks` is the kernel's start time of that process, so that a recycled process number is not mistaken
    for it (0 where the system does not tell).
    """

    status: Status
    reason: str | None = None
    started_at: str
    ended_at: str | None = None
    host: str
    process: int
    started_ticks: int = 0


def new_status() -> RunStatus:
    """Return RUNNING, owned by this process."""
    process = os.getpid()
    ticks = process_ticks(process) or 0
    return RunStatus(
        status="RUNNING", started_at=now_text(), host=socket.gethostname(), process=process, started_ticks=ticks
    )


def ended(status: RunStatus, final: Status, reason: str | None) -> RunStatus:
    """Return the final status of a run that began as `status`."""
    return replace(status, status=final, reason=reason, ended_at=now_text())


def read_status(directory: Path) -> RunStatus:
    """Return the status of the run in `directory`.

    Raises:
        IntegrityError: the status file is missing or damaged.
    """
    path = directory / STATUS_FILE
    try:
        return RunStatus(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise IntegrityError(
            Problem(
                where=f"{directory.parent.name}/{directory.name}/{STATUS_FILE}",
                code="I701",
                what="the status of this run is missing or damaged",
                mend="remove the run's folder if the run never ended; otherwise restore it from a copy",
            )
        ) from error


def process_ticks(process: int) -> int | None:
    """Return when a live process of this host started, in clock ticks; 0 if unknown, None if there is none."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return None if fields[0] in {"Z", "X"} else int(fields[19])
    except FileNotFoundError:
        return 0 if _answers(process) else None
    except (OSError, ValueError, IndexError):
        return 0


def _answers(process: int) -> bool:
    """Return whether a process with this number exists, on systems without /proc."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def owner_lives(status: RunStatus) -> bool:
    """Return whether the process that owns a run may still be at work; runs of other hosts always may."""
    if status.host != socket.gethostname():
        return True
    ticks = process_ticks(status.process)
    return ticks is not None and (ticks == status.started_ticks or 0 in {ticks, status.started_ticks})
