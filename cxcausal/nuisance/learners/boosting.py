"""Gradient boosting: LightGBM, and scikit-learn's histogram boosting."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.binned import Boost, Goal, Sizes
from cxcausal.nuisance.learning import Split, is_binary, shares_of, weighted_mean
from cxcausal.nuisance.threads import boosting_level

SIZES = Sizes()
STUMPS = Sizes(trees=150, leaves=2, fewest_in_leaf=10)
"""Trees of one step each, whose sum is a step function of every covariate."""


@dataclass(frozen=True, kw_only=True)
class LightGbm:
    """LightGBM with its deterministic histograms; features are binned once for all folds, arms and outcomes.

    `sizes` are `SIZES` where there are none.
    """

    name: ClassVar[str] = "lightgbm"
    sizes: Sizes | None = None

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        goal = Goal(kind="binary" if is_binary(y, use) else "regression")
        return self._boosted(features, np.where(use, y, 0.0), use, split, goal)[:, 0]

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        everybody = np.ones(len(codes), dtype=bool)
        if classes == 2:  # noqa: PLR2004 - one probability tells both
            ones = self._boosted(features, codes.astype(np.float64), everybody, split, Goal(kind="binary"))[:, 0]
            return np.column_stack([1 - ones, ones])
        goal = Goal(kind="multiclass", classes=classes)
        return self._boosted(features, codes.astype(np.float64), everybody, split, goal)

    def _boosted(self, features: Features, y: Floats, use: Flags, split: Split, goal: Goal) -> Floats:
        found, sizes = np.empty((len(y), goal.classes)), self.sizes or SIZES
        for train, test in split.parts(use):
            weight = split.weights(train)
            if constant(y[train]) or not features.columns:
                found[test] = shares_of(y[train], weight, goal.classes)
                continue
            boost = Boost(features=features, y=y, weight=split.weight, goal=goal, seed=split.seed)
            found[test] = boost.fitted(np.flatnonzero(train), sizes, sizes.trees)(np.flatnonzero(test))
        return found


@dataclass(frozen=True, kw_only=True)
class HistGradientBoosting:
    """scikit-learn's histogram boosting with the same sizes."""

    name: ClassVar[str] = "hist_gradient_boosting"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: PLC0415

        binary = is_binary(y, use)
        kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        found = np.empty(len(y))
        for train, test in split.parts(use):
            if constant(y[train]) or not features.columns:
                found[test] = weighted_mean(y[train], split.weights(train))
                continue
            with boosting_level(len(y)):
                model = _histogram(kind).fit(features.matrix[train], y[train], sample_weight=split.weights(train))
                seen = features.matrix[test]
                found[test] = model.predict_proba(seen)[:, 1] if binary else model.predict(seen)
        return found

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - heavy

        found = np.zeros((len(codes), classes))
        for train, test in split.parts(np.ones(len(codes), dtype=bool)):
            if constant(codes[train]) or not features.columns:
                found[test] = shares_of(codes[train].astype(np.float64), split.weights(train), classes)
                continue
            model = _histogram(HistGradientBoostingClassifier)
            with boosting_level(len(codes)):
                model.fit(features.matrix[train], codes[train], sample_weight=split.weights(train))
                found[np.ix_(test, model.classes_)] = model.predict_proba(features.matrix[test])
        return found


def _histogram(kind: Any) -> Any:  # noqa: ANN401 - two classes of scikit-learn with the same options
    return kind(
        max_iter=SIZES.trees,
        learning_rate=SIZES.rate,
        max_leaf_nodes=SIZES.leaves,
        min_samples_leaf=SIZES.fewest_in_leaf,
        l2_regularization=SIZES.ridge,
        early_stopping=False,
        random_state=0,
    )


def constant(y: npt.NDArray[Any]) -> bool:
    """Tell whether nothing varies."""
    return not len(y) or bool(y.min() == y.max())
