"""Budget and capacity kept to the unit on a finished set of customers, with little of the possible gain lost."""

from dataclasses import dataclass

import numpy as np

from cxcausal.core.held_out import Places, Spending
from cxcausal.core.rows import Flags, Floats
from cxcausal.policy.prices import Prices, limits_of

_SLACK = 1e-9
"""Of a limit: what decimal fractions lose in binary arithmetic."""
_CHUNK = 250_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What there is for all customers of the set together.

    Attributes:
        cost: of each arm per customer, shape (arms,). budget: in all; infinite where there is no limit.
        places: in each arm, shape (arms,); infinite where there is no limit.
    """

    cost: Floats
    budget: float
    places: Floats

    def holds(self, counts: Floats) -> Flags:
        """Return which counts of customers per arm keep within the limits, shape of counts without its last axis."""
        spent = counts @ self.cost
        within = np.all(counts <= self.places, axis=-1)
        return np.asarray(within & (spent <= self.budget * (1 + 1e-12)))


def limits_for(spending: Spending, arms: tuple[str, ...], n: int) -> Limits:
    """Return the limits of n customers together; a part of a place is no place."""
    shares = limits_of(spending, arms)
    places = np.where(np.isfinite(shares), np.floor(shares * n * (1 + _SLACK)), np.inf)
    budget = np.inf if spending.budget is None else spending.budget * n
    return Limits(cost=spending.cost, budget=budget, places=places)


def within(gains: Floats, prices: Prices, limits: Limits) -> Places:
    """Return every customer's arm so that no limit is exceeded by anybody, shape (n,).

    Who gains most beyond what the prices ask comes first; what is then left over goes to the next who gain at all.

    Args:
        gains: shape (n, arms), the control's 0, −∞ where an arm is out of question; no two equal.
        prices: learned on these customers, or on others like them.
        limits: for all together.
    """
    net = prices.net(gains, limits.cost)
    found = np.zeros(len(gains), dtype=np.intp)
    counts = np.zeros(len(limits.cost))
    while True:
        arm, most = _asked(net, gains, _may(limits, counts), found)
        taken = _first(arm, most, limits, counts)
        if not taken.size:
            return found
        found[taken] = arm[taken]
        counts += np.bincount(arm[taken], minlength=len(counts))


def _may(limits: Limits, counts: Floats) -> Flags:
    """Return which arms have room for one customer more; the control needs none."""
    more = limits.holds(counts + np.eye(len(counts)))
    more[0] = False
    return more


def _asked(net: Floats, gains: Floats, open_: Flags, found: Places) -> tuple[Places, Floats]:
    """Return the best arm with room for every customer still without, and its net gain; −∞ where there is none."""
    arm, most = np.zeros(len(net), dtype=np.intp), np.full(len(net), -np.inf)
    for place in np.flatnonzero(open_):
        better = (gains[:, place] > 0) & (net[:, place] > most) & (found == 0)
        arm[better], most[better] = place, net[better, place]
    return arm, most


def _first(arm: Places, most: Floats, limits: Limits, counts: Floats) -> Places:
    """Return the first customers, by what they ask for most, until a limit is met."""
    who = np.flatnonzero(np.isfinite(most))
    order = who[np.lexsort((-most[who], limits.cost[arm[who]] > 0))]
    before, taken = counts.copy(), 0
    for start in range(0, len(order), _CHUNK):
        asked = np.cumsum(np.eye(len(counts))[arm[order[start : start + _CHUNK]]], axis=0) + before
        fits = limits.holds(asked)
        if not fits.all():
            return order[: taken + int(np.argmin(fits))]
        before, taken = asked[-1], taken + len(asked)
    return order
