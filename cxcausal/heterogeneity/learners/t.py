"""T: every arm's outcomes learned apart, and subtracted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.formulas import Effect
from cxcausal.heterogeneity.kinds import kinds_of, of_arm
from cxcausal.heterogeneity.lesson import Lesson


@dataclass(frozen=True, kw_only=True)
class TLearner:
    """One regression per arm (Künzel et al. 2019, https://doi.org/10.1073/pnas.1804597116)."""

    name: ClassVar[str] = "t"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return one variant per kind of regression; none where outcomes may not be compared given the modifiers."""
        if not lesson.direct:
            return {}
        arms = [of_arm(lesson, train, place) for place in range(lesson.ground.arms)]
        return {
            kind: Effect(arms=tuple(((1.0, arm[kind]), (-1.0, arms[0][kind])) for arm in arms[1:]))
            for kind in kinds_of(arms)
        }
