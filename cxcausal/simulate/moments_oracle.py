"""The best that anybody could do within a budget and with so many hands, where every customer's gain is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.simulate.population import Floats

_MOST_CUTS = 300
_GAP = 1e-6
"""Relative to the largest gain: how far the value may be from the best one that could not be ruled out."""


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """The best policy, as its value and the prices at which every customer gets the best arm.

    Attributes:
        gain: per customer, against the control for everybody, in the currency.
        price: of one unit of cost beyond the cost itself. hands: of one customer of each arm, shape (arms,).
    """

    gain: float
    price: float
    hands: Floats


def oracle(
    gains: Floats, cost: Floats, *, budget: float | None = None, capacity: Mapping[int, float] | None = None
) -> Oracle:
    """Return the value of the best policy, to a millionth of the largest gain.

    By duality of the fractional knapsack: the value is the least of λ·budget + Σ ν_a·capacity_a + mean of the largest
    of gain_a − λ·cost_a − ν_a over prices λ, ν ≥ 0; cuts close in on it from below (Kelley 1960,
    https://doi.org/10.1137/0108053). At most one customer per limit is served in part.

    Args:
        gains: net of costs, the control's being 0, shape (n, arms).
        cost: of each arm per customer, the control's being 0, shape (arms,).
        budget: the most that customers may cost on average; None where there is no limit.
        capacity: place of an arm → the largest share of customers that it can take.

    Example:
        >>> gains = np.array([[0.0, 5.0], [0.0, 3.0], [0.0, -2.0], [0.0, 1.0]])
        >>> cost = np.array([0.0, 2.0])
        >>> oracle(gains, cost).gain, round(oracle(gains, cost, budget=0.5).gain, 6)
        (2.25, 1.25)
    """
    limits = _limits(cost, budget, capacity or {})
    dual = _Dual(gains=gains, use=np.array([use for use, _ in limits]).reshape(len(limits), len(cost)))
    prices, value = _least(dual, np.array([limit for _, limit in limits]))
    first = 0 if budget is None else 1
    hands = np.zeros(len(cost))
    hands[list(capacity or {})] = prices[first:]
    return Oracle(gain=value, price=float(prices[0]) if first else 0.0, hands=hands)


def by_lot(gains: Floats, cost: Floats, budget: float) -> float:
    """Return what the best single arm gains for as many customers, drawn by lot, as the budget pays; per customer."""
    means, arms = gains.mean(axis=0), range(1, len(cost))
    return max(0.0, *(float(means[arm] * min(1.0, budget / cost[arm])) for arm in arms))


@dataclass(frozen=True, kw_only=True)
class _Dual:
    """Gains of shape (n, arms), and how much of each limit a customer of each arm uses, shape (limits, arms)."""

    gains: Floats
    use: Floats

    def at(self, prices: Floats) -> tuple[float, Floats]:
        """Return the mean of what is left at these prices, and how much of each limit is used there."""
        left = self.gains - prices @ self.use
        arm = left.argmax(axis=1)
        best = np.take_along_axis(left, arm[:, None], axis=1)
        return float(best.mean()), self.use[:, arm].mean(axis=1)


def _limits(cost: Floats, budget: float | None, capacity: Mapping[int, float]) -> list[tuple[Floats, float]]:
    hands = [(np.eye(len(cost))[arm], share) for arm, share in capacity.items()]
    return hands if budget is None else [(cost, budget), *hands]


def _least(dual: _Dual, limits: Floats) -> tuple[Floats, float]:
    """Return the prices at which the dual is least, and its value there."""
    prices = np.zeros(len(limits))
    best, value = prices, np.inf
    slopes: list[Floats] = []
    heights: list[float] = []
    scale = max(float(dual.gains.max()), np.finfo(float).tiny)
    most = [_most(dual, place, scale) for place in range(len(limits))]
    for _ in range(_MOST_CUTS):
        left, used = dual.at(prices)
        here = left + float(prices @ limits)
        if here < value:
            best, value = prices, here
        slopes.append(limits - used)
        heights.append(here - float((limits - used) @ prices))
        if not len(limits):
            break
        prices, floor = _lowest_cut(slopes, heights, most)
        if value - floor <= _GAP * scale:
            break
    return best, value


def _most(dual: _Dual, place: int, scale: float) -> float:
    """Return a price at which nobody would use the limit."""
    used = dual.use[place][dual.use[place] > 0]
    return scale / float(used.min()) if len(used) else 0.0


def _lowest_cut(slopes: Sequence[Floats], heights: Sequence[float], most: Sequence[float]) -> tuple[Floats, float]:
    """Return where the highest of all cuts is lowest, and how high it is there."""
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and needed only where there are limits

    matrix = np.column_stack([np.array(slopes), -np.ones(len(slopes))])
    bounds: list[tuple[float | None, float | None]] = [*((0.0, top) for top in most), (None, None)]
    objective: npt.NDArray[np.float64] = np.append(np.zeros(len(most)), 1.0)
    found = linprog(objective, A_ub=matrix, b_ub=-np.array(heights), bounds=bounds)
    if found.x is None or found.fun is None:
        raise ArithmeticError(f"the prices of limits could not be found: {found.message}")
    return np.asarray(found.x[:-1], dtype=np.float64), float(found.fun)
