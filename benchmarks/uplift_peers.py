"""Uplift tasks of peers, timed in a process of their own: `python -m benchmarks.uplift_peers NAME ROWS`.

Needs numpy and the peer alone, so that scikit-uplift and causalml can run in an environment of their own.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COVARIATES = 12
TREATED = 0.15
TREES, LEAVES, RATE, FEWEST = 100, 31, 0.1, 20
NAIVE_DRAWS, TIMED_DRAWS = 200, 5
Timed = dict[str, float]
Task = Callable[[Any, Any, Any], Timed]
"""From covariates (n, 12), treatment (n,) of 0 and 1, and outcome (n,) to seconds of `fit` and `predict`."""


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


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def by_hand(x: Any, arm: Any, y: Any) -> Timed:
    """Time two regressions and their difference."""
    models: list[Any] = []
    fit = _seconds(lambda: models.extend(_lightgbm().fit(x[arm == one], y[arm == one]) for one in (0, 1)))
    return {"fit": fit, "predict": _seconds(lambda: models[1].predict(x) - models[0].predict(x))}


def econml_t(x: Any, arm: Any, y: Any) -> Timed:
    """Time EconML's T-learner."""
    from econml.metalearners import TLearner

    model = TLearner(models=_lightgbm(), categories=[0, 1])
    return {"fit": _seconds(lambda: model.fit(y, arm, X=x)), "predict": _seconds(lambda: model.effect(x))}


def econml_dr(x: Any, arm: Any, y: Any) -> Timed:
    """Time EconML's DR learner, boosted throughout."""
    import lightgbm
    from econml.dr import DRLearner

    chance = lightgbm.LGBMClassifier(n_estimators=TREES, num_leaves=LEAVES, learning_rate=RATE, n_jobs=2, verbose=-1)
    model = DRLearner(
        model_regression=_lightgbm(), model_propensity=chance, model_final=_lightgbm(), cv=3, random_state=1,
        categories=[0, 1],
    )  # fmt: skip
    return {"fit": _seconds(lambda: model.fit(y, arm, X=x)), "predict": _seconds(lambda: model.effect(x))}


def two_models(x: Any, arm: Any, y: Any) -> Timed:
    """Time scikit-uplift's TwoModels."""
    from sklift.models import TwoModels

    model = TwoModels(_lightgbm(), _lightgbm())
    return {"fit": _seconds(lambda: model.fit(x, y, arm)), "predict": _seconds(lambda: model.predict(x))}


def causalml_x(x: Any, arm: Any, y: Any) -> Timed:
    """Time causalml's X-learner, told the coin's share."""
    from causalml.inference.meta import BaseXRegressor

    model, share = BaseXRegressor(learner=_lightgbm(), control_name=0), np.full(len(y), TREATED)
    fit = _seconds(lambda: model.fit(X=x, treatment=arm, y=y, p=share))
    return {"fit": fit, "predict": _seconds(lambda: model.predict(X=x, p=share))}


def naive_qini(x: Any, arm: Any, y: Any) -> Timed:
    """Time a bootstrapped Qini of scikit-uplift: a few draws, as so many as are needed would take."""
    from sklift.metrics import qini_auc_score

    rng, told = np.random.default_rng(2), x[:, 1]
    bought = (y > 0).astype(np.int64)

    def once() -> None:
        drawn = rng.integers(0, len(y), len(y))
        qini_auc_score(bought[drawn], told[drawn], arm[drawn])

    taken = sum(_seconds(once) for _ in range(TIMED_DRAWS))
    return {"fit": taken / TIMED_DRAWS * NAIVE_DRAWS, "predict": 0.0}


PEERS: dict[str, Task] = {
    "T-learner by hand": by_hand,
    "EconML T": econml_t,
    "EconML DR": econml_dr,
    "scikit-uplift TwoModels": two_models,
    "causalml X": causalml_x,
    "200 naive bootstraps of scikit-uplift's Qini": naive_qini,
}
ELSEWHERE = ("scikit-uplift TwoModels", "causalml X", "200 naive bootstraps of scikit-uplift's Qini")
"""Those that need the peers' own environment."""


def peak_mib() -> float:
    """Return the largest resident size of this process, as Linux counts it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Print one JSON line: seconds to fit and to predict, and the peak in MiB."""
    warnings.simplefilter("ignore")
    x, arm, y = world(int(sys.argv[2]))
    found = PEERS[sys.argv[1]](x, arm, y)
    print(json.dumps({**found, "peak_mib": peak_mib()}))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()
