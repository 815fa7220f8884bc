"""Where things lie: the names of a run's folders and files, and which names are safe to use as such."""

import re
from datetime import UTC, datetime
from pathlib import Path

from cxcausal.core.errors import Problem, UsageError
from cxcausal.tracking.ulid import is_ulid

STATE = ".cxcausal"
STATUS_FILE = "status.json"
MANIFEST_FILE = "manifest.json"
PROJECTION_FILE = "mlflow.json"
UNFINISHED = "unfinished"
PLAN = "plan/resolved.json"
RESULTS = "results/results.json"
EFFECTS = "results/effects.csv"
REPORT = "report/index.html"
KEPT = "kept"
KEPT_UNITS = "kept/units.parquet"
REMOVED_FILE = "kept/removed.json"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")


def runs_folder(root: Path) -> Path:
    """Return where the runs of a project lie."""
    return root / STATE / "runs"


def run_folders(root: Path) -> tuple[Path, ...]:
    """Return every run's folder, by experiment and then by time."""
    return tuple(sorted(path for path in runs_folder(root).glob("*/*") if path.is_dir() and is_ulid(path.name)))


def safe_name(name: str) -> str:
    """Return `name` if it can name a file or folder without leaving its parent.

    Raises:
        UsageError: it can't.
    """
    if _NAME.fullmatch(name) and ".." not in name:
        return name
    raise UsageError(
        Problem(
            where="name",
            code="U210",
            what=f"{name[:80]!r} can't name a folder",
            mend="use letters, digits, '-', '_' and single '.', starting and ending with a letter or digit",
        )
    )


def now_text() -> str:
    """Return this moment in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
