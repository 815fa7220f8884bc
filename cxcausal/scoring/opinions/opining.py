"""What a second opinion is asked, and what it must say."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.measured import Values, denominator_of, values_of
from cxcausal.scoring.road import ScoreRoad

NO_RATIO = "a ratio's parts would need effects of their own: overlap_weighting, matching, parametric_aipw compare it"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One contrast in one split of the units.

    Attributes:
        measure: whose effect. target: in which population.
        arm, control: what is compared. repeat: which split.
    """

    measure: Measure
    target: Target
    arm: str
    control: str
    repeat: int

    def places(self, road: ScoreRoad) -> tuple[int, int]:
        """Return the places of arm and control among the plan's arms."""
        return road.rows.arms.index(self.arm), road.rows.arms.index(self.control)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An effect in one split.

    Attributes:
        point: the effect. phi: its centred influence function, shape (n,).
        base: the control's mean that goes with it.
        own: the scores' own effect and influence function, where the method's population is none of theirs by name.
        note: what a reader must know about it.
    """

    point: float
    phi: Floats
    base: float
    own: tuple[float, Floats] | None = None
    note: str | None = None


class Method(Protocol):
    """Another way to an effect.

    Attributes:
        name: in plans.
        splits: of how many of the plan's splits it is asked at most; each costs what it learns.
    """

    name: ClassVar[str]
    splits: ClassVar[int]

    def target(self, asked: Target) -> Target:
        """Return whom its effect is of, where the plan asks for that of `asked`."""

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why it has no effect of a measure, or None."""

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return its effect in one split."""


def parts_of(road: ScoreRoad, measure: Measure) -> tuple[Values, Values | None]:
    """Return a measure's numerator and, of a ratio, its denominator."""
    return values_of(road.rows, measure), denominator_of(road.rows, measure)


def outcomes_of(road: ScoreRoad, values: Values) -> Floats:
    """Return every unit's value under its own arm, 0 where it has none, shape (n,)."""
    found = np.zeros(road.rows.n)
    for place in range(len(road.rows.arms)):
        own = (road.rows.arm == place) & values.seen
        found[own] = values.of(place)[own]
    return found


def answered_of(road: ScoreRoad, values: Values, place: int, repeat: int) -> Floats | None:
    """Return the chance that a unit of an arm has a value, shape (n,); None where all have one."""
    if values.seen.all():
        return None
    given = next((found.answered for found in road.learned(values) if found.answered is not None), None)
    return None if given is None else given[repeat][:, place]


def counted(road: ScoreRoad, values: Values, place: int) -> Flags:
    """Return which units of an arm have a value, shape (n,)."""
    return np.asarray((road.rows.arm == place) & values.seen)
