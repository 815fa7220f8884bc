"""What needs rows, timed in a process of its own: `python -m benchmarks.score_tasks NAME ROWS REPEATS`."""

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.clock import median, peak_mib, took
from benchmarks.peers import THREADS
from cxcausal.core.hashing import mixed
from cxcausal.core.rows import Rows, Text
from cxcausal.nuisance.threads import VARIABLE, wait_without_spinning

FOLDS = 3
TREES, LEAVES, RATE, FEWEST, RIDGE = 100, 31, 0.1, 20, 1.0
COVARIATES = tuple(f"x{place}" for place in range(12))
WARM_UP = 2_000
ONE = "cxcausal"
WHOLE = f"{ONE}, 2 metrics, 3 populations, 10 segments, sensitivity"
Call = Callable[[], tuple[float, float]]
"""Returns an effect and its standard error."""


def world(n: int, *, seed: int = 1) -> Rows:
    """Return customers with twelve covariates, two outcomes and ten segments; calls add .3 to outcomes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(COVARIATES)))
    chance = 1 / (1 + np.exp(0.3 - 0.6 * x[:, 0] + 0.5 * x[:, 1] - 0.3 * x[:, 2] * x[:, 3]))
    arm = (rng.random(n) < chance).astype(np.int8)
    numbers = {name: x[:, place].copy() for place, name in enumerate(COVARIATES)}
    for name in ("y", "z"):
        numbers[name] = x[:, 0] + 0.5 * x[:, 1] ** 2 + arm * (0.3 + 0.2 * x[:, 2]) + rng.normal(size=n)
    segments = Text(codes=rng.integers(0, 10, n).astype(np.int32), levels=tuple(f"s{place}" for place in range(10)))
    key = mixed(np.arange(n, dtype=np.uint64), 7)
    texts = {"segment": segments}
    return Rows(arms=("none", "call"), arm=arm, key=key, numbers=numbers, texts=texts, clusters={})


def parameters() -> dict[str, Any]:
    """Return LightGBM's parameters, the same for all."""
    return {
        "n_estimators": TREES,
        "num_leaves": LEAVES,
        "learning_rate": RATE,
        "min_child_samples": FEWEST,
        "reg_lambda": RIDGE,
        "n_jobs": THREADS,
        "verbose": -1,
    }


def ours(rows: Rows, *, whole: bool) -> Call:
    """One metric's effect; or two metrics', on three target populations and in ten segments, with sensitivity."""
    from cxcausal.core.measure import Measure
    from cxcausal.core.score_queries import TARGETS, EffectQuery, ScoreQuery, SensitivityQuery
    from cxcausal.nuisance.crossfit import Nuisances, Recipe
    from cxcausal.nuisance.learners import boosting
    from cxcausal.nuisance.learners.binned import Sizes
    from cxcausal.scoring.road import ScoreRoad

    boosting.SIZES = Sizes(trees=TREES, rate=RATE, leaves=LEAVES, fewest_in_leaf=FEWEST, ridge=RIDGE)
    recipe = Recipe(outcome="lightgbm", propensity="lightgbm", folds=FOLDS, repeats=1)
    first, *more = [Measure(name=name, terms=((name, 1.0),)) for name in (("y", "z") if whole else ("y",))]
    asked: list[ScoreQuery] = [EffectQuery(measure=first, target="ate")]
    if whole:
        asked = [EffectQuery(measure=one, target=target) for one in (first, *more) for target in reversed(TARGETS)]
        asked += [EffectQuery(measure=one, target="ate", by="segment") for one in (first, *more)]
        asked += [SensitivityQuery(measure=one, target="ate", alpha=0.05) for one in (first, *more)]

    def effect() -> tuple[float, float]:
        made = Nuisances(rows=rows, covariates=COVARIATES, recipe=recipe)
        road = ScoreRoad(rows=rows, nuisances=made, contrasts=(("call", "none"),))
        answer: Any = road.answer(asked)[asked[0]]
        found, one = answer.effects["call", "none", ""], np.array([1.0, -1.0])
        return float(found.mean[0] - found.mean[1]), float(np.sqrt(one @ found.covariance @ one))

    return effect


def by_hand(rows: Rows) -> Call:
    """AIPW as it is written by hand: one loop over folds."""
    import lightgbm

    x, a, y = _columns(rows)
    fold = np.arange(rows.n) % FOLDS

    def effect() -> tuple[float, float]:
        mean, chance = np.zeros((rows.n, 2)), np.zeros(rows.n)
        for place in range(FOLDS):
            train, test = fold != place, fold == place
            for arm in (0, 1):
                own = train & (a == arm)
                mean[test, arm] = lightgbm.LGBMRegressor(**parameters()).fit(x[own], y[own]).predict(x[test])
            chance[test] = lightgbm.LGBMClassifier(**parameters()).fit(x[train], a[train]).predict_proba(x[test])[:, 1]
        chance = np.clip(chance, 0.01, 0.99)
        score = mean[:, 1] - mean[:, 0] + a * (y - mean[:, 1]) / chance - (1 - a) * (y - mean[:, 0]) / (1 - chance)
        return float(score.mean()), float(score.std() / np.sqrt(rows.n))

    return effect


def econml(rows: Rows, *, kind: str) -> Call:
    """EconML's LinearDRLearner (with its average effect) or LinearDML."""
    import lightgbm
    from econml.dml import LinearDML
    from econml.dr import LinearDRLearner

    x, a, y = _columns(rows)

    def effect() -> tuple[float, float]:
        regressor, classifier = lightgbm.LGBMRegressor(**parameters()), lightgbm.LGBMClassifier(**parameters())
        if kind == "dr":
            model = LinearDRLearner(
                model_regression=regressor, model_propensity=classifier, cv=FOLDS, random_state=1, categories=[0, 1]
            )
        else:
            model = LinearDML(
                model_y=regressor, model_t=classifier, discrete_treatment=True, cv=FOLDS, random_state=1,
                categories=[0, 1],
            )  # fmt: skip
        model.fit(y, a, X=None, W=x)
        found = model.ate_inference(T0=0, T1=1)
        return float(np.ravel(found.mean_point)[0]), float(np.ravel(found.stderr_mean)[0])

    return effect


def doubleml(rows: Rows) -> Call:
    """DoubleML's interactive regression model."""
    import lightgbm
    from doubleml import DoubleMLData, DoubleMLIRM

    x, a, y = _columns(rows)

    def effect() -> tuple[float, float]:
        data = DoubleMLData.from_arrays(x, y, a)
        learners = lightgbm.LGBMRegressor(**parameters()), lightgbm.LGBMClassifier(**parameters())
        model = DoubleMLIRM(data, *learners, n_folds=FOLDS, n_rep=1).fit()
        return float(model.coef[0]), float(model.se[0])

    return effect


def _columns(rows: Rows) -> tuple[Any, Any, Any]:
    x = np.column_stack([rows.numbers[name] for name in COVARIATES])
    return x, rows.arm.astype(np.int64), rows.numbers["y"]


SCORE_TASKS: dict[str, Callable[[Rows], Call]] = {
    "AIPW by hand": by_hand,
    ONE: lambda rows: ours(rows, whole=False),
    WHOLE: lambda rows: ours(rows, whole=True),
    "EconML LinearDRLearner": lambda rows: econml(rows, kind="dr"),
    "EconML LinearDML": lambda rows: econml(rows, kind="dml"),
    "DoubleML IRM": doubleml,
}


def main() -> None:
    """Print one JSON line: the median of seconds and of processor seconds, peak memory, the effect and its error."""
    os.environ[VARIABLE] = str(THREADS)
    wait_without_spinning()
    warnings.simplefilter("ignore")  # the peers' own, about names of columns
    SCORE_TASKS[sys.argv[1]](world(WARM_UP))()  # so that no call that is timed imports anything
    call = SCORE_TASKS[sys.argv[1]](world(int(sys.argv[2])))
    effects: list[tuple[float, float]] = []
    times = [took(lambda: effects.append(call())) for _ in range(int(sys.argv[3]))]
    point, se = effects[-1]
    found = {**median(times), "peak_mib": peak_mib(), "point": point, "se": se}
    print(json.dumps(found))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
