"""Units in turns: what was learned of some is judged on others, so that no gain is told where it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats, Rows

if TYPE_CHECKING:
    from cxcausal.core.whom import Candidate

Places = npt.NDArray[np.intp]
SOME_ARM = -1
"""In place of an arm: a contact, by whichever single arm is best."""


class Predicts(Protocol):
    """What predicts gains from columns of modifiers, row by row."""

    def gains(self, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the predicted gain of every arm, shape (n, arms), the control's being 0."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a contact is for: one number per customer, of which more is better once it is multiplied by `sign`.

    Attributes:
        name: of the metric, or `net_value`. label: for readers. unit: of the measure, or the currency.
        measure: the number. sign: 1 where more is better, −1 where less is.
        costs: whether the measure already counts what contacts cost.
        binary: whether it is 0 or 1.
    """

    name: str
    label: str
    unit: str
    measure: Measure
    sign: int
    costs: bool = False
    binary: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """What is known of m units: those that were learned from, or those on whom it is judged.

    All of it is signed so that more is better.

    Attributes:
        units: their places among the rows, shape (m,).
        scores: doubly robust scores Γ of every arm's mean, shape (m, arms), from models that did not see the unit.
        gains: predicted gain of every arm against the control, shape (m, arms), the control's being 0, from models
            that did not see the unit.
        means: predicted mean of every arm, shape (m, arms), from models that did not see the unit.
    """

    units: Places
    scores: Floats
    gains: Floats
    means: Floats

    def of(self, chosen: npt.NDArray[np.intp]) -> "Side":
        """Return some of them, by their places among the m."""
        return Side(
            units=self.units[chosen], scores=self.scores[chosen], gains=self.gains[chosen], means=self.means[chosen]
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """One turn: nothing about `judged` had a part in what was learned from `learned`, nuisances included."""

    learned: Side
    judged: Side


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """The turns of one aim.

    Units fall into blocks by a hash of their ids, whole by cluster. Each turn learns from the blocks before one, and is
    judged on it; so the errors of the turns are martingale differences, and a mean over all judged units has the
    variance that it seems to have, whatever was learned (Luedtke & van der Laan 2016,
    https://doi.org/10.1214/15-AOS1384; Wager 2024, https://arxiv.org/abs/2401.06230). With ordinary folds it has not:
    each pair of units then counts twice.

    Attributes:
        aim: what more of is better.
        turns: in their order; their judged units do not overlap.
        half: one more turn, whose judged side is all that comes after it, for what needs one fixed rule.
        weight: of each of the n rows in the population, mean 1, shape (n,).
        model: what the half learned; None where nobody is to look into it.
        learners: of the last turn, with how much each had to say.
    """

    aim: Aim
    rows: Rows
    turns: tuple[Turn, ...]
    half: Turn
    weight: Floats
    model: Predicts | None = None
    learners: "tuple[Candidate, ...]" = ()

    @property
    def judged(self) -> Places:
        """The places of all judged units among the rows, turn after turn."""
        return np.concatenate([turn.judged.units for turn in self.turns])

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, the control first."""
        return self.rows.arms


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What contacting costs, and how much of it there may be.

    Attributes:
        cost: of each arm per customer assigned to it, beyond the control's, in money (1 per contact where the plan
            knows no costs), shape (arms,).
        budget: per eligible customer, in the same unit; None where there is no limit.
        capacity: arm → the largest share of eligible customers that it can take; an arm without a limit is not there.
        priced: whether costs are the plan's own.
    """

    cost: Floats
    budget: float | None = None
    capacity: tuple[tuple[str, float], ...] = ()
    priced: bool = False

    def of(self, places: Sequence[int], arms: tuple[str, ...]) -> "Spending":
        """Return what some of the arms cost, by their places among all, the control's first.

        Example:
            >>> whole = Spending(cost=np.array([0.0, 4.0, 1.0]), capacity=(("call", 0.2), ("mail", 0.5)))
            >>> rest = whole.of([0, 2], ("none", "call", "mail"))
            >>> rest.cost.tolist(), rest.capacity
            ([0.0, 1.0], (('mail', 0.5),))
        """
        kept = {arms[place] for place in places}
        capacity = tuple((arm, most) for arm, most in self.capacity if arm in kept)
        return replace(self, cost=self.cost[list(places)], capacity=capacity)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """What else a policy may look at.

    Attributes:
        eligible: who may be contacted at all, shape (n,).
        current: place of the arm that the rule in use gives each unit, shape (n,), or `SOME_ARM` where it says that
            there is a contact, and not which; None where none is declared.
        reason: why the rule in use can't be valued, where one is declared.
        silent: share of the eligible of whom the rule in use says nothing, so that it doesn't contact them.
        left_out: places of the arms that no rule may give anybody: what giving one to everybody gains may be told, and
            so may the rule in use, but none of that is recommended.
    """

    eligible: Flags
    current: npt.NDArray[np.int8] | None = None
    reason: str | None = None
    silent: float = 0.0
    left_out: tuple[int, ...] = ()
