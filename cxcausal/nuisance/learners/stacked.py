"""A stack: a plane, splines and boosted trees, weighed by how well each predicts units that it did not see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.boosting import STUMPS, LightGbm
from cxcausal.nuisance.learners.grown import Grown
from cxcausal.nuisance.learners.linear import Linear
from cxcausal.nuisance.learners.logistic import Logistic
from cxcausal.nuisance.learners.sharing import shared
from cxcausal.nuisance.learners.splines import Splines
from cxcausal.nuisance.learning import Learner, Split, is_binary
from cxcausal.nuisance.weighing import convex_weights, least_squares_weights, log_loss

MOST_FOR_ALL = 10_000
"""Customers up to which all members are asked; of more, the plane and boosted trees, which then learn enough."""


@dataclass(frozen=True, kw_only=True)
class Stacked:
    """Short-stacking: one set of convex weights, from the predictions out of fold that are made anyway.

    Source: Ahrens, Hansen, Schaffer & Wiemann (2025), https://doi.org/10.1002/jae.3103.
    `weights` notes what the last fit chose, by member.
    """

    name: ClassVar[str] = "stacked"
    weights: dict[str, float] = field(default_factory=dict, compare=False)

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return the weighted mean of the members' predictions, shape (n,)."""
        members = _members(Logistic() if is_binary(y, use) else Linear(), len(y))
        made = {name: member.mean(features, y, use, split) for name, member in members.items()}
        lesson = shared(features, y, use, split) if len(y) <= MOST_FOR_ALL else None
        if lesson is not None:
            made["shared"] = lesson.mean(Grown())
        told = np.stack(list(made.values()))
        chosen = least_squares_weights(told[:, use], y[use], split.weights(use))
        self._note(made, chosen)
        return np.asarray(chosen @ told)

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the weighted mean of the members' probabilities, shape (n, classes)."""
        members = _members(Logistic(), len(codes))
        made = np.stack([member.shares(features, codes, classes, split) for member in members.values()])
        judged = np.arange(len(codes)) if split.within is None else np.flatnonzero(split.within)
        own = made[:, judged, codes[judged]]
        weight = None if split.weight is None else split.weight[judged]
        chosen = convex_weights(lambda mix: log_loss(mix @ own, weight), len(members))
        self._note(members, chosen)
        return np.asarray(np.tensordot(chosen, made, axes=1))

    def _note(self, members: Iterable[str], chosen: Floats) -> None:
        self.weights.clear()
        self.weights.update({name: float(weight) for name, weight in zip(members, chosen, strict=True)})


def _members(plane: Learner, units: int) -> Mapping[str, Learner]:
    few: dict[str, Learner] = {"splines": Splines(), "stumps": LightGbm(sizes=STUMPS)}
    return {plane.name: plane, "lightgbm": LightGbm(), **(few if units <= MOST_FOR_ALL else {})}
