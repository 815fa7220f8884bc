"""`score` beside the model that it asks, in processes of their own: `python -m benchmarks.uplift_score NAME ROWS`."""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.apart import ROOT
from benchmarks.clock import Took, median, peak_mib, took
from benchmarks.peers import THREADS
from benchmarks.plans import plan_around
from benchmarks.uplift_peers import COVARIATES, TREATED, world

FOLDER = ROOT / ".cxcausal/bench/score"
LEARNED_FROM, REPEATS = 40_000, 3
NAMES = tuple(f"x{place}" for place in range(COVARIATES))
COST, SHARE = 0.5, 0.1
"""What a contact costs, and for how many of the customers there is money."""
ACTOR = "bench@example.com"
SHAPES = {"trees": "steps", "planes": "spend"}
"""What the model is made of → the outcome whose effects make it so: by steps that no plane has, or smooth ones."""
STEP = 6.0
PREPARED = "prepared"
BARE = {shape: f"predictions of a model of {shape}" for shape in SHAPES}
SCORE = {shape: f"cxcausal, score by a model of {shape}" for shape in SHAPES}


def customers(rows: int) -> Path:
    """Write customers as Parquet where they are missing, and return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = FOLDER / f"customers_{rows}.parquet"
    if not path.exists():
        x, arm, y = world(rows)
        steps = y + STEP * arm * ((x[:, 0] > 0) != (x[:, 1] > 0))
        columns: dict[str, Any] = {"id": np.arange(rows)}
        columns |= {name: values.astype(np.float32) for name, values in zip(NAMES, x.T, strict=True)}
        columns |= {"arm": np.where(arm == 1, "call", "none"), "spend": y, "steps": steps}
        unfinished = path.with_suffix(".partial")
        pq.write_table(pa.table(columns), unfinished, row_group_size=100_000)
        unfinished.replace(path)
    return path


def plan_path(shape: str) -> Path:
    """Return where the plan of a model is."""
    return FOLDER / f"{shape}.yaml"


def prepared(rows: int) -> dict[str, Any]:
    """Learn both models by whole runs of their plans where there are none yet, and write `rows` customers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    customers(rows)
    for shape in SHAPES:
        done = plan_path(shape).with_suffix(".done")
        if not done.exists():
            _learned(shape)
            done.touch()
    return {}


def _learned(shape: str) -> None:
    from cxcausal import api

    outcome = {"name": "outcome", "type": "mean", "column": SHAPES[shape], "desired_direction": "increase"}
    plan = plan_around(customers(LEARNED_FROM).name, [outcome], {"none": str(1 - TREATED), "call": str(TREATED)})
    plan["id"] = f"bench-{shape}"
    plan["data"]["unit"] = "id"
    plan["design"]["treatment"]["arms"]["call"]["unit_cost"] = COST
    plan |= {"effect_modifiers": list(NAMES), "policy": {"budget": SHARE * COST * LEARNED_FROM}}
    plan_path(shape).write_text(json.dumps(plan), encoding="utf-8")
    api.run_tracked(plan_path(shape), root=FOLDER, actor=ACTOR)


def bare(shape: str, rows: int) -> dict[str, Took]:
    """Time the model's predictions of columns that are in memory."""
    import pyarrow.parquet as pq

    from cxcausal.reviewing.choosing_model import chosen_model

    effects = chosen_model(plan_path(shape), None, FOLDER, despite_verdict=True).saved.effects()
    read = pq.read_table(customers(rows), columns=list(NAMES))
    columns = {name: read[name].to_numpy().astype(np.float64) for name in NAMES}
    return {"predict": median([took(lambda: effects.gains(columns)) for _ in range(REPEATS)])}


def scored(shape: str, rows: int) -> dict[str, Took]:
    """Time the whole of `score`: reading, predicting, dealing out a budget, and writing each customer's arm."""
    from cxcausal import api

    source, out = customers(rows), FOLDER / f"treat_{shape}.parquet"

    def once() -> None:
        asked = api.ScoreAsked(on=str(source), out=out, force=True, despite_verdict=True, actor=ACTOR)
        api.score(plan_path(shape), asked, root=FOLDER)

    return {"predict": median([took(once) for _ in range(REPEATS)])}


TASKS: dict[str, Callable[[int], dict[str, Any]]] = {
    PREPARED: prepared,
    **{BARE[shape]: partial(bare, shape) for shape in SHAPES},
    **{SCORE[shape]: partial(scored, shape) for shape in SHAPES},
}


def main() -> None:
    """Print one JSON line: what the task took, and the peak in MiB."""
    from cxcausal.nuisance.threads import VARIABLE, wait_without_spinning

    os.environ[VARIABLE] = str(THREADS)
    wait_without_spinning()
    found = TASKS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({**found, "peak_mib": peak_mib()}))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
