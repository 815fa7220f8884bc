"""`make bench`: compare numbers, time every task in its own process, and write docs/benchmarks.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agreement import agreement_page
from benchmarks.page import page
from benchmarks.peers import THREADS
from benchmarks.plans import plan_of
from benchmarks.sections import PAGE, put
from benchmarks.tasks import TASKS
from benchmarks.world import write_world

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".cxcausal/bench"
STARTS = (("--help", ()), ("validate", ("experiments/proactive_outreach.yaml",)))
RUNS = 5


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One task at one size; seconds, and MiB at the peak."""

    name: str
    rows: int
    prepare: float
    first: float
    warm: float
    peak_mib: float


def timed(name: str, path: Path, rows: int) -> Timed:
    """Run one task in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.tasks", name, str(path)]
    capped = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=capped)
    return Timed(name=name, rows=rows, **json.loads(done.stdout.splitlines()[-1]))


def started(words: tuple[str, ...]) -> float:
    """Return the median wall time of a command, as a whole process."""
    times = [_seconds(words, ROOT) for _ in range(RUNS)]
    return sorted(times)[RUNS // 2]


def run_of(path: Path) -> float:
    """Return the wall time of the second whole `run`, with tracking and report; the first makes the tracking store."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "bench.yaml"
        plan.write_text(json.dumps(plan_of("data.parquet", segments=3)), encoding="utf-8")
        words = ("run", plan.name, "--on", str(path), "--quiet")
        return [_seconds(words, Path(folder)) for _ in range(2)][-1]


def _seconds(words: tuple[str, ...], folder: Path) -> float:
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    command = [sys.executable, "-m", "cxcausal", *words]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, env=paths)
    return time.perf_counter() - begun


def main() -> None:
    """Write the data where they are missing, compare and time everything, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 14_000_000])
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that the first section is written into")
    options = parser.parse_args()
    sizes = options.rows
    agreed = agreement_page(FOLDER / "agreement.parquet")
    found, whole = [], {}
    for rows in sizes:
        path = FOLDER / f"world_{rows}.parquet"
        if not path.exists():
            write_world(path, rows)
        found += [timed(name, path, rows) for name in TASKS]
        whole[f"run, {rows:,} rows, with tracking and report"] = run_of(path)
    starts = {" ".join((verb, *words)): started((verb, *words)) for verb, words in STARTS}
    told = page(found, {**starts, **whole}, agreed, largest_run=list(whole.values())[-1])
    put(told, None, options.out)


if __name__ == "__main__":
    main()
