"""A causal forest, grown by EconML on what is left of outcomes and of contact, and asked without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.held_out import Places
from cxcausal.heterogeneity.forests import Forest, forest_of
from cxcausal.heterogeneity.formulas import Effect
from cxcausal.heterogeneity.later import later
from cxcausal.heterogeneity.learners.r import residuals
from cxcausal.heterogeneity.lesson import Lesson
from cxcausal.nuisance.threads import threads_for, wait_without_spinning

TREES = 100
_SMALLEST_LEAF = 5
_SHARE, _MOST = 0.45, 20_000
"""Of the units that a tree learns from, and how many at most: with more, forests take memory by the gigabyte."""


@dataclass(frozen=True, kw_only=True)
class CausalForest:
    """Honest trees of local effects (Athey, Tibshirani & Wager 2019, https://doi.org/10.1214/18-AOS1709).

    Each arm with the control, by itself. Trees are grown on any number of threads and added up by one.
    """

    name: ClassVar[str] = "causal_forest"

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return the one variant; none where there is no column to split on."""
        if not lesson.ground.columns:
            return {}
        names = tuple(map(str, range(1, lesson.ground.arms)))
        forests = later(names, lambda: {name: self._grown(lesson, train, int(name)) for name in names})
        return {"": Effect(arms=tuple(((1.0, forest),) for forest in forests.values()))}

    def _grown(self, lesson: Lesson, train: Places, place: int) -> Forest:
        wait_without_spinning()
        from econml.grf import CausalForest as Grown  # noqa: PLC0415 - heavy

        units = lesson.of_arms(train, 0, place)
        left, own = residuals(lesson, units, place)
        forest = Grown(
            n_estimators=TREES,
            max_samples=min(int(_SHARE * len(units)), _MOST),
            min_samples_leaf=_SMALLEST_LEAF,
            inference=False,
            n_jobs=threads_for(len(units)),
            random_state=lesson.seed % 2**31,
        )
        forest.fit(lesson.ground.table.filled[units], own, left, sample_weight=lesson.weight[units])
        return forest_of(forest)
