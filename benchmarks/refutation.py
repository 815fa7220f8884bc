"""Refuters timed: `python -m benchmarks.refutation [ROWS]`; tasks in processes of their own, ratios of the same run."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.apart import Found, apart
from benchmarks.clock import Took, together, took
from benchmarks.goals import READING, Goal, faster, table, times
from benchmarks.peers import THREADS
from benchmarks.sections import asked, put

Floats = npt.NDArray[np.float64]
COVARIATES, SIMULATIONS, SUBSET, FOLDS = 12, 100, 0.8, 3
TIMED_SIMULATIONS = 2
"""Of DoWhy's refuters with boosted models: a hundred would take half an hour, and each takes the same."""
ROWS = 100_000
Times = dict[str, Took]


def world(n: int) -> tuple[Floats, npt.NDArray[np.int8], Floats]:
    """Return covariates of shape (n, 12), arms and outcomes of shape (n,)."""
    rng = np.random.default_rng(20261122)
    x = rng.normal(size=(n, COVARIATES))
    t = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int8)
    return x, t, t + x @ rng.normal(size=COVARIATES) + np.sin(2 * x[:, 1]) + rng.normal(size=n)


def linear(n: int) -> Times:
    """Our refuters of a least-squares regression, from shared cross-products."""
    from cxcausal.stats import linear_refuters as refuters

    x, t, y = world(n)
    rng = np.random.default_rng(1)
    found: list[refuters.Partialled] = []
    shared = took(lambda: found.append(refuters.partialled(y, t.astype(float), x)))
    return {
        "shared cross-products": shared,
        "placebo": took(lambda: refuters.placebo_effects(found[0], SIMULATIONS, rng)),
        "common cause": took(lambda: refuters.common_cause_effects(found[0], SIMULATIONS, rng)),
        "subset": took(lambda: refuters.subset_effects(found[0], SUBSET, SIMULATIONS, rng)),
    }


def dowhy(n: int) -> Times:
    """DoWhy's refuters of the same regression, serial, with as many simulations."""
    return _refuted(n, "backdoor.linear_regression", {}, SIMULATIONS)


def dowhy_boosted(n: int) -> Times:
    """DoWhy's refuters of EconML's effect with the models of `boosted`: a few simulations, told as all."""
    import lightgbm

    from cxcausal.nuisance.learners.binned import Sizes

    own = Sizes()
    sizes: dict[str, Any] = {
        "n_estimators": own.trees,
        "num_leaves": own.leaves,
        "learning_rate": own.rate,
        "min_child_samples": own.fewest_in_leaf,
        "reg_lambda": own.ridge,
        "n_jobs": THREADS,
        "verbose": -1,
    }
    models = {
        "model_regression": lightgbm.LGBMRegressor(**sizes),
        "model_propensity": lightgbm.LGBMClassifier(**sizes),
        "cv": FOLDS,
        "random_state": 1,
    }
    parameters = {"init_params": models, "fit_params": {}}
    found = _refuted(n, "backdoor.econml.dr.LinearDRLearner", parameters, TIMED_SIMULATIONS)
    return {
        name: {kind: s * SIMULATIONS / TIMED_SIMULATIONS for kind, s in each.items()} for name, each in found.items()
    }


def _refuted(n: int, method: str, parameters: Mapping[str, Any], simulations: int) -> Times:
    import logging
    import warnings

    import pandas as pd
    from dowhy import CausalModel

    warnings.simplefilter("ignore")
    logging.getLogger("dowhy").setLevel(logging.CRITICAL)
    x, t, y = world(n)
    names = [f"x{place}" for place in range(COVARIATES)]
    frame = pd.DataFrame(x, columns=names).assign(t=t.astype(int), y=y)
    model = CausalModel(frame, treatment="t", outcome="y", common_causes=names)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name=method, method_params=dict(parameters) or None)

    def refute(name: str, **more: Any) -> Any:
        return model.refute_estimate(
            estimand, estimate, method_name=name, num_simulations=simulations, random_seed=1, n_jobs=1, **more
        )

    return {
        "placebo": took(lambda: refute("placebo_treatment_refuter", placebo_type="permute")),
        "common cause": took(lambda: refute("random_common_cause")),
        "subset": took(lambda: refute("data_subset_refuter", subset_fraction=SUBSET)),
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
    recipe = Recipe(outcome="lightgbm", propensity="lightgbm", folds=FOLDS, repeats=1)
    measure = Measure(name="y", terms=(("y", 1.0),))
    _fitted(ScoreRoad, Nuisances, _first(rows, 2_000), names, recipe, measure)  # imports and threads
    roads: list[Any] = []
    fit = took(lambda: roads.append(_fitted(ScoreRoad, Nuisances, rows, names, recipe, measure)))
    road = roads[0]
    return {
        "AIPW fit": fit,
        "sensitivity": took(lambda: road.answer([SensitivityQuery(measure=measure, target="ate", alpha=0.05)])),
        "refutation": took(lambda: road.answer([RefutationQuery(measure=measure, target="ate")])),
        "the effect again": took(lambda: road.answer([EffectQuery(measure=measure, target="ate")])),
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


TASKS: dict[str, Callable[[int], Times]] = {
    "linear": linear,
    "dowhy": dowhy,
    "boosted": boosted,
    "dowhy boosted": dowhy_boosted,
}


def section(rows: int, found: Mapping[str, Found]) -> str:
    """Return the section of the page; of a peer that was stopped, `found` holds nothing."""
    ours, theirs, boosts, boosted_theirs = (found[name] for name in TASKS)
    lines = [
        f"## Refutation\n\n{rows:,} rows, {COVARIATES} covariates, {THREADS} threads. Three refuters of least squares",
        f"with {SIMULATIONS} simulations each; then the default refutation and sensitivity of an effect with boosted",
        "nuisances, beside the one fit that they start from. DoWhy's refuters with boosted models (EconML's",
        f"LinearDRLearner) are timed for {TIMED_SIMULATIONS} simulations each, and told as {SIMULATIONS}.\n",
        READING,
        *table(_goals(rows, found)),
        "",
        "| least squares | cxcausal s | DoWhy s | times faster |\n|---|---|---|---|",
    ]
    lines += [_compared(name, ours[name], each) for name, each in theirs.items()]
    if theirs:
        lines.append(_compared("all three, with the shared cross-products", _all(ours), _all(theirs)))
    fit = boosts["AIPW fit"]["used"]
    lines.append("\n| boosted | s | processor s | of one AIPW fit, of the processor |\n|---|---|---|---|")
    lines += [
        f"| {name} | {each['seconds']:.2f} | {each['used']:.2f} | {each['used'] / fit:.2f} |"
        for name, each in [*boosts.items(), *((f"DoWhy's {name}", each) for name, each in boosted_theirs.items())]
    ]
    stopped = [name for name in TASKS if not found[name]]
    if stopped:
        lines.append(f"\nStopped, since they took too long: {', '.join(stopped)}.")
    return "\n".join([*lines, ""])


def _goals(rows: int, found: Mapping[str, Found]) -> Iterator[Goal]:
    ours, theirs, boosts, boosted_theirs = (found[name] for name in TASKS)
    both = together(boosts["sensitivity"], boosts["refutation"])
    if theirs:
        yield faster("linear refuters, times faster than DoWhy's", rows, _all(ours), _all(theirs), 50)
    yield times("boosted refutation and sensitivity, times one AIPW fit", rows, both, boosts["AIPW fit"], 4)
    if boosted_theirs:
        yield faster("the same, times faster than DoWhy's three", rows, both, _all(boosted_theirs), 20)


def _all(found: Found) -> Took:
    return together(*found.values())


def _compared(name: str, ours: Took, theirs: Took) -> str:
    return f"| {name} | {ours['seconds']:.4f} | {theirs['seconds']:.1f} | {theirs['seconds'] / ours['seconds']:.0f} |"


def main() -> None:
    """Print one task's seconds as JSON, or measure all and write the section of the page."""
    parser = asked(__doc__)
    parser.add_argument("--task", choices=sorted(TASKS))
    options = parser.parse_args()
    rows = options.rows[0] if options.rows else ROWS
    if options.task is not None:
        from cxcausal.nuisance.threads import VARIABLE, wait_without_spinning

        os.environ[VARIABLE] = str(THREADS)
        wait_without_spinning()
        sys.stdout.write(json.dumps(TASKS[options.task](rows)) + "\n")
        return
    found = {name: apart("benchmarks.refutation", rows, "--task", name) or {} for name in TASKS}
    if not found["linear"] or not found["boosted"]:
        raise SystemExit("our own refuters took too long")
    put(section(rows, found), "refutation", options.out)


if __name__ == "__main__":
    main()
