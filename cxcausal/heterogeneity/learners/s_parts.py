"""S by parts: one regression of each chance and mean on the modifiers and the arm, asked twice and added up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.fitting import QUICK_FROM, Target, boosted
from cxcausal.heterogeneity.formulas import Effect, Formula
from cxcausal.heterogeneity.later import later
from cxcausal.heterogeneity.learners.s import asked
from cxcausal.heterogeneity.lesson import Lesson
from cxcausal.heterogeneity.logistic import chances_of, joint_columns, linear, logistic, planes_of
from cxcausal.heterogeneity.parts import LessonPart, summed
from cxcausal.nuisance.learners.binned import Sizes

_SLOW = Sizes(trees=300, rate=0.05, leaves=5, fewest_in_leaf=20, ridge=1.0)
"""Trees must find who is alike and what the arm does to them, with as few leaves as those that only do the latter."""
_QUICK = Sizes(trees=100, rate=0.1, leaves=8, fewest_in_leaf=50, ridge=1.0)
Arms = tuple[Formula, ...]


@dataclass(frozen=True, kw_only=True)
class SParts:
    """Boosted trees, a plane with slopes of every arm's own, and one with common slopes, on the log odds of chances.

    With common slopes an arm shifts everybody's log odds alike, and who has most at stake gains most.
    """

    name: ClassVar[str] = "s_parts"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return the three variants; none where `Lesson.apart` forbids it."""
        if not lesson.apart:
            return {}
        units = lesson.of_arms(train, *range(lesson.ground.arms))
        made = {id(part): _variants(lesson, units, part) for part in lesson.parts}
        names = next(iter(made.values()))
        return {
            name: summed(lesson.parts, lambda part, place: made[id(part)][name][place])  # noqa: B023
            for name in names
        }


def _variants(lesson: Lesson, units: Places, part: LessonPart) -> Mapping[str, Arms]:
    target = Target(units=units, y=part.y[units], weight=lesson.weight[units])
    return {
        "boosted": _later(lesson, partial(_trees, lesson, target, part)),
        "linear": _later(lesson, partial(_plane, lesson, target, part, own=True)),
        "common_linear": _later(lesson, partial(_plane, lesson, target, part, own=False)),
    }


def _later(lesson: Lesson, learn: Callable[[], Arms]) -> Arms:
    names = tuple(map(str, range(lesson.ground.arms)))
    return tuple(later(names, lambda: dict(zip(names, learn(), strict=True))).values())


def _trees(lesson: Lesson, target: Target, part: LessonPart) -> Arms:
    ground, sizes = lesson.ground, _QUICK if len(target.units) > QUICK_FROM else _SLOW
    trees = boosted(ground.armed, target, sizes, lesson.seed, binary=part.binary)
    return tuple(asked(trees, place, ground.arms) for place in range(ground.arms))


def _plane(lesson: Lesson, target: Target, part: LessonPart, *, own: bool) -> Arms:
    columns, free = joint_columns(lesson.ground, crossed_with_arms=own)
    if part.binary:
        return chances_of(lesson.ground, logistic(columns, free, target))
    return planes_of(lesson.ground, linear(columns, free, target))
