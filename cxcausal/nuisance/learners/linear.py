"""Least squares, and for shares logistic regression."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.logistic import Logistic
from cxcausal.nuisance.learning import Split


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Ordinary least squares on the columns as they are; shares are learned by `logistic`."""

    name: ClassVar[str] = "linear"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return the fitted plane of the other folds at every unit, shape (n,)."""
        columns = np.column_stack([np.ones(len(y)), features.filled])
        found = np.empty(len(y))
        for train, test in split.parts(use):
            x, target, weight = columns[train], y[train], split.weights(train)
            if weight is not None:
                root = np.sqrt(weight)
                x, target = x * root[:, None], target * root
            slopes = np.linalg.lstsq(x, target, rcond=None)[0]
            found[test] = columns[test] @ slopes
        return found

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the shares that `logistic` gives, shape (n, classes)."""
        return Logistic().shares(features, codes, classes, split)
