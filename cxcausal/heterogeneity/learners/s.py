"""S: one regression of outcomes on the modifiers and the arm, asked twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.fitting import Target, boosted
from cxcausal.heterogeneity.formulas import Effect, Formula, Trees
from cxcausal.heterogeneity.later import later
from cxcausal.heterogeneity.lesson import Lesson
from cxcausal.nuisance.learners.binned import Sizes

SIZES = Sizes(trees=150, rate=0.1, leaves=8, fewest_in_leaf=20, ridge=1.0)


@dataclass(frozen=True, kw_only=True)
class SLearner:
    """One boosted regression; it is only asked where outcomes may be compared given the modifiers alone."""

    name: ClassVar[str] = "s"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return the one variant."""
        if not lesson.direct:
            return {}
        ground = lesson.ground
        units = lesson.of_arms(train, *range(ground.arms))
        target = Target(units=units, y=lesson.y[units], weight=lesson.weight[units])

        def learned() -> dict[str, Formula]:
            found = boosted(ground.armed, target, SIZES, lesson.seed)
            return {str(place): asked(found, place, ground.arms) for place in range(ground.arms)}

        arms = list(later(tuple(map(str, range(ground.arms))), learned).values())
        return {"boosted": Effect(arms=tuple(((1.0, arm), (-1.0, arms[0])) for arm in arms[1:]))}


def asked(found: Formula, place: int, arms: int) -> Formula:
    """Return what a regression on the modifiers and the arm predicts in one arm."""
    if not isinstance(found, Trees):
        return found
    more = tuple(np.eye(arms)[place, 1:].tolist())
    return Trees(model=found.model, trees=found.trees, more=more)
