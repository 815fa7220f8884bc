"""X: what units gained over the predicted mean of the other arm, learned in both arms and weighed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.fitting import KINDS, Target, regressed
from cxcausal.heterogeneity.formulas import Effect, Formula, Terms
from cxcausal.heterogeneity.kinds import kinds_of, of_arm
from cxcausal.heterogeneity.later import Once
from cxcausal.heterogeneity.lesson import Lesson


@dataclass(frozen=True, kw_only=True)
class XLearner:
    """Künzel et al. (2019, https://doi.org/10.1073/pnas.1804597116), weighed by the shares of the arms.

    The other arm's mean is learned from the same units: each unit is of another arm than those behind its mean. Means
    out of fold would let the choice between learners see the units that it judges by.
    """

    name: ClassVar[str] = "x"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return one variant per kind of regression; none where outcomes may not be compared given the modifiers."""
        if not lesson.direct:
            return {}
        arms = [self._arm(lesson, train, place) for place in range(1, lesson.ground.arms)]
        kinds = [kind for kind in arms[0] if all(kind in arm for arm in arms)]
        return {kind: Effect(arms=tuple(arm[kind] for arm in arms)) for kind in kinds}

    def _arm(self, lesson: Lesson, train: Places, place: int) -> dict[str, Terms]:
        treated, control = lesson.of_arms(train, place), lesson.of_arms(train, 0)
        share = len(treated) / (len(treated) + len(control))
        gained = _gained(lesson, treated, of_arm(lesson, train, 0), 1.0)
        missed = _gained(lesson, control, of_arm(lesson, train, place), -1.0)
        return {kind: ((1 - share, gained[kind]), (share, missed[kind])) for kind in kinds_of([gained, missed])}


def _gained(lesson: Lesson, units: Places, other: Mapping[str, Formula], sign: float) -> dict[str, Formula]:
    """Return regressions of what units gained over the other arm's mean, each kind over its own."""
    found: dict[str, Formula] = {}
    for kind in [kind for kind in KINDS if kind in other]:
        target = Once(make=partial(_target, lesson, units, other[kind], sign))
        found |= regressed(lesson.ground, len(units), target, lesson.seed, only=(kind,))
    return found


def _target(lesson: Lesson, units: Places, other: Formula, sign: float) -> Target:
    y = sign * (lesson.y[units] - other.of(lesson.ground.table.at(units)))
    return Target(units=units, y=np.asarray(y), weight=lesson.weight[units])
