"""The usual practice: those who would fare worst without contact first, whether or not contact helps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from cxcausal.core.hashing import mixed
from cxcausal.core.rows import Floats
from cxcausal.policy.best_arm import is_limited
from cxcausal.policy.seen import Chooser, Seen, Setting, one_hot

_LOTS = 0x0007_7215


@dataclass(frozen=True, kw_only=True)
class Below:
    """One arm for customers whose predicted outcome without contact lies below a threshold; at it, by lot."""

    arm: int
    level: float
    lot: float

    def shares(self, seen: Seen) -> Floats:
        """Return the arms."""
        risk, lot = seen.side.means[:, 0], _lots(seen)
        contacted = (risk < self.level) | ((risk == self.level) & (lot < self.lot))
        return one_hot(np.where(contacted, self.arm, 0), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class TopRisk:
    """The best single arm for as many as the rule by predicted value contacts, highest risk first."""

    name: str = "top_risk"
    label: str = "Highest risk first"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule."""
        return (cls(),)

    def learn(self, seen: Seen) -> Chooser:
        """Return the threshold that contacts as many of this side."""
        limited = is_limited(seen.setting)
        chosen = seen.prices.best(seen.lots, seen.setting.spending.cost) if limited else seen.gains.argmax(axis=1)
        share = float(np.average(chosen > 0, weights=seen.weight))
        arm = seen.best_contact()
        risk, lot = seen.side.means[:, 0], _lots(seen)
        order = np.lexsort((lot, risk))
        before = np.cumsum(seen.weight[order]) / seen.weight.sum()
        first_out = int(np.searchsorted(before, share * (1 + 1e-12), side="right"))
        if first_out >= len(order):
            return Below(arm=arm, level=np.inf, lot=1.0)
        return Below(arm=arm, level=float(risk[order[first_out]]), lot=float(lot[order[first_out]]))


def _lots(seen: Seen) -> Floats:
    return mixed(seen.side.units.astype(np.uint64), seen.setting.seed, _LOTS).astype(np.float64) / 2.0**64
