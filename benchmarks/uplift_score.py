"""`score` beside the model that it asks, in processes of their own: `python -m benchmarks.uplift_score NAME ROWS`."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.apart import ROOT
from benchmarks.clock import Took, median, peak_mib, took
from benchmarks.peers import THREADS
from benchmarks.plans import plan_around
from benchmarks.uplift_peers import COVARIATES, TREATED, world

FOLDER = ROOT / ".cxcausal/bench/score"
LEARNED_FROM, REPEATS = 100_000, 3
NAMES = tuple(f"x{place}" for place in range(COVARIATES))
COST, SHARE = 0.5, 0.1
"""What a contact costs, and for how many of the customers there is money."""
PLAN, ACTOR = "bench.yaml", "bench@example.com"
PREPARED, BARE, SCORE = "prepared", "the bare model's predictions", "cxcausal, score"


def customers(rows: int) -> Path:
    """Write customers as Parquet where they are missing, and return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = FOLDER / f"customers_{rows}.parquet"
    if not path.exists():
        x, arm, y = world(rows)
        columns: dict[str, Any] = {"id": np.arange(rows)}
        columns |= {name: values.astype(np.float32) for name, values in zip(NAMES, x.T, strict=True)}
        columns |= {"arm": np.where(arm == 1, "call", "none"), "spend": y}
        partial = path.with_suffix(".partial")
        pq.write_table(pa.table(columns), partial, row_group_size=100_000)
        partial.replace(path)
    return path


def prepared(rows: int) -> dict[str, Any]:
    """Learn a model by a whole run of its own plan where there is none yet, and write `rows` customers."""
    from cxcausal import api

    FOLDER.mkdir(parents=True, exist_ok=True)
    customers(rows)
    source = customers(LEARNED_FROM)
    spend = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
    plan = plan_around(source.name, [spend], {"none": str(1 - TREATED), "call": str(TREATED)})
    plan["data"]["unit"] = "id"
    plan["design"]["treatment"]["arms"]["call"]["unit_cost"] = COST
    plan |= {"effect_modifiers": list(NAMES), "policy": {"budget": SHARE * COST * LEARNED_FROM}}
    (FOLDER / PLAN).write_text(json.dumps(plan), encoding="utf-8")
    if not (FOLDER / "done").exists():
        api.run_tracked(FOLDER / PLAN, root=FOLDER, actor=ACTOR)
        (FOLDER / "done").touch()
    return {}


def bare(rows: int) -> dict[str, Took]:
    """Time the model's predictions of columns that are in memory."""
    import pyarrow.parquet as pq

    from cxcausal.reviewing.choosing_model import chosen_model

    effects = chosen_model(FOLDER / PLAN, None, FOLDER, despite_verdict=True).saved.effects()
    read = pq.read_table(customers(rows), columns=list(NAMES))
    columns = {name: read[name].to_numpy().astype(np.float64) for name in NAMES}
    return {"predict": median([took(lambda: effects.gains(columns)) for _ in range(REPEATS)])}


def scored(rows: int) -> dict[str, Took]:
    """Time the whole of `score`: reading, predicting, dealing out a budget, and writing each customer's arm."""
    from cxcausal import api

    source = customers(rows)
    os.chdir(FOLDER)

    def once() -> None:
        asked = api.ScoreAsked(on=str(source), out=Path("treat.parquet"), force=True, despite_verdict=True, actor=ACTOR)
        api.score(FOLDER / PLAN, asked, root=FOLDER)

    return {"predict": median([took(once) for _ in range(REPEATS)])}


TASKS: dict[str, Callable[[int], dict[str, Any]]] = {PREPARED: prepared, BARE: bare, SCORE: scored}


def main() -> None:
    """Print one JSON line: what the task took, and the peak in MiB."""
    from cxcausal.nuisance.threads import VARIABLE, wait_without_spinning

    os.environ[VARIABLE] = str(THREADS)
    wait_without_spinning()
    found = TASKS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({**found, "peak_mib": peak_mib()}))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
