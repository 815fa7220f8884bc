"""Rules by predicted gain: everyone who seems to gain, or the best of them within budget and capacity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from cxcausal.core.held_out import Spending
from cxcausal.core.rows import Floats
from cxcausal.policy.best_arm import is_limited
from cxcausal.policy.prices import Prices
from cxcausal.policy.seen import Chooser, Seen, Setting, one_hot


@dataclass(frozen=True, kw_only=True)
class Value:
    """Every customer gets the arm with the best predicted gain, if that is above zero."""

    name: str = "value"
    label: str = "By predicted value"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule."""
        return (cls(),)

    def learn(self, seen: Seen) -> Chooser:  # noqa: ARG002 - predictions are learned already, and zero is zero
        """Return the rule itself."""
        return self

    def shares(self, seen: Seen) -> Floats:
        """Return the arms; of equal ones the plan's first."""
        return one_hot(np.argmax(seen.gains, axis=1), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """Customers get the best predicted gains that limits leave for them, as a file of fresh customers is dealt out.

    Prices are found among those whom the rule is applied to, by predictions alone: no outcome of theirs is looked at,
    and what is spent is what may be spent.

    Attributes:
        spending: costs and limits. start: prices to begin from.
    """

    spending: Spending
    start: Prices | None = None

    def shares(self, seen: Seen) -> Floats:
        """Return the arms, equal predictions in an order by lot."""
        prices = seen.prices_at(self.spending, self.start)
        return one_hot(prices.best(seen.lots, self.spending.cost), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class Limited:
    """The best predicted gains within budget and capacity."""

    name: str = "limited"
    label: str = "By predicted value, within budget and capacity"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule where there is a limit."""
        return (cls(),) if is_limited(setting) else ()

    def learn(self, seen: Seen) -> Chooser:
        """Return the rule, with the prices of this side to begin from."""
        return Dealt(spending=seen.setting.spending, start=seen.prices)
