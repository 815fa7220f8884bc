"""R: what is left of outcomes, regressed on what is left of having been contacted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.fitting import Target, regressed
from cxcausal.heterogeneity.formulas import Effect, Formula
from cxcausal.heterogeneity.kinds import paired
from cxcausal.heterogeneity.lesson import Lesson

_TWO, _FAIR = 2, 0.5


@dataclass(frozen=True, kw_only=True)
class RLearner:
    """Nie & Wager's R-learner (2021, https://doi.org/10.1093/biomet/asaa076); each arm with the control, by itself.

    With two arms and a fair coin it is the DR-learner, and is left out.
    """

    name: ClassVar[str] = "r"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return one variant per kind of regression."""
        if lesson.ground.arms == _TWO and bool((lesson.shares[train] == _FAIR).all()):
            return {}
        return paired([self._arm(lesson, train, place) for place in range(1, lesson.ground.arms)])

    def _arm(self, lesson: Lesson, train: Places, place: int) -> dict[str, Formula]:
        units = lesson.of_arms(train, 0, place)
        left, own = residuals(lesson, units, place)
        target = Target(units=units, y=left, weight=lesson.weight[units], times=own)
        return regressed(lesson.ground, len(units), target.itself, lesson.seed)


def residuals(lesson: Lesson, units: Places, place: int) -> tuple[Floats, Floats]:
    """Return outcomes less their mean, and whether a unit is of an arm less its chance, both of shape (units,)."""
    odds = lesson.odds(units, place)
    mean = odds * lesson.means[units, place] + (1 - odds) * lesson.means[units, 0]
    return np.asarray(lesson.y[units] - mean), np.asarray((lesson.ground.arm[units] == place) - odds)
