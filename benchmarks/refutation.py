"""Refuters timed: `python -m benchmarks.refutation`; each task in a process of its own, ratios of the same run."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[1]
COVARIATES, SIMULATIONS, SUBSET = 12, 100, 0.8
ROWS = 100_000
Times = dict[str, float]


def world(n: int) -> tuple[Floats, npt.NDArray[np.int8], Floats]:
    """Return covariates of shape (n, 12), arms and outcomes of shape (n,)."""
    rng = np.random.default_rng(20261122)
    x = rng.normal(size=(n, COVARIATES))
    t = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int8)
    return x, t, t + x @ rng.normal(size=COVARIATES) + np.sin(2 * x[:, 1]) + rng.normal(size=n)


def linear(n: int) -> Times:
    """Our refuters of a least-squares regression, from shared cross-products."""
    from cxcausal.stats.linear_refuters import common_cause_effects, partialled, placebo_effects, subset_effects

    x, t, y = world(n)
    rng = np.random.default_rng(1)
    started = time.perf_counter()
    found = partialled(y, t.astype(float), x)
    return {
        "shared cross-products": time.perf_counter() - started,
        "placebo": _seconds(lambda: placebo_effects(found, SIMULATIONS, rng)),
        "common cause": _seconds(lambda: common_cause_effects(found, SIMULATIONS, rng)),
        "subset": _seconds(lambda: subset_effects(found, SUBSET, SIMULATIONS, rng)),
    }


def dowhy(n: int) -> Times:
    """DoWhy's refuters of the same regression, serial, with as many simulations."""
    import logging
    import warnings

    import pandas as pd
    from dowhy import CausalModel

    warnings.simplefilter("ignore")
    logging.getLogger("dowhy").setLevel(logging.ERROR)
    x, t, y = world(n)
    names = [f"x{place}" for place in range(COVARIATES)]
    frame = pd.DataFrame(x, columns=names).assign(t=t.astype(int), y=y)
    model = CausalModel(frame, treatment="t", outcome="y", common_causes=names)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")

    def refute(method: str, **more: Any) -> Any:
        return model.refute_estimate(
            estimand, estimate, method_name=method, num_simulations=SIMULATIONS, random_seed=1, n_jobs=1, **more
        )

    return {
        "placebo": _seconds(lambda: refute("placebo_treatment_refuter", placebo_type="permute")),
        "common cause": _seconds(lambda: refute("random_common_cause")),
        "subset": _seconds(lambda: refute("data_subset_refuter", subset_fraction=SUBSET)),
    }


def boosted(n: int) -> Times:
    """One AIPW fit with boosted nuisances, and the default refutation and sensitivity on top of it."""
    from cxcausal.core.measure import Measure
    from cxcausal.core.rows import Rows
    from cxcausal.core.score_queries import EffectQuery, RefutationQuery, SensitivityQuery
    from cxcausal.nuisance.crossfit import Nuisances, Recipe
    from cxcausal.scoring.road import ScoreRoad

    x, t, y = world(n)
    names = tuple(f"x{place}" for place in range(COVARIATES))
    numbers = {"y": y, **{name: x[:, place].copy() for place, name in enumerate(names)}}
    key = np.random.default_rng(2).integers(0, 2**63, n).astype(np.uint64)
    rows = Rows(arms=("c", "t"), arm=t, key=key, numbers=numbers, texts={}, clusters={})
    recipe = Recipe(outcome="lightgbm", propensity="lightgbm", folds=3, repeats=1)
    measure = Measure(name="y", terms=(("y", 1.0),))
    _fitted(ScoreRoad, Nuisances, _first(rows, 2_000), names, recipe, measure)  # imports and threads
    started = time.perf_counter()
    road = _fitted(ScoreRoad, Nuisances, rows, names, recipe, measure)
    fitted = time.perf_counter()
    road.answer([SensitivityQuery(measure=measure, target="ate", alpha=0.05)])
    told = time.perf_counter()
    road.answer([RefutationQuery(measure=measure, target="ate")])
    refuted = time.perf_counter()
    again = _seconds(lambda: road.answer([EffectQuery(measure=measure, target="ate")]))
    return {
        "AIPW fit": fitted - started,
        "sensitivity": told - fitted,
        "refutation": refuted - told,
        "the effect again": again,
    }


def _first(rows: Any, n: int) -> Any:
    from dataclasses import replace

    numbers = {name: values[:n] for name, values in rows.numbers.items()}
    return replace(rows, arm=rows.arm[:n], key=rows.key[:n], numbers=numbers)


def _fitted(road: Any, nuisances: Any, rows: Any, names: tuple[str, ...], recipe: Any, measure: Any) -> Any:
    from cxcausal.core.score_queries import EffectQuery

    made = road(rows=rows, nuisances=nuisances(rows=rows, covariates=names, recipe=recipe), contrasts=(("t", "c"),))
    made.answer([EffectQuery(measure=measure, target="ate")])
    return made


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


TASKS: dict[str, Callable[[int], Times]] = {"linear": linear, "dowhy": dowhy, "boosted": boosted}


def refutation_page(rows: int = ROWS) -> str:
    """Time every task once and return the section of the page."""
    ours, theirs, boosts = (_apart(name, rows) for name in TASKS)
    lines = [
        f"## Refutation, {rows:,} rows, {COVARIATES} covariates",
        f"\nThree refuters of a least-squares regression with {SIMULATIONS} simulations each; then the default",
        "refutation and sensitivity of an effect with boosted nuisances, beside the one fit that they start from.\n",
        "| refuter | cxcausal s | DoWhy s | times faster |\n|---|---|---|---|",
    ]
    lines += [f"| {name} | {ours[name]:.3f} | {s:.1f} | {s / ours[name]:.0f} |" for name, s in theirs.items()]
    own, other = sum(ours.values()), sum(theirs.values())
    lines.append(f"| all three, with the shared cross-products | {own:.3f} | {other:.1f} | {other / own:.0f} |\n")
    fit = boosts["AIPW fit"]
    lines.append("| boosted | s | of one AIPW fit |\n|---|---|---|")
    lines += [f"| {name} | {s:.2f} | {s / fit:.2f} |" for name, s in boosts.items()]
    both = boosts["sensitivity"] + boosts["refutation"]
    goals = (
        (f"linear refuters, times DoWhy: {other / own:.0f} (at least 50)", other / own >= 50),
        (f"refutation and sensitivity, times one AIPW fit: {both / fit:.2f} (at most 4)", both / fit <= 4),
    )
    lines += ["", *(f"- {text}: {'met' if met else '**not met**'}" for text, met in goals), ""]
    return "\n".join(lines)


def _apart(name: str, rows: int) -> Times:
    command = [sys.executable, "-m", "benchmarks.refutation", "--task", name, "--rows", str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print one task's seconds as JSON, or the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=sorted(TASKS))
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    told = partial(refutation_page, options.rows)
    text = told() if options.task is None else json.dumps(TASKS[options.task](options.rows))
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
