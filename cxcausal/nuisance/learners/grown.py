"""Trees that are grown on what splines leave unexplained: smooth along each covariate, and joint where that matters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.binned import Boost, Goal, Sizes
from cxcausal.nuisance.learners.boosting import constant
from cxcausal.nuisance.learners.splines import Bent, bent, learned
from cxcausal.nuisance.learning import Split, is_binary

SIZES = Sizes(rate=0.05, leaves=4, fewest_in_leaf=10)
_SURE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Grown:
    """LightGBM started from the splines' predictions, instead of from a constant."""

    name: ClassVar[str] = "grown"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        goal = Goal(kind="binary" if is_binary(y, use) else "regression")
        return _grown(features, bent(features), np.where(use, y, 0.0), use, split, goal)


def _grown(features: Features, columns: Bent, y: Floats, use: Flags, split: Split, goal: Goal) -> Floats:
    found, binary = np.empty(len(y)), goal.kind == "binary"
    for train, test in split.parts(use):
        start = learned(columns, y, train, split.weight, binary=binary)
        if constant(y[train]) or not features.columns:
            found[test] = start[test]
            continue
        if binary:
            sure = np.clip(start, _SURE, 1 - _SURE)
            start = np.log(sure / (1 - sure))
        boost = Boost(features=features, y=y, weight=split.weight, goal=goal, seed=split.seed, start=start)
        told = start[test] + boost.fitted(np.flatnonzero(train), SIZES, SIZES.trees)(np.flatnonzero(test))[:, 0]
        found[test] = 1 / (1 + np.exp(-told)) if binary else told
    return found
