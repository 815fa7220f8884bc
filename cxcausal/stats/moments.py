"""Merging of cells, and the mean (or ratio of means) behind a cell with the variance of its estimate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import Array, Moments

NAN = float("nan")
RATIO = 2
"""A cell with two components (numerator, denominator) stands for a ratio of means."""


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean or a ratio of means.

    Attributes:
        point: the mean, in the measure's unit; nan for an empty cell or a denominator of mean zero.
        variance: of that estimate (not of the units); nan below two units.
        n: units behind it.
    """

    point: float
    variance: float
    n: int


def merge(cells: Sequence[Moments]) -> Moments:
    """Return the moments of all cells' units together.

    The update is that of Chan, Golub & LeVeque (1983, https://doi.org/10.1080/00031305.1983.10483115), for any
    number of cells at once: centred products add up, and so do the products of the cells' own means.

    Args:
        cells: at least one cell; all with the same number of components.

    Raises:
        ValueError: there is no cell.

    Example:
        >>> one = Moments(n=2, mean=np.array([1.0]), m2=np.array([[2.0]]), events=1, low=0.0, high=2.0)
        >>> two = Moments(n=2, mean=np.array([5.0]), m2=np.array([[0.0]]), events=2, low=5.0, high=5.0)
        >>> both = merge([one, two])
        >>> both.n, both.mean.tolist(), both.m2.tolist(), both.high
        (4, [3.0], [[18.0]], 5.0)
    """
    if not cells:
        raise ValueError("merge needs at least one cell")
    filled = [cell for cell in cells if cell.n > 0]
    if not filled:
        return cells[0]
    counts = np.array([cell.n for cell in filled], dtype=np.float64)
    means = np.array([cell.mean for cell in filled])
    mean = counts @ means / counts.sum()
    away = means - mean
    return Moments(
        n=sum(cell.n for cell in filled),
        mean=mean,
        m2=np.sum([cell.m2 for cell in filled], axis=0) + (away.T * counts) @ away,
        events=sum(cell.events for cell in filled),
        low=min(cell.low for cell in filled),
        high=max(cell.high for cell in filled),
    )


def ratio_or_mean(mean: Array) -> float:
    """Return the point that components' means, shape (k,), stand for: a mean, or a ratio of means (nan over zero).

    Example:
        >>> ratio_or_mean(np.array([6.0, 2.0]))
        3.0
    """
    if len(mean) < RATIO:
        return float(mean[0])
    return float(mean[0] / mean[1]) if mean[1] != 0 else NAN


def influence(mean: Array) -> Array:
    """Return the weights w, shape (k,), with which centred components make one unit's influence on the point.

    For one component that is 1. For a ratio R = ȳ/d̄ it is (1, −R)/d̄, the delta method
    (Deng, Knoblich & Lu 2018, https://arxiv.org/abs/1803.06336).

    Example:
        >>> influence(np.array([6.0, 2.0])).tolist()
        [0.5, -1.5]
    """
    if len(mean) < RATIO:
        return np.array([1.0])
    ratio = ratio_or_mean(mean)
    return np.array([1.0, -ratio]) / (mean[1] if mean[1] != 0 else NAN)


def linearise(moments: Moments) -> Mean:
    """Return the mean of one component, or the ratio of two components' means, with its variance.

    The variance is s²/n with n − 1 degrees of freedom, of the linearised unit values for a ratio.

    Example:
        >>> linearise(Moments(n=4, mean=np.array([3.0]), m2=np.array([[12.0]])))
        Mean(point=3.0, variance=1.0, n=4)
    """
    n = moments.n
    if n == 0:
        return Mean(point=NAN, variance=NAN, n=0)
    weights = influence(moments.mean)
    variance = float(weights @ moments.m2 @ weights) / (n - 1) / n if n > 1 else NAN
    return Mean(point=ratio_or_mean(moments.mean), variance=variance, n=n)
