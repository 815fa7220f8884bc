"""The twin of quantile comparisons: from all raw values, with SciPy's binomial and normal distributions."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from cxcausal.core.answers import OrderStatistics

Values = npt.NDArray[Any]


def every_rank(values: Values) -> OrderStatistics:
    """Return all order statistics."""
    return OrderStatistics(n=len(values), ranks=np.arange(1, len(values) + 1), values=np.sort(values).astype(float))


def grid_of(values: Values, q: float, reach: float = 6.0) -> OrderStatistics:
    """Return the order statistics on the grid that the data edge answers with."""
    n = len(values)
    ranks = np.arange(1, n + 1)
    step = 0.05 * np.sqrt(n * q * (1 - q))
    low, high = (ranks - n * q) / step, (ranks + 1 - n * q) / step
    kept = ((np.abs(low) <= reach / 0.05) & (np.ceil(low) < high)) | (np.abs(ranks - n * q) <= 2)
    return OrderStatistics(n=n, ranks=ranks[kept], values=np.sort(values).astype(float)[kept])


def sample_quantile(values: Values, q: float) -> float:
    """Return NumPy's inverse of the empirical distribution, nudged off the noise of n·q."""
    return float(np.quantile(values, q - 1e-12, method="inverted_cdf"))


def arm_limits(values: Values, q: float, z: float, *, tied: bool | None = None) -> tuple[float, float]:
    """Return one arm's limits at a normal quantile, rank by rank; ties are looked for in all values unless told."""
    ordered, n = np.sort(values), len(values)
    tied = len(set(ordered.tolist())) < n if tied is None else tied
    alpha = stats.norm.sf(z)
    point = sample_quantile(values, q)
    lows = [r for r in range(1, n + 1) if stats.binom.cdf(r - 1, n, q) <= alpha]
    highs = [r for r in range(1, n + 1) if stats.binom.sf(r - 1, n, q) <= alpha]
    low, high = -np.inf, np.inf
    if lows:
        low = _between(ordered, lows[-1], 1, z, lambda r: stats.norm.isf(stats.binom.cdf(r - 1, n, q)), tied=tied)
    if highs:
        high = _between(ordered, highs[0], -1, z, lambda r: stats.norm.isf(stats.binom.sf(r - 1, n, q)), tied=tied)
    return min(low, point), max(high, point)


def _between(ordered: Values, rank: int, inwards: int, z: float, reach: Any, *, tied: bool) -> float:
    inner = rank + inwards
    if tied or not 1 <= inner <= len(ordered):
        return float(ordered[rank - 1])
    return float(np.interp(z, [reach(inner), reach(rank)], [ordered[inner - 1], ordered[rank - 1]]))


def mover(treated: Values, control: Values, q: float, z: float) -> tuple[float, float]:
    """Return the limits of the difference; with ties at differences that two values have."""
    one, two = sample_quantile(treated, q), sample_quantile(control, q)
    (low_1, high_1), (low_2, high_2) = arm_limits(treated, q, z), arm_limits(control, q, z)
    low = one - two - np.sqrt((one - low_1) ** 2 + (high_2 - two) ** 2)
    high = one - two + np.sqrt((high_1 - one) ** 2 + (two - low_2) ** 2)
    if not any(len(set(arm.tolist())) < len(arm) for arm in (treated, control)) or not np.isfinite(low + high):
        return float(low), float(high)
    lower = [x - y for x in set(treated) for y in set(control) if x <= one and y >= two and x - y <= low]
    upper = [x - y for x in set(treated) for y in set(control) if x >= one and y <= two and x - y >= high]
    return float(max(lower)), float(min(upper))
