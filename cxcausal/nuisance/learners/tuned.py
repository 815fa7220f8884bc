"""LightGBM whose sizes are searched for: a few seeded draws, judged on a fold that was not learned from."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.binned import Boost, Goal, Sizes
from cxcausal.nuisance.learners.boosting import constant
from cxcausal.nuisance.learning import Split, is_binary, shares_of

DRAWS = 4
_LEAVES, _RATES, _FEWEST, _RIDGES = (4, 8, 15, 31, 63), (0.02, 0.05, 0.1), (10, 20, 50, 100), (0.1, 1.0, 10.0)
_MOST_TREES, _PATIENCE, _HELD = 300, 20, 5


@dataclass(frozen=True, kw_only=True)
class TunedLightGbm:
    """LightGBM at the default size or one of `DRAWS` others: the least loss on held-out units of the training folds."""

    name: ClassVar[str] = "lightgbm_tuned"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        goal = Goal(kind="binary" if is_binary(y, use) else "regression")
        return _searched(features, np.where(use, y, 0.0), use, split, goal)[:, 0]

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        several = classes > 2  # noqa: PLR2004 - one probability tells both
        goal = Goal(kind="multiclass", classes=classes) if several else Goal(kind="binary")
        everybody = np.ones(len(codes), dtype=bool)
        found = _searched(features, codes.astype(np.float64), everybody, split, goal)
        return found if several else np.column_stack([1 - found[:, 0], found[:, 0]])


def drawn_sizes(seed: int) -> tuple[Sizes, ...]:
    """Return the default size and `DRAWS` others.

    Example:
        >>> len(drawn_sizes(1)), drawn_sizes(1) == drawn_sizes(1), drawn_sizes(1) == drawn_sizes(2)
        (5, True, False)
    """
    rng = np.random.default_rng(seed)

    def one() -> Sizes:
        return Sizes(
            trees=_MOST_TREES,
            rate=float(rng.choice(_RATES)),
            leaves=int(rng.choice(_LEAVES)),
            fewest_in_leaf=int(rng.choice(_FEWEST)),
            ridge=float(rng.choice(_RIDGES)),
        )

    return (Sizes(trees=_MOST_TREES), *(one() for _ in range(DRAWS)))


def _searched(features: Features, y: Floats, use: Flags, split: Split, goal: Goal) -> Floats:
    found = np.empty((len(y), goal.classes))
    boost = Boost(features=features, y=y, weight=split.weight, goal=goal, seed=split.seed)
    for place, (train, test) in enumerate(split.parts(use)):
        if constant(y[train]) or not features.columns:
            found[test] = shares_of(y[train], split.weights(train), goal.classes)
            continue
        learned, held = _held_out(train, split, place)
        sizes, trees = Sizes(), Sizes().trees
        if not constant(y[learned]) and held.size:
            sizes, trees = _best(boost, learned, held, split.seed + place)
        found[test] = boost.fitted(np.flatnonzero(train), sizes, trees)(np.flatnonzero(test))
    return found


def _held_out(train: Flags, split: Split, place: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return units to learn from and units to judge by: the next fold, or each fifth unit where there are two folds."""
    held = split.fold == (place + 1) % split.folds
    if split.folds == 2:  # noqa: PLR2004 - the other fold is the one to predict
        held = np.arange(len(train)) % _HELD == 0
    return np.flatnonzero(train & ~held), np.flatnonzero(train & held)


def _best(boost: Boost, learned: npt.NDArray[np.intp], held: npt.NDArray[np.intp], seed: int) -> tuple[Sizes, int]:
    """Return the size with the least loss, the first of equals, and its number of trees."""
    judged = [(*boost.stopped(learned, held, sizes, _PATIENCE), sizes) for sizes in drawn_sizes(seed)]
    _, trees, sizes = min(judged, key=lambda one: one[0])
    return sizes, trees
