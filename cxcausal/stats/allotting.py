"""Who gets which contact where there is not enough for all: prices for budget and places, then an exact allotment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import floor

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import Keys
from cxcausal.core.rows import Flags, Floats

Arms = npt.NDArray[np.int8]
Places = npt.NDArray[np.intp]
PRICED_AT_MOST = 200_000
"""Prices are found on so many customers; with more, on those whose keys are smallest, which is as good as by lot."""
_CHUNK = 1 << 18
_GRAIN = 1_000_000
_HALVINGS = 60
_ROUNDS = 30
_ROUNDING = 1e-9
"""A share of customers is a fraction that floats may miss by less than this."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What there is for all customers together.

    Attributes:
        cost: of each treated arm per customer, shape (arms,), in any unit, not negative.
        budget: in that unit; None without a limit.
        places: how many customers each arm can take, shape (arms,); None where it can take any number.
    """

    cost: tuple[float, ...]
    budget: float | None = None
    places: tuple[int | None, ...] = ()

    @property
    def bind(self) -> bool:
        """Whether there is any limit at all."""
        return self.budget is not None or any(place is not None for place in self.places)


def limits_for(
    arms: tuple[str, ...], cost: tuple[float, ...], budget: float | None, capacity: Mapping[str, float], n: int
) -> Limits:
    """Return the limits of n customers together; a part of a place is no place.

    Args:
        arms: the control first.
        cost: of each per customer.
        budget: for all together; None without a limit.
        capacity: arm → the largest share of customers.
        n: customers whom budget and shares are for.

    Example:
        >>> limits_for(("none", "call"), (0.0, 2.5), 10.0, {"call": 0.3}, 9)
        Limits(cost=(2.5,), budget=10.0, places=(2,))
    """
    shares = (capacity.get(arm) for arm in arms[1:])
    places = tuple(None if share is None else floor(share * n + _ROUNDING) for share in shares)
    return Limits(cost=tuple(cost[1:]), budget=budget, places=places)


@dataclass(kw_only=True)
class _Left:
    """What is left while it is dealt out; money in millionths, so that its sums are exact."""

    money: int | None
    cost: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    closed: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Close what nobody can have."""
        self.closed = np.zeros(len(self.cost), dtype=bool)
        self.close()

    def most(self) -> int:
        """Return how many customers can be served at most, were each arm the only one."""
        places = self.places if self.money is None else np.minimum(self.places, self._paid(self.money))
        return int(places[~self.closed].sum())

    def _paid(self, money: int) -> npt.NDArray[np.int64]:
        """Return how many contacts of each arm the money pays for."""
        return np.where(self.cost > 0, money // np.maximum(self.cost, 1), np.iinfo(np.int32).max)

    def close(self) -> None:
        """Close the arms that are full, or cost more than what is left."""
        self.closed |= self.places <= 0
        if self.money is not None:
            self.closed |= self.cost > self.money


def allotted(gains: Floats, limits: Limits, key: Keys) -> Arms:
    """Return each customer's arm: 0 for none of them, else one more than the place of the arm among the treated.

    With prices of money λ and of places ν, a customer gets the arm with the largest gain − λ cost − ν, which maximises
    the total gain (Lagrange); prices come from the customers themselves. Money and places are then dealt out one by
    one in the order of that surplus, customers alike in it in the order of their keys, until nothing is left that
    anybody gains from. So neither limit is ever exceeded, and what stays unused is less than one contact's.

    Args:
        gains: of each treated arm against none, shape (n, arms); only those above 0 are given.
        limits: cost, budget and places.
        key: what decides between customers whose surplus is the same, shape (n,); different for each.

    Example:
        >>> gains = np.array([[3.0], [1.0], [2.0], [-1.0]])
        >>> allotted(gains, Limits(cost=(1.0,), budget=2.0), np.arange(4, dtype=np.uint64)).tolist()
        [1, 0, 1, 0]
    """
    n, arms = gains.shape
    if not limits.bind or not n or not arms:
        return _best(gains, np.zeros(arms), np.zeros(arms, dtype=bool))[0]
    if arms == 1:
        return _of_one_arm(np.ascontiguousarray(gains[:, 0]), limits, key)
    money, places = prices(gains, limits, key)
    return _dealt(gains, limits, key, money * np.array(limits.cost) + places)


def _of_one_arm(gains: Floats, limits: Limits, key: Keys) -> Arms:
    """Return who is served where there is one arm: whatever the prices, those who gain most."""
    wanted, most = np.flatnonzero(gains > 0), _left(limits, len(gains)).most()
    if most < len(wanted):
        gain = gains[wanted]
        last = np.partition(gain, len(gain) - most)[len(gain) - most] if most else np.inf
        sure, alike = wanted[gain > last], wanted[gain == last]
        places = most - len(sure)
        if places < len(alike):
            alike = alike[np.argpartition(key[alike], places)[:places]]
        wanted = np.concatenate([sure, alike])
    found = np.zeros(len(gains), dtype=np.int8)
    found[wanted] = 1
    return found


def prices(gains: Floats, limits: Limits, key: Keys) -> tuple[float, Floats]:
    """Return the price of money and of each arm's places at which what is wanted fits what there is.

    For one price of money, prices of places rise in turn, each to where its arm is wanted by no more than it can take;
    as arms stand in for one another this ends at the smallest such prices (Kelso & Crawford 1982). The price of money
    is then halved in on.
    """
    n = len(gains)
    if n > PRICED_AT_MOST:
        few = np.argpartition(key, PRICED_AT_MOST)[:PRICED_AT_MOST]
        part = PRICED_AT_MOST / n
        budget = None if limits.budget is None else limits.budget * part
        places = tuple(None if place is None else int(place * part) for place in limits.places)
        return prices(gains[few], Limits(cost=limits.cost, budget=budget, places=places), key[few])
    cost = np.array(limits.cost)
    none, full = 0.0, _place_prices(gains, limits, 0.0)
    if limits.budget is None or _spent(gains, cost, full) <= limits.budget:
        return none, full
    paid = cost > 0
    low, high = 0.0, float(np.max(np.clip(gains[:, paid], 0, None) / cost[paid], initial=0.0))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        full = _place_prices(gains, limits, middle)
        fits = _spent(gains, cost, middle * cost + full) <= limits.budget
        low, high = (low, middle) if fits else (middle, high)
        if high - low <= 1e-12 * high:
            break
    return high, _place_prices(gains, limits, high)


def _place_prices(gains: Floats, limits: Limits, money: float) -> Floats:
    """Return the smallest prices at which no arm is wanted by more customers than it can take."""
    net = gains - money * np.array(limits.cost)
    found = np.zeros(net.shape[1])
    limited = [(arm, place) for arm, place in enumerate(limits.places) if place is not None and place < len(net)]
    for _ in range(_ROUNDS if len(limited) > 1 else 1):
        before = found.copy()
        for arm, place in limited:
            surplus = net - found
            surplus[:, arm] = 0.0
            margin = net[:, arm] - np.clip(surplus, 0, None).max(axis=1)
            last = len(margin) - 1 - place
            found[arm] = max(found[arm], float(np.partition(margin, last)[last]))
        if np.array_equal(before, found):
            break
    return found


def _spent(gains: Floats, cost: Floats, price: Floats) -> float:
    arms, _ = _best(gains, price, np.zeros(len(cost), dtype=bool), strictly=True)
    return float(np.bincount(arms, minlength=len(cost) + 1)[1:] @ cost)


def _best(
    gains: Floats, price: Floats, closed: Flags, some: Places | None = None, *, strictly: bool = False
) -> tuple[Arms, Floats]:
    """Return the best open arm among those with a gain of each customer, or of some, 0 for none, and its surplus."""
    n = len(gains) if some is None else len(some)
    found, surplus = np.zeros(n, dtype=np.int8), np.full(n, -np.inf)
    for start in range(0, n, _CHUNK):
        these = slice(start, start + _CHUNK)
        part = gains[these] if some is None else gains[some[these]]
        for arm in np.flatnonzero(~closed):
            own = part[:, arm]
            value = np.where(own > 0, own - price[arm], -np.inf)
            found[these][value > surplus[these]] = arm + 1
            np.maximum(value, surplus[these], out=surplus[these])
    if strictly:
        found[surplus <= 0] = 0
    return found, surplus


def _dealt(gains: Floats, limits: Limits, key: Keys, price: Floats) -> Arms:
    """Deal out money and places in the order of surplus; every round serves all, or closes an arm."""
    left, found = _left(limits, len(gains)), np.zeros(len(gains), dtype=np.int8)
    waiting: Places = np.arange(len(gains), dtype=np.int64)
    while len(waiting) and not left.closed.all():
        arms, surplus = _best(gains, price, left.closed, waiting)
        some = arms > 0
        waiting, arms, surplus = waiting[some], arms[some], surplus[some]
        first = _first(surplus, left.most())
        order = first[np.lexsort((key[waiting[first]], -surplus[first]))]
        served = order[_served(arms[order] - 1, left)]
        found[waiting[served]] = arms[served]
        counts = np.bincount(arms[served] - 1, minlength=len(left.cost))
        left.places -= counts
        left.money = None if left.money is None else left.money - int(counts @ left.cost)
        rest = np.ones(len(waiting), dtype=bool)
        rest[served] = False
        waiting = waiting[rest]
        left.close()
    return found


def _first(surplus: Floats, most: int) -> Places:
    """Return the places of those with the largest surplus, at least `most` of them: nobody after them is served yet."""
    if most >= len(surplus):
        return np.arange(len(surplus))
    at = len(surplus) - max(most, 1)
    return np.flatnonzero(surplus >= np.partition(surplus, at)[at])


def _served(arms: npt.NDArray[np.int8], left: _Left) -> Flags:
    """Return who of a queue is served: as many per arm as it has places, and then as far as the money goes."""
    taken = np.zeros(len(arms), dtype=bool)
    for arm, places in enumerate(left.places):
        taken[np.flatnonzero(arms == arm)[: max(int(places), 0)]] = True
    if left.money is not None:
        spent = np.cumsum(np.where(taken, left.cost[arms], 0))
        taken &= spent <= left.money
    return taken


def _left(limits: Limits, n: int) -> _Left:
    """Return what there is to begin with: costs rounded up and the budget down, to millionths."""
    cost = [int((Decimal(repr(float(each))) * _GRAIN).to_integral_value(ROUND_CEILING)) for each in limits.cost]
    money = None
    if limits.budget is not None:
        money = int((Decimal(repr(float(limits.budget))) * _GRAIN).to_integral_value(ROUND_FLOOR))
        # More than the dearest arm for everybody is never spent; counts of contacts would not fit into 64 bits.
        money = min(money, max(0, *cost) * n)
    places = limits.places or (None,) * len(cost)
    return _Left(
        money=money,
        cost=np.array(cost, dtype=np.int64),
        places=np.array([n if place is None else place for place in places], dtype=np.int64),
    )
