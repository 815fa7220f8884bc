"""Boundaries over several looks at growing data, and how often they are crossed, by recursive numerical integration."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, roots_legendre

from cxcausal.core.answers import Array

_FAR = 9.0
"""Standard deviations beyond which a normal variable has no probability worth counting."""
_NODES_PER_SD, _FEWEST_NODES, _MOST_NODES, _STEP = 2.0, 32, 1024, 16
_SQRT_2_PI = sqrt(2 * np.pi)


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The probability that a boundary is ever crossed, on either side."""

    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class _Going:
    """Paths that have crossed nothing so far: points of the score, the probability at each, and the information."""

    at: Array
    mass: Array
    information: float

    def crosses(self, bound: float, information: float, drift: float = 0.0) -> Crossing:
        """Return the probability that the next look lies at or beyond ± bound standard deviations."""
        step, limit = information - self.information, bound * sqrt(information)
        away = self.at + drift * step
        lower, upper = ndtr((-limit - away) / sqrt(step)), ndtr((away - limit) / sqrt(step))
        return Crossing(lower=float(self.mass @ lower), upper=float(self.mass @ upper))

    def goes_on(self, bound: float, information: float, after: float, drift: float = 0.0) -> "_Going":
        """Return the paths that the next look leaves within ± bound; `after` is the information of the look after."""
        step, spread = information - self.information, sqrt(information)
        low = max(-bound * spread, drift * information - _FAR * spread)
        high = max(min(bound * spread, drift * information + _FAR * spread), low)
        points, weights = _legendre(_nodes((high - low) / sqrt(min(step, after - information))))
        at = low + (high - low) * (points + 1) / 2
        away = (at[:, None] - (self.at + drift * step)[None, :]) / sqrt(step)
        density = np.exp(-(away**2) / 2) @ self.mass / (_SQRT_2_PI * sqrt(step))
        return _Going(at=at, mass=weights * (high - low) / 2 * density, information=information)


_START = _Going(at=np.zeros(1), mass=np.ones(1), information=0.0)


def boundaries(information: Sequence[float], increments: Sequence[float]) -> tuple[float, ...]:
    """Return the boundary of every look, in standard errors, such that each is first crossed so often under the null.

    Armitage, McPherson & Rowe 1969 (https://doi.org/10.2307/2343787); Jennison & Turnbull 1999, chapter 19. The score
    process of growing independent data is a Brownian motion in its information; the density of the paths that go on
    is carried from look to look by Gauss–Legendre quadrature.

    Args:
        information: units, or anything proportional to them, at each look; strictly increasing.
        increments: two-sided probability of the first crossing at each look. One too small for nine standard errors
            gets a boundary of nine.

    Example:
        >>> [round(bound, 4) for bound in boundaries([1, 2], [0.025, 0.025])]
        [2.2414, 2.1251]
    """
    scaled = [amount / information[-1] for amount in information]
    going, found = _START, []
    for place, (now, increment) in enumerate(zip(scaled, increments, strict=True)):
        found.append(_boundary(going, now, increment))
        if place + 1 < len(scaled):
            going = going.goes_on(found[-1], now, scaled[place + 1])
    return tuple(found)


def crossing(information: Sequence[float], bounds: Sequence[float], drift: float) -> Crossing:
    """Return how often boundaries are ever crossed where the last look's statistic has mean `drift`.

    Args:
        information: at each look; strictly increasing.
        bounds: in standard errors, one per look.
        drift: the effect in standard errors of the last look.

    Example:
        >>> found = crossing([1.0], [1.959964], 2.801585)
        >>> round(found.upper, 4), round(crossing([1, 2], [2.1783, 2.1783], 0.0).upper, 3)  # Pocock 1977, two looks
        (0.8, 0.025)
    """
    scaled = [amount / information[-1] for amount in information]
    going, lower, upper = _START, 0.0, 0.0
    for place, (now, bound) in enumerate(zip(scaled, bounds, strict=True)):
        crossed = going.crosses(bound, now, drift)
        lower, upper = lower + crossed.lower, upper + crossed.upper
        if place + 1 < len(scaled):
            going = going.goes_on(bound, now, scaled[place + 1], drift)
    return Crossing(lower=lower, upper=upper)


def _boundary(going: _Going, information: float, increment: float) -> float:
    def excess(bound: float) -> float:
        crossed = going.crosses(bound, information)
        return crossed.lower + crossed.upper - increment

    if excess(0.0) <= 0:
        return 0.0
    return _FAR if excess(_FAR) >= 0 else float(brentq(excess, 0.0, _FAR, xtol=1e-12, rtol=1e-12))


def _nodes(width: float) -> int:
    """Return how many nodes resolve normal kernels on an interval of so many of their standard deviations."""
    wanted = _FEWEST_NODES + _NODES_PER_SD * min(width, _MOST_NODES)
    return min(_STEP * ceil(wanted / _STEP), _MOST_NODES)


@lru_cache(maxsize=64)
def _legendre(nodes: int) -> tuple[Array, Array]:
    points, weights = roots_legendre(nodes)
    return points, weights
