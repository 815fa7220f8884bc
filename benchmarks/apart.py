"""Tasks in processes of their own: their progress is told, and none may take forever."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 900.0
"""Seconds that a task may take."""
Found = Mapping[str, Any]


def apart(module: str, *words: object, python: str = sys.executable, limit: float = LIMIT) -> Found | None:
    """Return what `python -m module words` prints as JSON in its last line; None where it takes longer than the limit.

    Raises:
        SystemExit: it fails.
    """
    asked = [str(word) for word in words]
    sys.stderr.write(f"{module.removeprefix('benchmarks.')}: {', '.join(asked)} ... ")
    sys.stderr.flush()
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            [python, "-m", module, *asked], cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"stopped after {limit:.0f} s\n")
        return None
    if done.returncode:
        raise SystemExit(f"{module} {', '.join(asked)} failed:\n{done.stderr[-2_000:]}")
    sys.stderr.write(f"{time.perf_counter() - begun:.0f} s\n")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found
