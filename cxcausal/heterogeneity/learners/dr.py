"""DR: doubly robust scores of the gain, regressed on the modifiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.formulas import Effect
from cxcausal.heterogeneity.kinds import by_kind
from cxcausal.heterogeneity.lesson import Lesson


@dataclass(frozen=True, kw_only=True)
class DrLearner:
    """Kennedy's DR-learner (2023, https://doi.org/10.1214/23-EJS2157), on scores that are out of fold."""

    name: ClassVar[str] = "dr"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return one variant per kind of regression."""
        return by_kind(lesson, train, np.asarray(lesson.scores[train, 1:] - lesson.scores[train, :1]))
