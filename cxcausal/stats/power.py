"""Power, the smallest effect to be seen and the units needed, for the difference of two arms' means."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

from scipy.special import nctdtr, ndtr, stdtrit

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.stats.moments import NAN, influence
from cxcausal.stats.sequential_power import Looking

MOST_UNITS = 10**10
"""More units than this are said to be out of reach."""
_FEWEST = 3.0
"""Units, or clusters, in either arm below which nothing is said to be found: their spread is hardly known."""
_STEPS = 200
_HUGE_DF = 1e6
"""Student's t is normal by now, and the non-central distribution is computed more safely here than beyond."""
_FAR = 6.0
"""Standard errors beyond the critical value from which the non-central t's own algorithm may fail."""


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Clusters that are assigned whole, by the units with a value that each holds.

    Attributes:
        size: their mean number. cv: the sizes' standard deviation over their mean.
        icc: the intra-cluster correlation of the outcome, from 0 to 1.
    """

    size: float
    cv: float = 0.0
    icc: float

    @property
    def design_effect(self) -> float:
        """How many times the variance is that of independent units.

        Unequal sizes count by their second moment (Kerry & Bland 2001, https://doi.org/10.1002/sim.737).

        Example:
            >>> round(Clustering(size=2.1, cv=0.5, icc=0.02).design_effect, 6)
            1.0325
        """
        return 1 + max(self.size * (1 + self.cv**2) - 1, 0.0) * self.icc


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Two arms before their data.

    Attributes:
        base: the control's mean, rate or ratio. variance: of one unit's (linearised) value.
        binary: the value is 0 or 1, so that the variance follows the rate.
        treated, control: what fraction of all units are in the arm and have a value.
        rho: the outcome's correlation with the covariate that the estimate is adjusted for.
        clusters: what is assigned whole, or None where units are.
    """

    base: float
    variance: float
    binary: bool = False
    treated: float
    control: float
    rho: float = 0.0
    clusters: Clustering | None = None

    @property
    def design_effect(self) -> float:
        """The clusters' design effect, 1 without clusters."""
        return 1.0 if self.clusters is None else self.clusters.design_effect


@dataclass(frozen=True, kw_only=True)
class Test:
    """The question: two-sided against no effect, or one-sided against a loss as large as a margin.

    Attributes:
        alpha: the error level. sides: 2 asks for a difference, 1 for non-inferiority.
        ratio: the control's mean is multiplied by it; 1 ∓ m for a relative margin m.
        looking: when the data are read, or None where it is once.
    """

    __test__ = False  # no case of pytest's

    alpha: float
    sides: Literal[1, 2] = 2
    ratio: float = 1.0
    looking: Looking | None = None


def power(setting: Setting, test: Test, units: float, size: float) -> float:
    """Return the probability that the test finds what is there.

    The difference over its standard error follows a non-central t with the degrees of freedom of Welch, counted over
    clusters where there are any (Cohen 1988, chapter 2; Donner & Klar 2000, chapter 5).

    Args:
        setting: the two arms.
        test: what is asked.
        units: in all arms together, with or without a value.
        size: the true effect (signed) of a two-sided test; of a one-sided one the margin, while nothing changes.

    Example:
        >>> arms = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5)
        >>> round(power(arms, Test(alpha=0.05), 128, 0.5), 4)  # Cohen's table: 64 in either arm
        0.8015
        >>> churn = Setting(base=0.14, variance=0.1204, binary=True, treated=0.5, control=0.5)
        >>> round(power(churn, Test(alpha=0.05), 36_000, -0.01), 3)
        0.793
    """
    parts = [_variance(setting, arm, test, units, size) for arm in ("treated", "control")]
    counts = [_independent(setting, share * units) for share in (setting.treated, setting.control)]
    variance = sum(parts)
    if min(counts) < _FEWEST or not variance > 0:
        return 0.0
    weights = ((part / variance) ** 2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    df = min(1 / sum(weights), _HUGE_DF)
    away, critical = abs(size) / sqrt(variance), -float(stdtrit(df, test.alpha / test.sides))
    found = _beyond(df, away, critical)
    found += 1 - _beyond(df, away, -critical) if test.sides > 1 else 0.0
    return found if test.looking is None else test.looking.power(found, test.alpha, test.sides, units)


def smallest_size(setting: Setting, test: Test, units: float, target: float, sign: int = 1) -> float | None:
    """Return the smallest effect, or margin, that is found with the target power; None where none is large enough.

    Args:
        setting: the two arms.
        test: what is asked.
        units: in all arms together.
        target: the power asked for.
        sign: the effect's direction, +1 or −1; a rate can't leave 0 to 1.

    Example:
        >>> arms = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5)
        >>> round(smallest_size(arms, Test(alpha=0.05), 128, 0.8), 3)
        0.499
    """
    if not units > 0:
        return None
    widest = _widest(setting, test, sign)
    high = widest if widest is not None else sqrt(setting.variance) or 1.0
    while power(setting, test, units, sign * high) < target:
        if widest is not None or high > MOST_UNITS * sqrt(setting.variance):
            return None
        high *= 2
    return _bisect(lambda size: power(setting, test, units, sign * size) >= target, 0.0, high)


def units_needed(setting: Setting, test: Test, size: float, target: float) -> int | None:
    """Return the fewest units, in all arms together, with which the size is found with the target power.

    None where more than `MOST_UNITS` would be needed, or the effect would take a rate out of 0 to 1.

    Example:
        >>> arms = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5)
        >>> units_needed(arms, Test(alpha=0.05), 0.5, 0.8)
        128
    """
    if test.sides > 1 and not is_possible(setting, size):
        return None
    if power(setting, test, MOST_UNITS, size) < target:
        return None
    return ceil(_bisect(lambda units: power(setting, test, units, size) >= target, 0.0, float(MOST_UNITS)) - 1e-6)


def is_possible(setting: Setting, effect: float) -> bool:
    """Tell whether the effect leaves a rate between 0 and 1; any mean can change by anything."""
    return not setting.binary or 0 <= setting.base + effect <= 1


def intra_cluster(cell: Moments, patterns: ClusterPatterns) -> Clustering | None:
    """Return the clusters of past units that are all of one arm, the control; None where there are fewer than two.

    The correlation is the analysis of variance's, with n₀ for unequal sizes (Donner 1986,
    https://doi.org/10.2307/1403259); below zero it is told as zero. Ratios are linearised.

    Args:
        cell: the moments of the same units.
        patterns: of one cluster name, with no treated unit.

    Example:
        >>> import numpy as np
        >>> sums = np.array([[0.0, 0.0]]), np.array([[[0.0, 0.0], [0.0, 8.0]]])
        >>> two = ClusterPatterns(  # (1, 1) and (−1, −1): all of the variance lies between clusters
        ...     clusters=np.array([2]), n_treated=np.array([0]), n_control=np.array([2]), total=sums[0], cross=sums[1],
        ...     center=np.array([0.0]), clusters_treated=0, clusters_control=2)
        >>> intra_cluster(Moments(n=4, mean=np.array([0.0]), m2=np.array([[4.0]])), two)
        Clustering(size=2.0, cv=0.0, icc=1.0)
    """
    count, size = patterns.clusters.astype(float), patterns.n_control.astype(float)
    clusters, units = float(count.sum()), float(count @ size)
    if clusters <= 1:
        return None
    mean, squares = units / clusters, float(count @ size**2)
    cv = sqrt(max(squares / clusters / mean**2 - 1, 0.0))
    icc = _anova(cell, patterns, (units - squares / units) / (clusters - 1)) if units > clusters else 0.0
    return Clustering(size=mean, cv=cv, icc=icc)


def _anova(cell: Moments, patterns: ClusterPatterns, typical: float) -> float:
    """Return the correlation from the mean squares between and within clusters."""
    weights, k = influence(cell.mean), len(patterns.center)
    count, size = patterns.clusters.astype(float), patterns.n_control.astype(float)
    shift = float(weights @ (patterns.center - cell.mean))
    linear = patterns.total[:, k:] @ weights
    square = patterns.cross[:, k:, k:] @ weights @ weights + 2 * size * shift * linear + count * (size * shift) ** 2
    between = float((square / size).sum())
    within = max(float(weights @ cell.m2 @ weights) - between, 0.0)
    between /= float(count.sum()) - 1
    within /= float(count @ size) - float(count.sum())
    total = between + (typical - 1) * within
    return min(max((between - within) / total, 0.0), 1.0) if total > 0 else 0.0


def _beyond(df: float, away: float, critical: float) -> float:
    """Return the probability that a non-central t exceeds the critical value."""
    if away - critical > _FAR:  # Johnson & Welch 1940, https://doi.org/10.2307/2332616
        return float(ndtr((away - critical * (1 - 1 / (4 * df))) / sqrt(1 + critical**2 / (2 * df))))
    return 1 - float(nctdtr(df, away, critical))


def _variance(setting: Setting, arm: str, test: Test, units: float, size: float) -> float:
    """Return the variance of an arm's mean as the test weighs it."""
    rate = setting.base + (size if arm == "treated" and test.sides > 1 else 0.0)
    one = max(rate * (1 - rate), 0.0) if setting.binary else setting.variance
    if setting.binary and not 0 <= rate <= 1:
        return NAN
    share, factor = (setting.treated, 1.0) if arm == "treated" else (setting.control, test.ratio)
    return factor**2 * one * (1 - setting.rho**2) * setting.design_effect / (share * units) if units > 0 else NAN


def _independent(setting: Setting, units: float) -> float:
    """Return how many equal independent parts an arm has: its units, or its clusters less their inequality."""
    if setting.clusters is None:
        return units
    return units / setting.clusters.size / (1 + setting.clusters.cv**2)


def _widest(setting: Setting, test: Test, sign: int) -> float | None:
    """Return the largest effect that a rate can show, a little short of certainty; None for what has no bound."""
    if not setting.binary or test.sides == 1:
        return None
    return (setting.base if sign < 0 else 1 - setting.base) * (1 - 1e-9)


def _bisect(enough: Callable[[float], bool], low: float, high: float) -> float:
    """Return the smallest number that is enough, where `high` is."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
