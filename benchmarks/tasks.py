"""The things that are timed, each run in a process of its own: `python -m benchmarks.tasks NAME FILE`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.world import METRICS, SEGMENTS

REPEATS = 5
THREADS = 2
Task = Callable[[Path], Callable[[], object]]


def ours(path: Path) -> Callable[[], object]:
    """Effects of five metrics, overall and in three segments, and the split check: through the data edge."""
    from cxcausal.core.protocols import Estimator
    from cxcausal.core.queries import FlowQuery
    from cxcausal.core.registry import Registry
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.opening import open_dataset
    from cxcausal.estimators.multiplicity import apply_multiplicity

    spec = ExperimentSpec.model_validate(_plan(path))
    estimator: Estimator = Registry(kind="estimators").load("difference_in_means")()
    srm = Registry(kind="checks").load("srm")()
    dataset = open_dataset(spec, path.parent)
    metrics = [metric for _, metric in spec.metrics.with_roles()]

    def effects() -> object:
        asked = [query for metric in metrics for query in estimator.queries(spec, metric, dataset.levels)]
        answers = dataset.answer((FlowQuery(), *srm.queries(spec), *asked))
        rows = [row for metric in metrics for row in estimator.compare(spec, metric, dataset.levels, answers)]
        return apply_multiplicity(rows, spec.analysis), srm.judge(spec, answers)

    return effects


def bare_sql(path: Path) -> Callable[[], object]:
    """The same sums as one SQL statement on DuckDB: what the engine itself needs."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    sums = ", ".join(f"count({m}), sum({m}), sum({m}::double * {m}), min({m}), max({m})" for m in METRICS)
    keys = ", ".join(("arm", *SEGMENTS))
    statement = f"SELECT {keys}, count(*), {sums} FROM read_parquet('{path}') GROUP BY {keys}"  # noqa: S608 - ours
    return lambda: connection.execute(statement).fetchall()


def by_pandas(path: Path) -> Callable[[], object]:
    """The same table of means and variances with pandas, reading only the columns that it needs."""
    import pandas as pd

    def table() -> object:
        frame = pd.read_parquet(path, columns=["arm", *METRICS, *SEGMENTS])
        overall = frame.groupby("arm")[list(METRICS)].agg(["count", "mean", "var"])
        return overall, [frame.groupby(["arm", name])[list(METRICS)].agg(["count", "mean", "var"]) for name in SEGMENTS]

    return table


TASKS: dict[str, Task] = {"cxcausal": ours, "bare SQL": bare_sql, "pandas": by_pandas}


def _plan(path: Path) -> dict[str, object]:
    arms = {"none": {"share": "0.15"}, "mail": {"share": "0.85"}}
    kinds = {"visit": "proportion", "conversion": "proportion"}
    metrics = [
        {"name": name, "type": kinds.get(name, "mean"), "column": name, "desired_direction": "increase"}
        for name in METRICS
    ]
    return {
        "schema_version": 1,
        "id": "bench",
        "question": "How long does it take?",
        "owner": "bench@example.com",
        "data": {"source": path.name},
        "design": {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": arms}},
        "segments": list(SEGMENTS),
        "metrics": {"success": metrics[:1], "secondary": metrics[1:]},
    }


def _peak_mib() -> float:
    """Return the largest resident size of this process alone, as Linux counts it since its start."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Print one JSON line: seconds to prepare, of the first call, the median of warm calls, and peak memory."""
    name, path = sys.argv[1], Path(sys.argv[2])
    start = time.perf_counter()
    call = TASKS[name](path)
    prepared = time.perf_counter()
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    peak = _peak_mib()
    warm = sorted(times[1:])[len(times[1:]) // 2]
    print(json.dumps({"prepare": prepared - start, "first": times[0], "warm": warm, "peak_mib": peak}))  # noqa: T201


if __name__ == "__main__":
    main()
