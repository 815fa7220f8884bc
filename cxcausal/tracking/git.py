"""Questions to git, answered with nothing where git is absent, slow or unwilling."""

import os
import subprocess
from pathlib import Path

_SECONDS = 5


def git_output(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it is absent, slow, or says no."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments; the root is the user's own folder
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
