"""The constant: one effect for everybody, against which all others must prove themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.formulas import Effect, constant
from cxcausal.heterogeneity.lesson import Lesson


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The mean of doubly robust scores."""

    name: ClassVar[str] = "constant"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return the one variant."""
        means = np.average(lesson.scores[train], axis=0, weights=lesson.weight[train])
        return {"": Effect(arms=tuple(((1.0, constant(float(mean - means[0]))),) for mean in means[1:]))}
