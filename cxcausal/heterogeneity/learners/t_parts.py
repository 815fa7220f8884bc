"""T by parts: every arm's chances and means learned apart, and their differences added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.fitting import QUICK, QUICK_FROM, SLOW, Target, boosted, staged, stages_of
from cxcausal.heterogeneity.formulas import Effect, Formula
from cxcausal.heterogeneity.later import later
from cxcausal.heterogeneity.lesson import Lesson
from cxcausal.heterogeneity.parts import LessonPart, summed


@dataclass(frozen=True, kw_only=True)
class TParts:
    """Boosted trees on the log odds of what is 0 or 1: nobody gains more than their own chance has room for."""

    name: ClassVar[str] = "t_parts"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return one variant per stage of boosting; none where `Lesson.apart` forbids it."""
        if not lesson.apart:
            return {}
        made = {
            (id(part), place): self._arm(lesson, train, part, place)
            for part in lesson.parts
            for place in range(lesson.ground.arms)
        }
        kinds = [kind for kind in next(iter(made.values())) if all(kind in each for each in made.values())]
        return {kind: summed(lesson.parts, lambda part, place: made[id(part), place][kind]) for kind in kinds}  # noqa: B023

    def _arm(self, lesson: Lesson, train: Places, part: LessonPart, place: int) -> Mapping[str, Formula]:
        units = lesson.of_arms(train, place)
        target = Target(units=units, y=part.y[units], weight=lesson.weight[units])
        sizes = QUICK if len(units) > QUICK_FROM else SLOW

        def learned() -> dict[str, Formula]:
            found = boosted(lesson.ground.features, target, sizes, lesson.seed, binary=part.binary)
            return staged(found, sizes)

        return later(tuple(stages_of(sizes)), learned)
