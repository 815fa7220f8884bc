"""Score roads on drawn units: nuisances learned of them, or given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.nuisance.crossfit import Nuisances, Outcome, Propensity, Recipe
from cxcausal.scoring.road import ScoreRoad

LINEAR = Recipe(outcome="linear", propensity="logistic", folds=3, repeats=1)
Y = Measure(name="y", terms=(("y", 1.0),))


@dataclass(kw_only=True)
class Given(Nuisances):
    """Nuisances that somebody else made: shares and means of shape (n, arms)."""

    shares: Floats
    means: dict[str, Floats]

    @property
    def propensity(self) -> Propensity:
        return Propensity(shares=np.stack([self.shares] * self.recipe.repeats), facts=())

    def outcome(self, name: str, y: Floats, seen: Flags) -> Outcome:
        if name not in self.means:
            return super().outcome(name, y, seen)
        return Outcome(mean=np.stack([self.means[name]] * self.recipe.repeats), answered=None, facts=())


def rows_of(arm: npt.NDArray[Any], numbers: dict[str, Floats], *, arms: tuple[str, ...] = ("c", "t")) -> Rows:
    """Return units whose ids are hashed from their places."""
    key = np.random.default_rng(5).integers(0, 2**63, len(arm)).astype(np.uint64)
    return Rows(arms=arms, arm=arm.astype(np.int8), key=key, numbers=numbers, texts={}, clusters={})


def road_of(rows: Rows, covariates: tuple[str, ...], recipe: Recipe = LINEAR, **given: Any) -> ScoreRoad:
    """Return the road of some units, every arm against the first."""
    kind = Given if given else Nuisances
    nuisances = kind(rows=rows, covariates=covariates, recipe=recipe, **given)
    return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=tuple((arm, rows.arms[0]) for arm in rows.arms[1:]))


def drawn(n: int, seed: int, *, arms: int = 2, effect: float = 1.0, recipe: Recipe = LINEAR) -> ScoreRoad:
    """Return a confounded world: four covariates, of which the first two move arms, the first and third the outcome."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    logit = np.column_stack([np.zeros(n)] + [0.6 * x[:, 0] + 0.3 * place * x[:, 1] for place in range(1, arms)])
    shares = np.exp(logit)
    shares /= shares.sum(axis=1, keepdims=True)
    arm = (rng.random(n)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    y = effect * arm + x[:, 0] + x[:, 2] + rng.normal(size=n)
    numbers = {"y": y, "rate": (y > 1).astype(float), "d": 1 + rng.random(n), **{f"x{j}": x[:, j] for j in range(4)}}
    return road_of(rows_of(arm, numbers, arms=("c", "t", "u")[:arms]), ("x0", "x1", "x2", "x3"), recipe)
