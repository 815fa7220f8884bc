"""Holm and Benjamini–Hochberg, each with the error level at which a hypothesis' interval agrees with its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
