"""What a learner is asked, and what it must offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.folds import Places


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split of n units: each is predicted by the model of its fold, which learned from the others.

    Attributes:
        fold: shape (n,). folds: how many. seed: for learners that draw.
        weight: of each unit in the loss, shape (n,); None where all weigh the same.
        within: the only units that any model may learn from, shape (n,); None where that is all of them. All others
            are predicted only, and are best given a fold of their own.
        beside: units of other arms with a value, shape (n,), from which a learner may borrow; None if none is told.
    """

    fold: Places
    folds: int
    seed: int
    weight: Floats | None = None
    within: Flags | None = None
    beside: Flags | None = None

    def parts(self, use: Flags) -> list[tuple[Flags, Flags]]:
        """Return (units to learn from, units to predict), each of shape (n,), of every fold that holds any."""
        held = np.flatnonzero(np.bincount(self.fold, minlength=self.folds))
        own = use if self.within is None else use & self.within
        return [(own & (self.fold != place), self.fold == place) for place in held]

    def weights(self, of: Flags) -> Floats | None:
        """Return the weights of some units."""
        return None if self.weight is None else self.weight[of]


class LearnerOfMeans(Protocol):
    """Predicts means out of fold; equal inputs give equal bits on any number of threads."""

    name: ClassVar[str]

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return a prediction for all n units from those of `use`; where y is 0 or 1 there, a probability or a mean.

        Args:
            features: of n units.
            y: shape (n,); what is not of `use` is not looked at.
            use: which units may be learned from, shape (n,).
            split: the folds.
        """


class Learner(LearnerOfMeans, Protocol):
    """Predicts probabilities as well."""

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class for all units, shape (n, classes), rows summing to 1."""


def is_binary(y: Floats, use: Flags) -> bool:
    """Tell whether all values are 0 or 1."""
    values = y[use]
    return bool(np.all((values == 0) | (values == 1)))


def weighted_mean(y: Floats, weight: Floats | None) -> float:
    """Return a mean; nan of nothing."""
    return float(np.average(y, weights=weight)) if len(y) else float("nan")


def shares_of(y: Floats, weight: Floats | None, classes: int) -> Floats:
    """Return the mean, shape (1,), or the share of every class, shape (classes,)."""
    if classes == 1:
        return np.array([weighted_mean(y, weight)])
    return np.array([weighted_mean((y == place).astype(np.float64), weight) for place in range(classes)])


def as_shares(each: Sequence[Floats]) -> Floats:
    """Return the probability of every class, shape (n, classes), from those of each against all others.

    Args:
        each: of every class, shape (n,); of two classes only the second's.
    """
    if len(each) == 1:
        return np.column_stack([1 - each[0], each[0]])
    found = np.maximum(np.column_stack(each), np.finfo(np.float64).tiny)
    return np.asarray(found / found.sum(axis=1, keepdims=True))
