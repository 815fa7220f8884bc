"""The best single arm: one arm for everybody, or by lot for as many as the budget and its capacity allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from cxcausal.core.held_out import Spending
from cxcausal.core.rows import Floats
from cxcausal.policy.prices import limits_of
from cxcausal.policy.seen import Seen, Setting


def is_limited(setting: Setting) -> bool:
    """Return whether a budget or a capacity is so small that some arm on offer can't be had by everybody."""
    return bool(np.any(affordable(setting.spending, setting.rows.arms)[list(setting.offered)] < 1))


def affordable(spending: Spending, arms: tuple[str, ...]) -> Floats:
    """Return the largest share of customers who can have each arm alone, shape (arms,).

    Example:
        >>> affordable(Spending(cost=np.array([0.0, 4.0, 0.0]), budget=1.0), ("none", "call", "mail")).tolist()
        [1.0, 0.25, 1.0]
    """
    most = limits_of(spending, arms)
    if spending.budget is not None:
        dear = spending.cost > 0
        most[dear] = np.minimum(most[dear], spending.budget / spending.cost[dear])
    return np.clip(most, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class ByLot:
    """One arm for a share of customers drawn by lot, the control for the others."""

    arm: int
    share: float

    def shares(self, seen: Seen) -> Floats:
        """Return the same chances for every customer."""
        row = np.zeros(len(seen.setting.rows.arms))
        row[0] = 1.0
        row += self.share * (np.eye(len(row))[self.arm] - np.eye(len(row))[0])
        return np.tile(row, (seen.m, 1))


@dataclass(frozen=True, kw_only=True)
class BestArm:
    """The arm with the best mean gain over whom it can be had for."""

    name: str = "best_arm"
    label: str = "The best single arm"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule."""
        if is_limited(setting):
            return (cls(label="The best single arm, by lot as far as budget and capacity go"),)
        return (cls(),)

    def learn(self, seen: Seen) -> ByLot:
        """Return the arm that gains most on this side; the control where none gains."""
        return by_lot(seen, seen.setting.spending)


def by_lot(seen: Seen, spending: Spending) -> ByLot:
    """Return the best single arm under given limits."""
    share = affordable(spending, seen.setting.rows.arms)
    arm = int(np.argmax(seen.of_offered(seen.mean_gains * share)))
    return ByLot(arm=arm, share=float(share[arm]))
