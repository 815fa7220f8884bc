"""Regularised logistic regression, and for other outcomes ridge regression."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learning import Split, is_binary, weighted_mean

_STRENGTH = 1.0
_ITERATIONS = 1_000


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """scikit-learn's logistic regression with a mild ridge penalty on standardised columns (one unit's worth)."""

    name: ClassVar[str] = "logistic"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else ridge regression's means, shape (n,)."""
        if is_binary(y, use):
            codes = np.where(use, y, 0.0).astype(np.int8)
            return _shares(features, codes, 2, split, use)[:, 1]
        return _ridge(features, y, use, split)

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes)."""
        return _shares(features, codes, classes, split, np.ones(len(codes), dtype=bool))


def _shares(features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split, use: Flags) -> Floats:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    found = np.zeros((len(codes), classes))
    for train, test in split.parts(use):
        present = np.unique(codes[train])
        if len(present) < 2 or not features.columns:  # noqa: PLR2004 - nothing to tell apart, or nothing to tell it by
            weight = split.weights(train)
            found[test] = [weighted_mean((codes[train] == c).astype(np.float64), weight) for c in range(classes)]
            continue
        model = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS)
        model.fit(features.filled[train], codes[train], sample_weight=split.weights(train))
        found[np.ix_(test, present)] = model.predict_proba(features.filled[test])
    return found


def _ridge(features: Features, y: Floats, use: Flags, split: Split) -> Floats:
    from sklearn.linear_model import Ridge  # noqa: PLC0415 - heavy

    found = np.empty(len(y))
    for train, test in split.parts(use):
        if not features.columns:
            found[test] = weighted_mean(y[train], split.weights(train))
            continue
        model = Ridge(alpha=1 / _STRENGTH, solver="cholesky")
        model.fit(features.filled[train], y[train], sample_weight=split.weights(train))
        found[test] = model.predict(features.filled[test])
    return found
