"""Counts against planned shares: the sample-ratio test, and the imbalance that it could have seen."""

from collections.abc import Sequence
from math import inf

import numpy as np
from scipy.special import chdtrc, chdtri, chndtrinc


def srm_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of Pearson's chi-square test that units fell into arms by the planned shares.

    Args:
        counts: randomisation units per arm.
        shares: planned share per arm, in the same order, summing to 1.

    Example:
        >>> round(srm_p([21307, 21387, 21306], [1 / 3, 1 / 3, 1 / 3]), 3)
        0.904
    """
    return strata_srm_p([(counts, shares)])


def strata_srm_p(strata: Sequence[tuple[Sequence[int], Sequence[float]]]) -> float:
    """Return the p-value of the same test over strata that were split by shares of their own.

    Strata are independent of each other, so their chi-squares and degrees of freedom add up.

    Args:
        strata: of each, the randomisation units per arm and the planned shares in the same order.

    Example:
        >>> round(strata_srm_p([([900, 100], [0.9, 0.1]), ([480, 520], [0.5, 0.5])]), 4)
        0.4493
    """
    found = [_chi_square(counts, shares) for counts, shares in strata]
    return float(chdtrc(sum(df for _, df in found), sum(square for square, _ in found)))


def equal_rates_p(groups: Sequence[tuple[int, int]]) -> float:
    """Return the p-value of Pearson's chi-square test that all groups have the same rate.

    Args:
        groups: of each, how many units have it, and how many there are.

    Example:
        >>> round(equal_rates_p([(300, 1000), (360, 1000)]), 4)
        0.0043
        >>> equal_rates_p([(0, 10), (0, 12)])
        1.0
    """
    have, units = (np.asarray(column, dtype=np.float64) for column in zip(*groups, strict=True))
    rate = have.sum() / units.sum()
    if rate in {0.0, 1.0}:
        return 1.0
    return float(chdtrc(len(units) - 1, np.sum((have - units * rate) ** 2 / (units * rate * (1 - rate)))))


def _chi_square(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, int]:
    """Return Pearson's chi-square and its degrees of freedom; infinite where an arm of share zero has units."""
    observed = np.asarray(counts, dtype=np.float64)
    expected = observed.sum() * np.asarray(shares, dtype=np.float64)
    impossible = expected == 0
    if np.any(observed[impossible] > 0):
        return inf, 1
    observed, expected = observed[~impossible], expected[~impossible]
    return float(np.sum((observed - expected) ** 2 / expected)), len(observed) - 1


def smallest_detectable_imbalance(n: int, shares: Sequence[float], alpha: float, power: float = 0.8) -> float:
    """Return the absolute deviation of one arm's share that the test would see with the given power.

    The other arms share the deviation in proportion; of all arms the least visible counts, so a deviation of this
    size in any arm would have been seen (non-central chi-square, Cohen 1988, chapter 7).

    Example:
        >>> round(smallest_detectable_imbalance(26000, [0.5, 0.5], 0.001), 4)
        0.0128
    """
    arms = [share for share in shares if share > 0]
    df = len(arms) - 1
    noncentrality = chndtrinc(chdtri(df, alpha), df, 1 - power)
    return float(np.sqrt(noncentrality * max(share * (1 - share) for share in arms) / n))
