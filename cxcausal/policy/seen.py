"""What a rule sees: the customers of one side of a turn, beside what contacts cost and what the plan names."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import mixed
from cxcausal.core.held_out import HeldOut, Places, Rules, Side, Spending
from cxcausal.core.rows import Floats, Rows
from cxcausal.policy.prices import Prices, prices_of

_LOTS = 0x0007_10CC
_LOT = 1e-6
"""By how much of itself a predicted gain is moved, so that equal ones are put in an order by lot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What does not change between turns.

    Attributes:
        rows: the analysed units. spending: costs and limits. weight: of each row, shape (n,).
        rules: the rule in use and who may be contacted. modifiers: columns that a tree may split on.
        seed: of the plan.
    """

    rows: Rows
    spending: Spending
    weight: Floats
    rules: Rules
    modifiers: tuple[str, ...] = ()
    seed: int = 1

    @classmethod
    def of(cls, held: HeldOut, spending: Spending, rules: Rules, modifiers: tuple[str, ...], *, seed: int) -> Self:
        """Return the setting of an aim's turns."""
        return cls(rows=held.rows, spending=spending, weight=held.weight, rules=rules, modifiers=modifiers, seed=seed)

    @property
    def offered(self) -> tuple[int, ...]:
        """The places of the arms that a rule may give, the control's first."""
        return tuple(place for place in range(len(self.rows.arms)) if place not in self.rules.left_out)

    def seen(self, side: Side) -> "Seen":
        """Return what a rule sees of one side, ineligible customers left out."""
        may = self.rules.eligible[side.units]
        return Seen(setting=self, side=side if may.all() else side.of(np.flatnonzero(may)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """The m eligible customers of one side of a turn."""

    setting: Setting
    side: Side

    @property
    def m(self) -> int:
        """How many customers there are."""
        return len(self.side.units)

    @cached_property
    def weight(self) -> Floats:
        """The weight of each in the population, shape (m,)."""
        return self.setting.weight[self.side.units]

    @cached_property
    def effects(self) -> Floats:
        """The scores of every arm less the control's, shape (m, arms): their mean over customers is a gain."""
        return self.side.scores - self.side.scores[:, :1]

    @cached_property
    def gains(self) -> Floats:
        """The predicted gains of every arm that a rule may give, −∞ of others, shape (m, arms)."""
        return self.of_offered(self.side.gains)

    @cached_property
    def lots(self) -> Floats:
        """The predicted gains, moved so little that equal ones are in an order by lot, shape (m, arms)."""
        return with_lots(self.gains, self.side.units.astype(np.uint64), self.setting.seed)

    @cached_property
    def mean_gains(self) -> Floats:
        """The mean gain of every arm for everybody here, by scores, shape (arms,)."""
        return np.asarray(np.average(self.effects, axis=0, weights=self.weight))

    def of_offered(self, values: Floats) -> Floats:
        """Return values of every arm, shape (…, arms), with −∞ in place of those that no rule may give."""
        if not self.setting.rules.left_out:
            return values
        return np.asarray(np.where(np.isin(np.arange(values.shape[-1]), self.setting.offered), values, -np.inf))

    def best_contact(self) -> int:
        """Return the place of the arm with the best mean gain among those that contact and that a rule may give."""
        return 1 + int(np.argmax(self.of_offered(self.mean_gains)[1:]))

    @cached_property
    def prices(self) -> Prices:
        """What a unit of the budget and of each arm's capacity is worth here."""
        return self.prices_at(self.setting.spending)

    def prices_at(self, spending: Spending, start: Prices | None = None) -> Prices:
        """Return the prices under other limits."""
        return prices_of(self.lots, self.weight, spending, self.setting.rows.arms, start=start)


def with_lots(gains: Floats, keys: npt.NDArray[np.uint64], seed: int = 1) -> Floats:
    """Return gains of which no two are equal that need not be, by a lot drawn from each customer's key and the arm.

    Args:
        gains: shape (m, arms), the control's 0.
        keys: different between customers, shape (m,).
        seed: of the plan.

    Example:
        >>> moved = with_lots(np.array([[0.0, 2.0], [0.0, 2.0]]), np.array([1, 2], np.uint64))
        >>> bool(moved[0, 1] != moved[1, 1]), bool(np.allclose(moved, [[0, 2], [0, 2]]))
        (True, True)
    """
    lots = [mixed(keys, seed, _LOTS, arm).astype(np.float64) / 2.0**64 for arm in range(gains.shape[1])]
    return np.asarray(gains * (1 + _LOT * np.column_stack(lots)))


class Chooser(Protocol):
    """A rule that is fixed: it has learned what it learns."""

    def shares(self, seen: Seen) -> Floats:
        """Return the chance of every arm for every customer seen, shape (m, arms); each row sums to one."""
        ...


class Policy(Protocol):
    """A rule by name, before it has learned.

    Attributes:
        name: as in results. label: for readers.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute
    @property
    def label(self) -> str: ...  # noqa: D102 - an attribute

    def learn(self, seen: Seen) -> Chooser:
        """Return the rule learned from one side of a turn."""
        ...


class PolicyKind(Protocol):
    """What the registry holds under a name: it tells which rules of its kind a plan has."""

    def of(self, setting: Setting, labels: Mapping[str, str]) -> tuple[Policy, ...]:
        """Return the rules of this kind; none where the plan lacks what they need."""
        ...


def one_hot(places: Places, arms: int) -> Floats:
    """Return chances that give every customer one arm for certain, shape (m, arms).

    Example:
        >>> one_hot(np.array([1, 0]), 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.eye(arms)[places]
