"""Our uplift tasks, timed in a process of their own: `python -m benchmarks.uplift_tasks NAME ROWS`."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.clock import peak_mib, took
from benchmarks.peers import THREADS
from benchmarks.uplift_peers import COVARIATES, NAIVE_DRAWS, TREATED, Timed, world
from cxcausal.nuisance.threads import VARIABLE, wait_without_spinning

NAMES = tuple(f"x{place}" for place in range(COVARIATES))
LEARNERS = ("t", "x", "dr")


def whole_stage(rows: int) -> Timed:
    """Time turns, tests, policies with their frontier, and the model; then its predictions.

    Libraries are imported before, as the peers' are.
    """
    import lightgbm  # noqa: F401

    from cxcausal.core.held_out import Aim, Rules, Spending
    from cxcausal.core.measure import Measure
    from cxcausal.core.rows import Rows
    from cxcausal.heterogeneity.effect_model import effect_model
    from cxcausal.heterogeneity.telling import told_of
    from cxcausal.heterogeneity.turning import held_out
    from cxcausal.nuisance.crossfit import Nuisances, Recipe
    from cxcausal.policy.deciding import policy_of
    from cxcausal.policy.question import Question

    x, arm, y = world(rows)
    columns = {name: np.ascontiguousarray(values) for name, values in zip(NAMES, x.T, strict=True)}
    del x  # a run has no such matrix
    numbers = {**columns, "y": y}
    key = np.random.default_rng(3).integers(0, 2**63, rows, dtype=np.uint64)
    data = Rows(arms=("none", "call"), arm=arm.astype(np.int8), key=key, numbers=numbers, texts={}, clusters={})
    measure = Measure(name="y", terms=(("y", 1.0),), arm_constant=(("call", -0.5),))
    aim = Aim(name="y", label="y", unit="", measure=measure, sign=1, costs=True)
    everybody, ones = np.ones(rows, dtype=np.bool_), np.ones(rows)
    given: dict[str, Any] = {
        "modifiers": NAMES,
        "nuisances": Nuisances(rows=data, covariates=NAMES, recipe=Recipe(), known=(1 - TREATED, TREATED)),
        "eligible": everybody,
        "weight": ones,
        "learners": LEARNERS,
    }
    models: list[Any] = []

    def stage() -> None:
        held = held_out(data, aim, **given)
        told_of(held, alpha=0.05)
        spending = Spending(cost=np.array([0.0, 0.5]), budget=0.1, priced=True)
        policy_of(held, spending, Rules(eligible=everybody), Question(modifiers=NAMES))
        models.append(effect_model(data, aim, **given, held=held)[0])

    return {"fit": took(stage), "predict": took(lambda: models[0].gains(columns))}


def qini(rows: int) -> Timed:
    """Time the Qini of scores with its interval, by influence function."""
    from cxcausal.stats import targeting
    from cxcausal.stats.ranks import ranked

    x, arm, y = world(rows)
    gain = np.where(arm == 1, 1 / TREATED, -1 / (1 - TREATED)) * (y > 0)

    def interval() -> None:
        point, influence = targeting.qini(ranked(x[:, 1]), gain)
        half = 1.96 * influence.std() / np.sqrt(rows)
        assert point - half < point + half  # noqa: S101 - the interval is what is timed

    return {"fit": took(interval)}


QINI = f"cxcausal, Qini with its interval (against {NAIVE_DRAWS} draws)"
STAGE = "cxcausal, whole stage"
TASKS: dict[str, Callable[[int], Timed]] = {STAGE: whole_stage, QINI: qini}


def main() -> None:
    """Print one JSON line: what the task and its predictions took, and the peak in MiB."""
    os.environ[VARIABLE] = str(THREADS)
    wait_without_spinning()
    found = TASKS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({**found, "peak_mib": peak_mib()}))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
