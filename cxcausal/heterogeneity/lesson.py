"""What learners of effects are given, and what they must offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Flags, Floats
from cxcausal.heterogeneity.formulas import Effect, Table
from cxcausal.heterogeneity.parts import LessonPart
from cxcausal.nuisance.features import Column, Features


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """Modifiers of n eligible units: looked up once, and binned once for all trees.

    Attributes:
        features: the modifiers. arm: place of each unit's arm, shape (n,). arms: how many arms there are.
    """

    features: Features
    arm: npt.NDArray[np.int8]
    arms: int

    @cached_property
    def armed(self) -> Features:
        """The modifiers, and after them one column per arm but the control: 1 for its units."""
        own = [(self.arm == place).astype(np.float64) for place in range(1, self.arms)]
        columns = tuple(Column(covariate="", level=str(place)) for place in range(1, self.arms))
        matrix = np.asfortranarray(np.column_stack([self.features.matrix, *own]))
        return Features(matrix=matrix, columns=(*self.features.columns, *columns))

    @cached_property
    def table(self) -> Table:
        """The modifiers as formulas see them."""
        return Table(matrix=self.features.matrix, filled=self.features.filled)

    @cached_property
    def varied(self) -> Flags:
        """Which columns have more than two values, shape (p,)."""
        return np.array([len(np.unique(column[:: max(len(column) // 5_000, 1)])) > 2 for column in self.table.filled.T])  # noqa: PLR2004

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.features.columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """What is known of the units of `ground` that may be learned from; NaN of all others. More is better.

    Attributes:
        y: outcomes without their arms' constants, shape (n,); NaN where unknown.
        means: predicted mean of every arm, out of fold, shape (n, arms).
        shares: chance of being of every arm and having a value, out of fold, shape (n, arms).
        scores: doubly robust scores of every arm's mean, shape (n, arms).
        weight: of each unit, shape (n,).
        parts: what the outcomes add up from, where some of it is 0 or 1; else none.
        direct: whether outcomes may be compared between arms given the modifiers alone.
        seed: for learners that draw.
        kept: what learners share, by the units that it was learned from; each thing made once.
    """

    ground: Ground
    y: Floats
    means: Floats
    shares: Floats
    scores: Floats
    weight: Floats
    direct: bool
    seed: int
    parts: tuple[LessonPart, ...] = ()
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def apart(self) -> bool:
        """Whether there are parts, and each may be compared between arms given the modifiers alone."""
        return self.direct and bool(self.parts) and self.ground.columns > 0

    def of_arms(self, train: Places, *arms: int) -> Places:
        """Return those of some units that are of some arms and have a value."""
        own = np.isin(self.ground.arm[train], arms) & ~np.isnan(self.y[train])
        return train[own]

    def odds(self, units: Places, place: int) -> Floats:
        """Return the chance of an arm where it is this or the control, for units that have a value."""
        own, control = self.shares[units, place], self.shares[units, 0]
        return np.asarray(own / (own + control))


class EffectLearner(Protocol):
    """Learns the gain of every arm from some units of a lesson; equal inputs give equal bits."""

    name: ClassVar[str]

    def learned(self, lesson: Lesson, train: Places) -> Mapping[str, Effect]:
        """Return the learner's variants by name, all of them learned from the units `train` only."""
