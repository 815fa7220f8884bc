"""Reading growing data more than once: the level at which one look's interval stands, and the p-value that counts."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import e, exp, log, sqrt
from typing import Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import lambertw, ndtr, ndtri

from cxcausal.stats.sequential_integration import boundaries

LEAST = 1e-12
"""No nominal level and no honest p-value is told below this; the error that it adds is as small."""
DEFAULT_INFORMATION = 10_000
"""Analysed units at which an always valid interval is tightest where the plan gives no horizon in units."""
BURN_IN = 200
"""Analysed units in every arm before which an always valid reading concludes nothing: its guarantee is asymptotic.

For skewed spend in a tenth of the customers, readings from 20 units on err in 13 % of experiments, from 200 on in
5 % (simulated: V9). Arms of equal size would need none.
"""
_MOST = 1 - 1e-9
_GRID = tuple(np.geomspace(LEAST, _MOST, 49).tolist())


class Reading(Protocol):
    """One reading of the data among all those that a plan allows; levels and p-values are two-sided."""

    def nominal(self, alpha: float) -> float:
        """Return the level at which this look's interval stands, so that all looks' hold together at `alpha`."""

    def honest_p(self, p: float) -> float:
        """Return the smallest alpha at which this look rejects what has an ordinary p-value of `p`."""


@dataclass(frozen=True, kw_only=True)
class FixedReading:
    """The only reading: nothing to correct."""

    def nominal(self, alpha: float) -> float:
        """Return `alpha`."""
        return alpha

    def honest_p(self, p: float) -> float:
        """Return `p`."""
        return p


@dataclass(frozen=True, kw_only=True)
class GroupSequential:
    """One of a few planned looks: an error-spending boundary of O'Brien–Fleming type.

    Spending (Lan & DeMets 1983, https://doi.org/10.1093/biomet/70.3.659) and not the classical constant boundary,
    because looks may come at any information; either side spends alpha/2 by 2 − 2Φ(z(alpha/4)/√time). Intervals are
    repeated confidence intervals (Jennison & Turnbull 1989, https://doi.org/10.1111/j.2517-6161.1989.tb01763.x):
    they hold at every look, whether or not the experiment stops.

    Attributes:
        spent: the share of the planned course at each look so far, this one last; 1 spends all of alpha.
        information: analysed units at the same looks, strictly increasing.

    Example:
        >>> fifth = GroupSequential(spent=(0.2, 0.4, 0.6, 0.8, 1.0), information=(1, 2, 3, 4, 5))
        >>> [round(bound, 4) for bound in fifth.bounds(0.05)]
        [4.8769, 3.357, 2.6803, 2.2898, 2.031]
        >>> round(fifth.nominal(0.05), 4), round(fifth.honest_p(0.0423), 3)
        (0.0423, 0.05)
    """

    spent: tuple[float, ...]
    information: tuple[float, ...]

    def bounds(self, alpha: float) -> tuple[float, ...]:
        """Return every look's boundary so far, in standard errors."""
        return _bounds(self, min(max(alpha, LEAST), _MOST))

    def nominal(self, alpha: float) -> float:
        """Return the level at which this look's interval stands, so that all looks' hold together at `alpha`."""
        return max(2 * float(ndtr(-self.bounds(alpha)[-1])), LEAST)

    def honest_p(self, p: float) -> float:
        """Return the smallest alpha at which this look rejects what has an ordinary p-value of `p`."""
        levels = _levels(self)
        place = int(np.searchsorted(levels, p))
        if place in {0, len(levels)}:
            return LEAST if place == 0 else 1.0
        low, high = log(_GRID[place - 1]), log(_GRID[place])
        return exp(float(brentq(lambda at: log(self.nominal(exp(at)) / p), low, high, xtol=1e-10)))


@dataclass(frozen=True, kw_only=True)
class AlwaysValid:
    """Any look, at any time: an asymptotic confidence sequence.

    Its interval is ± √((r + 1)/r · log((r + 1)/alpha²)) standard errors with r = units × ρ² (Waudby-Smith, Arbour,
    Sinha, Kennedy & Ramdas 2021, https://arxiv.org/abs/2103.06476). ρ is one number per plan: that with which the
    interval at the plan's own alpha is tightest at `tuned` units.

    Attributes:
        units: analysed by now. tuned: analysed units for which the plan hopes. alpha: the plan's own.

    Example:
        >>> at_horizon = AlwaysValid(units=10_000, tuned=10_000, alpha=0.05)
        >>> round(at_horizon.bound(0.05), 3), round(at_horizon.bound(0.05) / 1.959964, 2)
        (3.035, 1.55)
        >>> round(at_horizon.honest_p(at_horizon.nominal(0.01)), 12)
        0.01
    """

    units: float
    tuned: float
    alpha: float = 0.05

    @cached_property
    def _r(self) -> float:
        return self.units / self.tuned * tightest(self.alpha)

    def bound(self, alpha: float) -> float:
        """Return the half-width of the interval, in standard errors."""
        return sqrt((self._r + 1) / self._r * (log(self._r + 1) - 2 * log(min(max(alpha, LEAST), 1.0))))

    def nominal(self, alpha: float) -> float:
        """Return the level at which this look's interval stands, so that all looks' hold together at `alpha`."""
        return max(2 * float(ndtr(-self.bound(alpha))), LEAST)

    def honest_p(self, p: float) -> float:
        """Return the smallest alpha at which this look rejects what has an ordinary p-value of `p`."""
        if p <= self.nominal(LEAST):
            return LEAST
        exponent = float(ndtri(p / 2)) ** 2 * self._r / (self._r + 1) / 2
        return min(sqrt(self._r + 1) * exp(-exponent), 1.0)


READ_ONCE = FixedReading()


def tightest(alpha: float) -> float:
    """Return units × ρ² at which an always valid interval is narrowest: r = log((r + 1)/alpha²), by Lambert's W.

    Example:
        >>> round(tightest(0.05), 4)
        8.212
    """
    return float(-lambertw(-(alpha**2) / e, -1).real) - 1


def spending(alpha: float, time: float) -> float:
    """Return the two-sided error spent by a share of the planned course, by the O'Brien–Fleming type.

    Example:
        >>> round(spending(0.05, 1.0), 6), round(spending(0.05, 0.5), 6)
        (0.05, 0.003051)
    """
    return 4 * float(ndtr(ndtri(alpha / 4) / sqrt(min(time, 1.0))))


@lru_cache(maxsize=4096)
def _bounds(looks: GroupSequential, alpha: float) -> tuple[float, ...]:
    total = [0.0, *(spending(alpha, time) for time in looks.spent)]
    return boundaries(looks.information, [max(b - a, 0.0) for a, b in pairwise(total)])


@lru_cache(maxsize=16)
def _levels(looks: GroupSequential) -> tuple[float, ...]:
    return tuple(np.maximum.accumulate([looks.nominal(alpha) for alpha in _GRID]).tolist())
