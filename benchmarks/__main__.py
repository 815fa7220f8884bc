"""`make bench`: time every task in its own process and write docs/benchmarks.md."""

import argparse
import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.tasks import TASKS, THREADS
from benchmarks.world import write_world

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/benchmarks.md"
STARTS = (("--help", ()), ("validate", ("experiments/proactive_outreach.yaml",)))
RUNS = 5
INTRODUCTION = """# Benchmarks

Made by `make bench`; every figure is measured. Ratios are of warm medians in the same run, and mean more than seconds.
{threads} threads, Python {python}, duckdb {duckdb}, pandas {pandas}, {machine}.

Five metrics, overall and in three segments, with the split check, from Parquet. cxcausal's sums are exact, so that they
do not depend on threads or row order; the bare SQL's are not.

| task | rows | prepare s | first s | warm s | warm / bare SQL | peak MiB |
|---|---|---|---|---|---|---|
"""


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
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Timed(name=name, rows=rows, **json.loads(done.stdout.splitlines()[-1]))


def started(words: tuple[str, ...]) -> float:
    """Return the median wall time of a command, as a whole process."""
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cxcausal", *words], cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    return sorted(times)[RUNS // 2]


def page(found: list[Timed], starts: dict[str, float]) -> str:
    """Return the page: absolute figures for orientation, ratios to compare."""
    base = {row.rows: row.warm for row in found if row.name == "bare SQL"}
    lines = INTRODUCTION.format(
        threads=THREADS,
        python=platform.python_version(),
        duckdb=version("duckdb"),
        pandas=version("pandas"),
        machine=platform.machine(),
    ).splitlines()
    lines += [
        f"| {r.name} | {r.rows:,} | {r.prepare:.2f} | {r.first:.2f} | {r.warm:.3f} | {r.warm / base[r.rows]:.2f} "
        f"| {r.peak_mib:.0f} |"
        for r in found
    ]
    lines += ["", "| command, whole process | median s |", "|---|---|"]
    lines += [f"| `cxcausal {name}` | {seconds:.2f} |" for name, seconds in starts.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the data where they are missing, time everything, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 14_000_000])
    sizes = parser.parse_args().rows
    found = []
    for rows in sizes:
        path = ROOT / f".cxcausal/bench/world_{rows}.parquet"
        if not path.exists():
            write_world(path, rows)
        found += [timed(name, path, rows) for name in TASKS]
    starts = {" ".join((verb, *words)): started((verb, *words)) for verb, words in STARTS}
    PAGE.write_text(page(found, starts), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
