"""Rules by predicted gain: everyone who seems to gain, or the best of them within budget and capacity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

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
        return one_hot(np.argmax(seen.side.gains, axis=1), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Every customer gets the arm with the best predicted gain beyond what it takes at these prices."""

    prices: Prices

    def shares(self, seen: Seen) -> Floats:
        """Return the arms, equal predictions in an order by lot."""
        return one_hot(self.prices.best(seen.lots, seen.setting.spending.cost), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class Limited:
    """The best predicted gains within budget and capacity, at prices learned beforehand."""

    name: str = "limited"
    label: str = "By predicted value, within budget and capacity"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule where there is a limit."""
        return (cls(),) if is_limited(setting.spending, setting.rows.arms) else ()

    def learn(self, seen: Seen) -> Chooser:
        """Return the rule at the prices that keep this side within the limits."""
        return Priced(prices=seen.prices)
