"""Gradient boosting: LightGBM, and scikit-learn's histogram boosting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learning import Split, is_binary, weighted_mean
from cxcausal.nuisance.threads import threads_for

TREES = 100
RATE = 0.05
LEAVES = 15
FEWEST_IN_LEAF = 20


@dataclass(frozen=True, kw_only=True)
class LightGbm:
    """LightGBM with its deterministic histograms; features are binned once for all folds and arms."""

    name: ClassVar[str] = "lightgbm"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        objective = {"objective": "binary" if is_binary(y, use) else "regression"}
        return _boosted(features, np.where(use, y, 0.0), use, split, objective)

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        everybody = np.ones(len(codes), dtype=bool)
        if classes == 2:  # noqa: PLR2004 - one probability tells both
            ones = _boosted(features, codes.astype(np.float64), everybody, split, {"objective": "binary"})
            return np.column_stack([1 - ones, ones])
        objective = {"objective": "multiclass", "num_class": classes}
        return _boosted(features, codes.astype(np.float64), everybody, split, objective)


def _boosted(features: Features, y: Floats, use: Flags, split: Split, objective: Mapping[str, Any]) -> Floats:
    import lightgbm  # noqa: PLC0415 - heavy

    classes = int(objective.get("num_class", 1))
    found = np.empty((len(y), classes))
    parameters = {
        **objective,
        "learning_rate": RATE,
        "num_leaves": LEAVES,
        "min_data_in_leaf": FEWEST_IN_LEAF,
        "lambda_l2": 1.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads_for(len(y)),
        "seed": split.seed % 2**31,
        "verbosity": -1,
    }
    whole = lightgbm.Dataset(features.matrix, label=y, weight=split.weight, params=parameters, free_raw_data=False)
    for train, test in split.parts(use):
        weight = split.weights(train)
        if _constant(y[train]) or not features.columns:
            found[test] = _shares(y[train], weight, classes)
            continue
        part = whole.subset(np.flatnonzero(train), params=parameters)
        model = lightgbm.train(parameters, part, num_boost_round=TREES)
        found[test] = np.reshape(model.predict(features.matrix[test]), (-1, classes))
    return found if classes > 1 else found[:, 0]


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
            if _constant(y[train]) or not features.columns:
                found[test] = weighted_mean(y[train], split.weights(train))
                continue
            model = _histogram(kind).fit(features.matrix[train], y[train], sample_weight=split.weights(train))
            seen = features.matrix[test]
            found[test] = model.predict_proba(seen)[:, 1] if binary else model.predict(seen)
        return found

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - heavy

        found = np.zeros((len(codes), classes))
        for train, test in split.parts(np.ones(len(codes), dtype=bool)):
            if _constant(codes[train]) or not features.columns:
                found[test] = _shares(codes[train].astype(np.float64), split.weights(train), classes)
                continue
            model = _histogram(HistGradientBoostingClassifier)
            model.fit(features.matrix[train], codes[train], sample_weight=split.weights(train))
            found[np.ix_(test, model.classes_)] = model.predict_proba(features.matrix[test])
        return found


def _histogram(kind: Any) -> Any:  # noqa: ANN401 - two classes of scikit-learn with the same options
    return kind(
        max_iter=TREES,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=FEWEST_IN_LEAF,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )


def _constant(y: npt.NDArray[Any]) -> bool:
    return not len(y) or bool(y.min() == y.max())


def _shares(y: Floats, weight: Floats | None, classes: int) -> Floats:
    """Return the mean, or the share of every class, shape (1,) or (classes,)."""
    if classes == 1:
        return np.array([weighted_mean(y, weight)])
    return np.array([weighted_mean((y == place).astype(np.float64), weight) for place in range(classes)])
