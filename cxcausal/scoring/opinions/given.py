"""What was learned already, in the shape in which EconML wants to learn it itself: nothing is fitted twice."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from cxcausal.core.rows import Floats


class GivenMean(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A regression that knows its predictions: one of the columns that it sees is a unit's place among them.

    Args:
        known: shape (n,), or (n, arms) where the columns after the place are 1 for the unit's treated arm, else 0.
        column: which one holds the place; EconML puts covariates before it, and arms after it.
    """

    def __init__(self, known: Floats, column: int = 0) -> None:
        """Keep what is known, as scikit-learn wants it."""
        self.known = known
        self.column = column

    def fit(self, seen: Floats, y: Floats, sample_weight: Floats | None = None) -> "GivenMean":
        """Learn nothing."""
        del seen, y, sample_weight
        return self

    def predict(self, seen: Floats) -> Floats:
        """Return what is known of the units, shape (units,)."""
        own = seen[:, self.column].astype(np.int64)
        if self.known.ndim == 1:
            return np.asarray(self.known[own])
        after = seen[:, self.column + 1 :]
        arms = after @ np.arange(1, after.shape[1] + 1)
        return np.asarray(self.known[own, np.rint(arms).astype(np.int64)])


class GivenShares(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier that knows its probabilities, shape (n, classes); see `GivenMean`."""

    def __init__(self, known: Floats, column: int = 0) -> None:
        """Keep what is known, as scikit-learn wants it."""
        self.known = known
        self.column = column

    def fit(self, seen: Floats, y: Any, sample_weight: Floats | None = None) -> "GivenShares":  # noqa: ANN401
        """Learn nothing but how many classes there are."""
        del seen, y, sample_weight
        self.classes_ = np.arange(self.known.shape[1])
        return self

    def predict_proba(self, seen: Floats) -> Floats:
        """Return what is known of the units, shape (units, classes)."""
        return np.asarray(self.known[seen[:, self.column].astype(np.int64)])

    def predict(self, seen: Floats) -> Floats:
        """Return the likelier class of each unit, shape (units,)."""
        return np.asarray(self.predict_proba(seen).argmax(axis=1))


def places(units: int) -> Floats:
    """Return the column that both read, shape (units, 1)."""
    return np.arange(units, dtype=np.float64)[:, None]
