"""Holm and Benjamini–Hochberg, each with the error level at which a hypothesis' interval agrees with its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Array = npt.NDArray[np.float64]
_DRAWS, _SEED = 50_000, 20_261_122


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """A family of hypotheses after adjustment, in the order they came.

    Attributes:
        p: adjusted p-values.
        rejected: whether each hypothesis is rejected.
        alpha: per hypothesis, the error level at which an interval excludes the null exactly when it is rejected.
    """

    p: tuple[float, ...]
    rejected: tuple[bool, ...]
    alpha: tuple[float, ...]


def holm(p_values: Sequence[float], alpha: float) -> Adjusted:
    """Return Holm's step-down adjustment (1979, https://www.jstor.org/stable/4615733).

    The hypothesis rejected at rank k of m was tested at alpha/(m − k + 1); all that were not, at alpha/(m − r)
    after r rejections.

    Example:
        >>> found = holm([0.01, 0.04, 0.02], 0.05)
        >>> found.p, found.rejected
        ((0.03, 0.04, 0.04), (True, True, True))
        >>> [round(level, 4) for level in found.alpha]
        [0.0167, 0.05, 0.025]
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * np.arange(m, 0, -1))
    tests = alpha / np.arange(m, 0, -1)
    passed = np.asarray(p_values, dtype=np.float64)[order] <= tests
    count = m if bool(passed.all()) else int(np.argmin(passed))
    levels = tests.copy()
    if count < m:
        levels[count:] = tests[count]
    return _restore(order, np.minimum(scaled, 1.0), count, levels)


def benjamini_hochberg(p_values: Sequence[float], q: float) -> Adjusted:
    """Return the false-discovery-rate adjustment, with intervals for the selected that keep the false coverage rate.

    With R of m selected, their intervals stand at R·q/m (Benjamini & Hochberg 1995,
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x; Benjamini & Yekutieli 2005,
    https://doi.org/10.1198/016214504000001907). The others stand at (R + 1)·q/m, the level that the best of them
    missed, so that no interval shows an effect that the rule did not select.

    Example:
        >>> found = benjamini_hochberg([0.01, 0.30, 0.02], 0.05)
        >>> [round(p, 4) for p in found.p], found.rejected
        ([0.03, 0.3, 0.03], (True, False, True))
        >>> [round(level, 4) for level in found.alpha]
        [0.0333, 0.05, 0.0333]
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    ranked = np.asarray(p_values, dtype=np.float64)[order]
    ranks = np.arange(1, m + 1)
    scaled = np.minimum.accumulate((ranked * m / ranks)[::-1])[::-1]
    passed = np.flatnonzero(ranked <= ranks * q / m)
    count = int(passed[-1]) + 1 if passed.size else 0
    levels = np.where(np.arange(m) < count, count, count + 1) * q / m
    return _restore(order, np.minimum(scaled, 1.0), count, levels)


def max_t(p_values: Sequence[float], correlation: Array, alpha: float) -> Adjusted:
    """Return the single-step adjustment by the distribution of the largest statistic, with simultaneous intervals.

    All intervals cover together with probability 1 − alpha (Hothorn, Bretz & Westfall 2008,
    https://doi.org/10.1002/bimj.200810425). Where statistics are independent this is Šidák's; else the normal
    distribution with their correlation is drawn from, with a fixed seed.

    Args:
        p_values: two-sided, of m hypotheses.
        correlation: of their statistics, shape (m, m).
        alpha: of the family.

    Example:
        >>> found = max_t([0.01, 0.30], np.eye(2), 0.05)
        >>> [round(p, 4) for p in found.p], found.rejected, [round(level, 5) for level in found.alpha]
        ([0.0199, 0.51], (True, False), [0.02532, 0.02532])
    """
    p, m = np.asarray(p_values, dtype=np.float64), len(p_values)
    if np.array_equal(correlation, np.eye(m)):
        adjusted, level = -np.expm1(m * np.log1p(-np.minimum(p, 1 - 1e-16))), float(-np.expm1(np.log1p(-alpha) / m))
    else:
        largest = np.sort(_largest(correlation))
        below = np.searchsorted(largest, ndtri(1 - np.maximum(p, 1e-300) / 2), side="left")
        adjusted = np.maximum((1 + _DRAWS - below) / (1 + _DRAWS), p)
        level = float(2 * ndtr(-np.quantile(largest, 1 - alpha)))
    return Adjusted(
        p=tuple(np.minimum(adjusted, 1.0).tolist()), rejected=tuple((p <= level).tolist()), alpha=(level,) * m
    )


def _largest(correlation: Array) -> Array:
    """Return draws of the largest absolute value of correlated standard normal statistics, shape (draws,)."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    draws = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(correlation)))
    return np.asarray(np.abs(draws @ root.T).max(axis=1))


def _restore(
    order: np.ndarray[tuple[int], np.dtype[np.intp]],
    p: np.ndarray[tuple[int], np.dtype[np.float64]],
    count: int,
    levels: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> Adjusted:
    """Put ranked results back into the caller's order."""
    back = np.argsort(order, kind="stable")
    rejected = np.arange(len(order)) < count
    return Adjusted(
        p=tuple(p[back].tolist()), rejected=tuple(rejected[back].tolist()), alpha=tuple(levels[back].tolist())
    )
