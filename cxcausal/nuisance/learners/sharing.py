"""What arms share: a learner taught by all arms at once, told which are the arm's own, predicts that arm."""

from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Column, Features
from cxcausal.nuisance.learning import LearnerOfMeans, Split

_OWN = "an arm's own"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """n units as of the arm, and after them those beside it, with columns that tell which is which.

    Attributes:
        features: covariates, whether a unit is the arm's own, and both multiplied.
        y: of all of them. use: who is learned from. split: their folds. units: n.
    """

    features: Features
    y: Floats
    use: Flags
    split: Split
    units: int

    def mean(self, learner: LearnerOfMeans) -> Floats:
        """Return what a learner predicts for all n units as of the arm, shape (n,)."""
        return learner.mean(self.features, self.y, self.use, self.split)[: self.units]


def shared(features: Features, y: Floats, use: Flags, split: Split) -> Lesson | None:
    """Return what all arms tell of one; None where no other arm has a value."""
    if split.beside is None or not split.beside.any():
        return None
    places = np.concatenate([np.arange(len(y)), np.flatnonzero(split.beside)])
    own = np.zeros((len(places), 1))
    own[: len(y)] = 1.0
    matrix = np.column_stack([features.matrix[places], own, own * features.filled[places]])
    more = tuple(replace(column, level=f"{column.level} {_OWN}") for column in features.columns)
    columns = (*features.columns, Column(covariate=_OWN), *more)
    again = Split(
        fold=split.fold[places],
        folds=split.folds,
        seed=split.seed,
        weight=None if split.weight is None else split.weight[places],
        within=None if split.within is None else split.within[places],
    )
    learned = np.concatenate([use, np.ones(len(places) - len(y), dtype=bool)])
    made = Features(matrix=np.asfortranarray(matrix), columns=columns)
    return Lesson(features=made, y=np.where(learned, y[places], 0.0), use=learned, split=again, units=len(y))
