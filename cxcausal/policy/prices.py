"""What a unit of the budget and a place of each arm are worth: whoever gains more than they take is contacted."""

from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.held_out import Places, Spending
from cxcausal.core.rows import Floats

PRICED_AT_MOST = 50_000
"""Customers from whom prices are learned; of more, an even part: rows stand in the order of a hash of their ids."""
_ROUNDS = 40
_STEADY, _HAIR = 1e-6, 1e-13
_RISE = 1e-9
"""By what share a price that must rise overshoots at first, so that two limits don't pass one customer to and fro."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The prices of a budget and of capacities, in units of gain.

    Attributes:
        budget: gain that a unit of the budget must bring. capacity: gain that a place of each arm must bring, (arms,).
    """

    budget: float
    capacity: tuple[float, ...]

    def net(self, gains: Floats, cost: Floats) -> Floats:
        """Return the gain of every arm beyond what it takes, shape (m, arms), the control's being 0."""
        found = gains - self.budget * cost - np.asarray(self.capacity)
        found[:, 0] = 0.0
        return np.asarray(found)

    def best(self, gains: Floats, cost: Floats) -> Places:
        """Return the arm with the most gain beyond what it takes, the control where none has any, shape (m,)."""
        return np.asarray(np.argmax(self.net(gains, cost), axis=1))


def limits_of(spending: Spending, arms: tuple[str, ...]) -> Floats:
    """Return the largest share of customers for every arm, shape (arms,); infinite where there is no limit."""
    known = dict(spending.capacity)
    return np.array([np.inf, *(known.get(arm, np.inf) for arm in arms[1:])])


def prices_of(
    gains: Floats, weight: Floats, spending: Spending, arms: tuple[str, ...], *, start: Prices | None = None
) -> Prices:
    """Return the lowest prices at which the budget and every capacity suffice for whom they let through.

    They minimise the Lagrangian's dual, mean max_a(gain_a − λ·cost_a − ν_a) + λ·budget + Σ ν_a·capacity_a, one price
    after another, each exactly; then they only rise, until no limit is exceeded.

    Args:
        gains: predicted, shape (m, arms), the control's 0; equal ones in an order by lot.
        weight: of each customer, shape (m,).
        spending: costs and limits per customer.
        arms: the control first.
        start: prices to begin from.

    Example:
        >>> gains = np.column_stack([np.zeros(4), [4.0, 3.0, 2.0, 1.0]])
        >>> half = Spending(cost=np.array([0.0, 1.0]), budget=0.5)
        >>> prices_of(gains, np.ones(4), half, ("none", "call")).best(gains, half.cost).tolist()
        [1, 1, 0, 0]
    """
    step = -(-len(gains) // PRICED_AT_MOST)
    market = _Market(gains=gains[::step], weight=weight[::step], spending=spending, limits=limits_of(spending, arms))
    prices = start or Prices(budget=0.0, capacity=(0.0,) * len(arms))
    for _ in range(_ROUNDS):
        before, prices = prices, market.cleared(prices)
        if _same(before, prices):
            break
    for turn in range(_ROUNDS):
        before, prices = prices, market.cleared(prices, rise=_RISE * 2**turn)
        if before == prices:
            break
    return prices


def _same(one: Prices, other: Prices) -> bool:
    gap = np.abs(np.array([one.budget, *one.capacity]) - [other.budget, *other.capacity])
    return bool(gap.max() <= _STEADY * max(1e-12, abs(other.budget), *other.capacity))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Market:
    gains: Floats
    weight: Floats
    spending: Spending
    limits: Floats

    def cleared(self, prices: Prices, *, rise: float | None = None) -> Prices:
        """Return prices after each was set once to the lowest that suffices given the others.

        Where `rise` is given none falls, and each that rises overshoots by about that share.
        """
        if self.spending.budget is not None:
            least = prices.budget if rise is not None else 0.0
            own = self._budget(prices, self.spending.budget, least)
            prices = replace(prices, budget=own * (1 + (rise or 0.0)) if own > least else least)
        for arm in np.flatnonzero(np.isfinite(self.limits)):
            least = prices.capacity[arm] if rise is not None else 0.0
            own = self._capacity(prices, int(arm), least)
            own += max(rise or 0.0, _HAIR) * float(self.gains.max()) if own > least else 0.0
            prices = replace(prices, capacity=(*prices.capacity[:arm], own, *prices.capacity[arm + 1 :]))
        return prices

    def _budget(self, prices: Prices, budget: float, least: float) -> float:
        """Return the lowest price of the budget at which it suffices, by halving between two that don't and do.

        A customer takes no more as the price rises, so those who take the same at both ends are settled.
        """
        cost, share = self.spending.cost, self.weight / self.weight.sum()

        def taken(price: float, who: Places) -> Floats:
            at = replace(prices, budget=price).best(self.gains[who], cost)
            return np.asarray(cost[at] * share[who])

        everybody = np.arange(len(self.gains))
        at_low = taken(least, everybody)
        if at_low.sum() <= budget:
            return least
        paid = cost > 0
        low, high = least, max(least, float(np.max(self.gains[:, paid] / cost[paid]))) * (1 + 1e-9)
        open_, at_high, settled = everybody, taken(high, everybody), 0.0
        while open_.size and low < (middle := (low + high) / 2) < high:
            at_middle = taken(middle, open_)
            if settled + at_middle.sum() <= budget:
                high, at_high = middle, at_middle
            else:
                low, at_low = middle, at_middle
            still = at_low != at_high
            settled += float(at_low[~still].sum())
            open_, at_low, at_high = open_[still], at_low[still], at_high[still]
        return high

    def _capacity(self, prices: Prices, arm: int, least: float) -> float:
        """Return the lowest price of an arm's places at which those who want one find one."""
        free = replace(prices, capacity=(*prices.capacity[:arm], 0.0, *prices.capacity[arm + 1 :]))
        net = free.net(self.gains, self.spending.cost)
        margin = net[:, arm] - np.max(np.delete(net, arm, axis=1), axis=1)
        wanted = np.flatnonzero(margin > least)
        order = wanted[np.argsort(-margin[wanted], kind="stable")]
        taken = np.cumsum(self.weight[order]) / self.weight.sum()
        over = np.flatnonzero(taken > self.limits[arm])
        # At this price the first customer who finds no place is indifferent; a hair more, and does not ask for one.
        return float(margin[order[over[0]]]) if over.size else least
