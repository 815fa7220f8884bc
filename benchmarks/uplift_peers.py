"""Uplift tasks of peers, timed in a process of their own: `python -m benchmarks.uplift_peers NAME ROWS`.

Needs numpy and the peer alone, so that scikit-uplift and causalml can run in an environment of their own.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.clock import Took, peak_mib, took

COVARIATES = 12
TREATED = 0.15
TREES, LEAVES, RATE, FEWEST = 100, 31, 0.1, 20
NAIVE_DRAWS, TIMED_DRAWS = 200, 5
Timed = dict[str, Took]
Task = Callable[[Any, Any, Any], Timed]
"""From covariates (n, 12), treatment (n,) of 0 and 1, and outcome (n,) to what `fit` and `predict` took."""


def world(n: int) -> tuple[Any, Any, Any]:
    """Return covariates, treatment of 15 in 100, and spend that is mostly zero; x0 and x1 change the effect."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, COVARIATES)).astype(np.float32).astype(np.float64)
    arm = (rng.random(n) < TREATED).astype(np.int64)
    chance = 1 / (1 + np.exp(2.5 - 0.5 * x[:, 0] - arm * (0.3 + 0.3 * (x[:, 1] > 0))))
    y = np.where(rng.random(n) < chance, rng.lognormal(3, 0.8, n), 0.0)
    return x, arm, y


def _lightgbm() -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(
        n_estimators=TREES, num_leaves=LEAVES, learning_rate=RATE, min_child_samples=FEWEST, n_jobs=2, verbose=-1
    )


def by_hand(x: Any, arm: Any, y: Any) -> Timed:
    """Time two regressions and their difference."""
    models: list[Any] = []
    fit = took(lambda: models.extend(_lightgbm().fit(x[arm == one], y[arm == one]) for one in (0, 1)))
    return {"fit": fit, "predict": took(lambda: models[1].predict(x) - models[0].predict(x))}


def econml_t(x: Any, arm: Any, y: Any) -> Timed:
    """Time EconML's T-learner."""
    from econml.metalearners import TLearner

    model = TLearner(models=_lightgbm(), categories=[0, 1])
    return {"fit": took(lambda: model.fit(y, arm, X=x)), "predict": took(lambda: model.effect(x))}


def econml_dr(x: Any, arm: Any, y: Any) -> Timed:
    """Time EconML's DR learner, boosted throughout."""
    import lightgbm
    from econml.dr import DRLearner

    chance = lightgbm.LGBMClassifier(n_estimators=TREES, num_leaves=LEAVES, learning_rate=RATE, n_jobs=2, verbose=-1)
    model = DRLearner(
        model_regression=_lightgbm(), model_propensity=chance, model_final=_lightgbm(), cv=3, random_state=1,
        categories=[0, 1],
    )  # fmt: skip
    return {"fit": took(lambda: model.fit(y, arm, X=x)), "predict": took(lambda: model.effect(x))}


def econml_forest(x: Any, arm: Any, y: Any) -> Timed:
    """Time EconML's causal forest, with its own trees and boosted nuisances."""
    import lightgbm
    from econml.dml import CausalForestDML

    model = CausalForestDML(
        model_y=_lightgbm(), model_t=lightgbm.LGBMClassifier(n_estimators=TREES, n_jobs=2, verbose=-1),
        discrete_treatment=True, cv=3, random_state=1, n_jobs=2, categories=[0, 1],
    )  # fmt: skip
    return {"fit": took(lambda: model.fit(y, arm, X=x)), "predict": took(lambda: model.effect(x))}


def two_models(x: Any, arm: Any, y: Any) -> Timed:
    """Time scikit-uplift's TwoModels."""
    from sklift.models import TwoModels

    model = TwoModels(_lightgbm(), _lightgbm())
    return {"fit": took(lambda: model.fit(x, y, arm)), "predict": took(lambda: model.predict(x))}


def causalml_x(x: Any, arm: Any, y: Any) -> Timed:
    """Time causalml's X-learner, told the coin's share."""
    from causalml.inference.meta import BaseXRegressor

    model, share = BaseXRegressor(learner=_lightgbm(), control_name=0), np.full(len(y), TREATED)
    fit = took(lambda: model.fit(X=x, treatment=arm, y=y, p=share))
    return {"fit": fit, "predict": took(lambda: model.predict(X=x, p=share))}


def naive_qini(x: Any, arm: Any, y: Any) -> Timed:
    """Time a bootstrapped Qini of scikit-uplift: a few draws, as so many as are needed would take."""
    from sklift.metrics import qini_auc_score

    rng, told = np.random.default_rng(2), x[:, 1]
    bought = (y > 0).astype(np.int64)

    def some() -> None:
        for _ in range(TIMED_DRAWS):
            drawn = rng.integers(0, len(y), len(y))
            qini_auc_score(bought[drawn], told[drawn], arm[drawn])

    return {"fit": {kind: each / TIMED_DRAWS * NAIVE_DRAWS for kind, each in took(some).items()}}


PEERS: dict[str, Task] = {
    "T-learner by hand": by_hand,
    "EconML T": econml_t,
    "EconML DR": econml_dr,
    "EconML CausalForestDML": econml_forest,
    "scikit-uplift TwoModels": two_models,
    "causalml X": causalml_x,
    "200 naive bootstraps of scikit-uplift's Qini": naive_qini,
}
ELSEWHERE = ("scikit-uplift TwoModels", "causalml X", "200 naive bootstraps of scikit-uplift's Qini")
"""Those that need the peers' own environment."""
SLOW = ("EconML CausalForestDML",)
"""Those that are asked at the smallest size only."""


def main() -> None:
    """Print one JSON line: what fitting and predicting took, and the peak in MiB."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as ours: threads that spin would count as work
    warnings.simplefilter("ignore")
    x, arm, y = world(int(sys.argv[2]))
    found = PEERS[sys.argv[1]](x, arm, y)
    print(json.dumps({**found, "peak_mib": peak_mib()}))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
