"""One point of a growth curve, in a process of its own: `python -m benchmarks.growth_tasks FOLDER '{plan}'`."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.peers import THREADS
from benchmarks.tasks import peak_mib

REPEATS = 3
LONG = 3.0
"""Processor seconds above which a call is not repeated: far above the noise of a single one."""


class _Forgetful:
    """A store that keeps nothing, so that only the analysis is timed."""

    def save(self, stage: str, content: Mapping[str, Any]) -> None:
        """Forget."""


def opened(folder: Path, plan: Mapping[str, Any]) -> Callable[[], object]:
    """Open the data of a plan; what is returned runs the whole analysis: checks, effects, money and verdict."""
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.engines import embedded
    from cxcausal.data.opening import open_dataset
    from cxcausal.pipeline.analyse import RunContext, analyse

    embedded.THREADS = THREADS
    spec = ExperimentSpec.model_validate(plan)
    dataset = open_dataset(spec, folder)
    context = RunContext(
        run_id="growth", plan={}, plan_hash="", registered=False, registration="", created_at="", versions={}
    )
    return lambda: analyse(spec, dataset, context, _Forgetful())


def measured(folder: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return (wall, processor) seconds to open, of the first call and of the median warm one, and the peak in MiB."""
    marks = [_now()]
    call = opened(folder, plan)
    marks.append(_now())
    for _ in range(1 + REPEATS):
        call()
        marks.append(_now())
        if marks[-1][1] - marks[-2][1] > LONG:
            break
    spent = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(marks)]
    warm = sorted(spent[2:] or spent[1:], key=lambda one: one[1])
    return {"open": spent[0], "first": spent[1], "warm": warm[len(warm) // 2], "peak_mib": peak_mib()}


def main() -> None:
    """Print one JSON line: what was measured, or why the analysis was refused and with which exit code."""
    from cxcausal.core.errors import CxCausalError

    try:
        found = measured(Path(sys.argv[1]), json.loads(sys.argv[2]))
    except CxCausalError as error:
        found = {"refused": str(error), "exit": int(error.exit_code)}
    print(json.dumps(found))  # noqa: T201


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
