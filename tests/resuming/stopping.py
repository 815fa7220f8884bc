"""Runs that are stopped at a chosen point, and what two runs must have in common."""

import json
from pathlib import Path
from typing import Any

from cxcausal.tracking.layout import EFFECTS, run_folders

OWN = ("run_id", "created_at", "report", "record")
"""What two runs need not have in common: what stands on record depends on when they were made."""


def stored(folder: Path) -> dict[str, Any]:
    """Return what a run's folder says it found, but for its own id and time."""
    found = json.loads((folder / "results/results.json").read_bytes())
    return {key: value for key, value in found.items() if key not in OWN}


def stages(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every stage, and of the table of effects; what was kept of units hangs on a project's key."""
    paths = (path for path in sorted((folder / "stages").glob("*.json")) if path.name != "kept.json")
    found = {path.name: path.read_bytes() for path in paths}
    return {**found, "effects.csv": (folder / EFFECTS).read_bytes()}


def newest(root: Path) -> Path:
    """Return the folder of the newest run."""
    return max(run_folders(root), key=lambda folder: folder.name)
