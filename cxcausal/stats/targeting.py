"""Whether predictions tell whom a contact helps more: RATE, TOC, uplift curves, BLP, GATES, with influence functions.

All work on scores: `gain` is one doubly robust score per unit of an arm's effect on it, and `predicted` what a model
that did not see the unit expects of it. Where predictions are all equal, every area is exactly 0 with influence 0.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from cxcausal.stats.ranks import Array, Ranked, area, mean_between

Places = npt.NDArray[np.intp]
GROUPS = 5
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""At which shares of customers curves are told."""


def autoc(ranks: Ranked, gain: Array) -> tuple[float, Array]:
    """Return the area under the targeting operator curve and its influence function.

    TOC(q) is the mean gain of the share q that is predicted to gain most, less the mean gain of all; AUTOC = ∫ TOC(q)
    dq: the rank-weighted average effect with weights −log u − 1 (Yadlowsky et al. 2025, definitions 1–2,
    https://doi.org/10.1080/01621459.2024.2393466, https://arxiv.org/abs/2111.07966). The population's integral is
    taken, so that units × 100 change nothing; the R package grf takes a sum over ranks, which differs by O(log n / n).

    Example:
        Half gain 1 and are found:

        >>> from math import log
        >>> from cxcausal.stats.ranks import ranked
        >>> round(autoc(ranked(np.array([1.0, 0.0])), np.array([1.0, 0.0]))[0] / log(2), 12)
        0.5
    """
    return area(ranks, gain, _entropy, lambda u: -np.log(u) - 1)


def qini(ranks: Ranked, gain: Array) -> tuple[float, Array]:
    """Return ∫ q · TOC(q) dq and its influence function: the RATE with weights ½ − u.

    It is the area between the uplift curve and its diagonal, per customer: the Qini coefficient of scores
    (Yadlowsky et al. 2025, section 2.2).

    Example:
        >>> from cxcausal.stats.ranks import ranked
        >>> qini(ranked(np.array([1.0, 0.0])), np.array([1.0, 0.0]))[0]
        0.125
    """
    return area(ranks, gain, lambda u: (u - u**2) / 2, lambda u: 0.5 - u)


def auuc_of_scores(ranks: Ranked, gain: Array) -> tuple[float, Array]:
    """Return ∫ q · (mean gain of the most promising share q) dq and its influence function: weights 1 − u.

    The area under the uplift curve per customer: the Qini coefficient and half the mean gain.

    Example:
        >>> from cxcausal.stats.ranks import ranked
        >>> auuc_of_scores(ranked(np.array([1.0, 0.0])), np.array([1.0, 0.0]))[0]
        0.375
    """
    return area(ranks, gain, lambda u: u - u**2 / 2, lambda u: 1 - u)


def rate_of_scores(ranks: Ranked, gain: Array, kind: Literal["autoc", "qini"]) -> tuple[float, Array]:
    """Return the rank-weighted average treatment effect of a kind and its influence function."""
    return autoc(ranks, gain) if kind == "autoc" else qini(ranks, gain)


def group_mean(ranks: Ranked, gain: Array, group: int, groups: int = GROUPS) -> tuple[float, Array]:
    """Return the mean gain of one of some equal groups by prediction (GATES), the first being the least promising.

    Sorted group average effects (Chernozhukov, Demirer, Duflo & Fernández-Val 2025,
    https://doi.org/10.3982/ECTA19303), by scores, with borders at the quantiles of the units at hand.

    Example:
        >>> from cxcausal.stats.ranks import ranked
        >>> ranks, gain = ranked(np.array([1.0, 2.0, 3.0, 4.0])), np.array([0.0, 2.0, 4.0, 8.0])
        >>> group_mean(ranks, gain, 0, 2)[0], group_mean(ranks, gain, 1, 2)[0]
        (1.0, 6.0)
    """
    return mean_between(ranks, gain, 1 - (group + 1) / groups, 1 - group / groups)


def spread(ranks: Ranked, gain: Array, groups: int = GROUPS) -> tuple[float, Array]:
    """Return how much more the most promising group gains than the least promising one."""
    if ranks.flat:
        return 0.0, np.zeros_like(gain)
    (last, of_last), (first, of_first) = (group_mean(ranks, gain, place, groups) for place in (groups - 1, 0))
    return last - first, of_last - of_first


def best_linear_predictor(gain: Array, predicted: Array, weight: Array, turn: Places) -> tuple[float, Array]:
    """Return the slope of scores on predictions with an intercept per turn, and its influence function.

    The best linear predictor of the effect given the prediction (Chernozhukov et al. 2025, theorem 2.2), by scores: 0
    where predictions tell nothing, 1 where they tell differences in their true size. A turn counts by how far its
    predictions are apart.

    Args:
        gain: score of the effect on each unit, shape (n,).
        predicted: of it, shape (n,).
        weight: of each unit, shape (n,).
        turn: number of its turn, from 0, shape (n,).

    Example:
        >>> ones, turn = np.ones(4), np.zeros(4, int)
        >>> best_linear_predictor(np.array([2.0, 4.0, 6.0, 8.0]), np.array([1.0, 2.0, 3.0, 4.0]), ones, turn)[0]
        2.0
    """
    away, left = _within(predicted, weight, turn), _within(gain, weight, turn)
    size = float(np.max(np.abs(predicted), initial=0.0))
    away = np.where(np.abs(away) > size * 1e-10, away, 0.0)
    square = float(np.sum(weight * away**2))
    if square <= 0:
        return 0.0, np.zeros_like(gain)
    slope = float(np.sum(weight * away * left)) / square
    phi = weight * away * (left - slope * away) * len(gain) / square
    return slope, phi - phi.mean()


def calibration_error(distances: Array, se: Array) -> float:
    """Return the mean absolute distance of groups' gains from what was predicted, less what chance alone leaves.

    Chance leaves each distance √(2/π) standard errors on average; below zero, zero is told.

    Example:
        >>> calibration_error(np.array([0.0, -1.0]), np.zeros(2))
        0.5
    """
    return max(0.0, float(np.mean(np.abs(distances)) - np.sqrt(2 / np.pi) * np.mean(se)))


def _entropy(u: Array) -> Array:
    return np.asarray(-u * np.log(np.maximum(u, 1e-300)))


def _within(values: Array, weight: Array, turn: Places) -> Array:
    sums, mass = np.bincount(turn, weights=weight * values), np.bincount(turn, weights=weight)
    return np.asarray(values - (sums / np.maximum(mass, 1e-300))[turn])
