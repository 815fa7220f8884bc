"""Spark beside the embedded engine: `make growth` times both in turn and writes docs/engines-spark.md.

Needs the extra `spark` and Java 17. `--rows 1000000` for other sizes; `--once ENGINE FILE` is one timing, as JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.peers import THREADS
from benchmarks.plans import plan_of
from benchmarks.world import write_world

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/engines-spark.md"
FOLDER = ROOT / ".cxcausal/bench"
ENGINES = ("duckdb", "spark")
REPEATS = 3
Numbers = list[list[float | None]]
TOLERANCE = 1e-9
_HEAD = """# Spark beside the embedded engine, measured

Written by `make growth`. Five metrics in two arms, spend adjusted for spend before (CUPED), the split
check and three segments, from one Parquet file. Both engines compute on this machine, on {cores} cores. "Ready" is
from the plan to validated units, and for Spark it holds the start of its machine; "first" and "warm" are the whole
table of effects, the first time and the median of {repeats} more. CPU seconds are of the process and of Spark's machine
together, and tell more than the clock where others compute beside. The largest relative difference of any number
between both engines was {gap:.0e}.

| rows | engine | ready s | first s | warm s | CPU s in all |
|---|---|---|---|---|---|
"""


def effects_of(engine: str, path: Path) -> tuple[Callable[[], Any], Callable[[], float]]:
    """Return what computes the effects over an open dataset, and what tells the CPU seconds so far."""
    from cxcausal.core.protocols import Estimator
    from cxcausal.core.queries import FlowQuery
    from cxcausal.core.registry import Registry
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.engines import Session, embedded
    from cxcausal.data.opening import open_dataset
    from cxcausal.estimators.multiplicity import apply_multiplicity

    embedded.THREADS = THREADS
    spec = ExperimentSpec.model_validate(plan_of(path.name, segments=3, adjusted=True))
    kind: Estimator = Registry(kind="estimators").load("difference_in_means")()
    srm = Registry(kind="checks").load("srm")()
    dataset = open_dataset(spec, path.parent, session=Session(engine=engine))
    metrics = [metric for _, metric in spec.metrics.with_roles()]

    def effects() -> Any:
        asked = [query for metric in metrics for query in kind.queries(spec, metric, dataset.levels)]
        answers = dataset.answer((FlowQuery(), *srm.queries(spec), *asked))
        rows = [row for metric in metrics for row in kind.compare(spec, metric, dataset.levels, answers)]
        return apply_multiplicity(rows, spec.analysis)

    def cpu() -> float:
        session = getattr(dataset.engine, "session", None)
        return time.process_time() + (0.0 if session is None else _cpu_of(machine_of(session)))

    return effects, cpu


def machine_of(session: Any) -> int:
    """Return the process of the Java machine behind a session."""
    found: int = session.sparkContext._gateway.proc.pid  # noqa: SLF001 - Spark tells it nowhere else
    return found


def _cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def once(engine: str, path: Path) -> dict[str, Any]:
    """Time one engine in this process."""
    begun = time.perf_counter()
    effects, cpu = effects_of(engine, path)
    ready = time.perf_counter() - begun
    times, found = [], None
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        found = effects()
        times.append(time.perf_counter() - start)
    warm = sorted(times[1:])[REPEATS // 2]
    numbers = [[row.point, row.se, row.low, row.high] for row in found or ()]
    return {"ready": ready, "first": times[0], "warm": warm, "cpu": cpu(), "numbers": numbers}


def gap_between(one: Numbers, two: Numbers) -> float:
    """Return the largest relative difference of two tables of numbers; a number for none is infinitely far."""
    pairs = [pair for mine, theirs in zip(one, two, strict=True) for pair in zip(mine, theirs, strict=True)]
    return max(_gap(*pair) for pair in pairs if pair != (None, None))


def _gap(one: float | None, other: float | None) -> float:
    if one is None or other is None:
        return inf
    return abs(one - other) / max(abs(one), abs(other), sys.float_info.min)


def main() -> None:
    """Write the data where they are missing, time both engines in processes of their own, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 14_000_000])
    parser.add_argument("--once", nargs=2, metavar=("ENGINE", "FILE"))
    asked = parser.parse_args()
    if asked.once:
        sys.stdout.write(json.dumps(once(asked.once[0], Path(asked.once[1]))) + "\n")
        return
    lines, gaps = [], []
    for rows in asked.rows:
        path = FOLDER / f"world_{rows}.parquet"
        if not path.exists():
            write_world(path, rows)
        found = {engine: _apart(engine, path) for engine in ENGINES}
        gaps.append(gap_between(*(one["numbers"] for one in found.values())))
        for engine, one in found.items():
            cells = " | ".join(f"{one[name]:.1f}" for name in ("ready", "first", "warm", "cpu"))
            lines.append(f"| {rows:,} | {engine} | {cells} |\n")
    if max(gaps) > TOLERANCE:
        raise SystemExit(f"the engines differ by {max(gaps)}")
    PAGE.write_text(_HEAD.format(cores=os.cpu_count(), repeats=REPEATS, gap=max(gaps)) + "".join(lines), "utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


def _apart(engine: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.spark", "--once", engine, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
