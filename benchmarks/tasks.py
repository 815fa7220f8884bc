"""The things that are timed, each run in a process of its own: `python -m benchmarks.tasks NAME FILE`."""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.peers import PEERS, THREADS, Task
from benchmarks.plans import plan_of

REPEATS = 5


def ours(path: Path, *, segments: int, adjusted: bool = False) -> Callable[[], object]:
    """Effects of five metrics and the split check, through the data edge."""
    from cxcausal.core.protocols import Estimator
    from cxcausal.core.queries import FlowQuery
    from cxcausal.core.registry import Registry
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.engines import embedded
    from cxcausal.data.opening import open_dataset
    from cxcausal.estimators.multiplicity import apply_multiplicity

    embedded.THREADS = THREADS
    spec = ExperimentSpec.model_validate(plan_of(path.name, segments=segments, adjusted=adjusted))
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


TASKS: dict[str, Task] = {
    "cxcausal, 3 segments": partial(ours, segments=3),
    "cxcausal, 1 segment": partial(ours, segments=1),
    "cxcausal": partial(ours, segments=0),
    "cxcausal, spend adjusted": partial(ours, segments=0, adjusted=True),
    "cxcausal, spend adjusted, 3 segments": partial(ours, segments=3, adjusted=True),
    **PEERS,
}


def peak_mib() -> float:
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
    peak = peak_mib()
    warm = sorted(times[1:])[len(times[1:]) // 2]
    print(json.dumps({"prepare": prepared - start, "first": times[0], "warm": warm, "peak_mib": peak}))  # noqa: T201


if __name__ == "__main__":
    main()
