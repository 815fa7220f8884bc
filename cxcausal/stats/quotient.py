"""A quotient of two differences between the same arms, with the set of values that the data do not reject."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import copysign, sqrt

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.stats.cluster import difference
from cxcausal.stats.difference import Difference, Interval, quantile

Patterns = Mapping[tuple[str, ...], ClusterPatterns]
Weights = tuple[float, float]
"""How much of a cell's first component, and how much of its second."""
ABOVE: Weights = (1.0, 0.0)
BELOW: Weights = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Quotient:
    """One difference divided by another: an effect per unit of delivery, or a cost per unit of benefit.

    Attributes:
        above, below: the two differences, treated minus control.
        var_above, var_below, covariance: of their estimates.
        df: degrees of freedom of `above`, used for every value of the quotient; df_below: those of `below`.
        p: two-sided, that `above` is zero.
    """

    above: float
    below: float
    var_above: float
    var_below: float
    covariance: float
    df: float
    p: float
    df_below: float = float("inf")

    @property
    def point(self) -> float:
        """The quotient."""
        return self.above / self.below

    @property
    def se(self) -> float:
        """The standard error by the delta method, for description: the set does not use it."""
        return sqrt(self._variance(self.point)) / abs(self.below)

    def statistic(self, value: float) -> float:
        """Return t of the hypothesis that the quotient has this value: `above − value × below` is then zero.

        Example:
            >>> q = Quotient(above=2.0, below=0.5, var_above=0.25, var_below=0.0, covariance=0.0, df=98.0, p=0.0)
            >>> q.statistic(0.0), q.statistic(4.0)
            (4.0, 0.0)
        """
        distance, spread = self.above - value * self.below, sqrt(self._variance(value))
        return distance / spread if spread > 0 else copysign(float("inf"), distance) if distance else 0.0

    def interval(self, level: float) -> Interval | None:
        """Return the set of values that are not rejected, or None where it has no two ends.

        It holds every β at which |above − β·below| is at most the t quantile times its standard error (Fieller 1954,
        https://doi.org/10.1111/j.2517-6161.1954.tb00159.x; with one instrument the set of Anderson & Rubin 1949,
        https://doi.org/10.1214/aoms/1177730090): a quadratic in β. Its point is always inside, since there the
        distance is zero, so the set is never empty; it is bounded exactly when `below` itself is told from zero at
        this level. Whether it holds zero is decided by `above` alone, so it excludes zero exactly when the interval
        of that difference does.

        Example:
            >>> q = Quotient(above=2.0, below=0.5, var_above=0.25, var_below=0.0, covariance=0.0, df=1e9, p=0.0)
            >>> limits = q.interval(0.95)
            >>> round(limits.low, 3), round(limits.high, 3)
            (2.04, 5.96)
            >>> weak = Quotient(above=2.0, below=0.5, var_above=0.25, var_below=0.09, covariance=0.0, df=1e9, p=0.0)
            >>> weak.interval(0.95) is None
            True
        """
        squared = quantile(level, self.df) ** 2
        curvature = self.below**2 - squared * self.var_below
        if not curvature > 0:
            return None
        middle = self.above * self.below - squared * self.covariance
        constant = self.above**2 - squared * self.var_above
        # The two roots in the form that subtracts nothing, so that the sign of the one near zero is exact.
        far = middle + copysign(sqrt(max(middle**2 - curvature * constant, 0.0)), middle)
        roots = (far / curvature, constant / far if far else 0.0)
        return Interval(low=min(roots), high=max(roots))

    def _variance(self, value: float) -> float:
        return max(self.var_above - 2 * value * self.covariance + value**2 * self.var_below, 0.0)


def quotient(treated: Moments, control: Moments, patterns: Patterns) -> Quotient | None:
    """Return the quotient of the differences in both components' means, or None where their variances don't agree.

    Every variance is that of a difference in means of some sum of the components, by the inference that the clusters
    call for: HC2, CR2, or CR2 over several names. The covariance follows from those of a sum and of a difference. Over
    several names one of them may not be positive; then nothing stands for the whole, and there is no quotient.

    Args:
        treated: moments of two components.
        control: likewise.
        patterns: of two components, of every non-empty subset of the cluster names; empty where units are independent.

    Example:
        >>> arm = Moments(n=5, mean=np.array([2.0, 1.0]), m2=np.array([[20.0, 10.0], [10.0, 20.0]]))
        >>> none = Moments(n=5, mean=np.array([0.0, 0.0]), m2=np.zeros((2, 2)))
        >>> found = quotient(arm, none, {})
        >>> found.point, round(found.var_above, 9), round(found.covariance, 9)
        (2.0, 1.0, 0.5)
    """
    above, below = (_compared(treated, control, patterns, weights) for weights in (ABOVE, BELOW))
    scale = above.se / below.se if above.se > 0 and below.se > 0 else 0.0
    both, apart = (_compared(treated, control, patterns, (1.0, sign * scale)) for sign in (1, -1))
    if any(one.note is not None for one in (above, below, both, apart)):
        return None
    return Quotient(
        above=above.point,
        below=below.point,
        var_above=above.se**2,
        var_below=below.se**2,
        covariance=(both.se**2 - apart.se**2) / (4 * scale) if scale else 0.0,
        df=above.df,
        p=above.p,
        df_below=below.df,
    )


def part_of(cell: Moments, weights: Weights) -> Moments:
    """Return the moments of a weighted sum of two components; events and extremes are those of the first.

    Example:
        >>> cell = Moments(n=4, mean=np.array([2.0, 1.0]), m2=np.array([[8.0, 2.0], [2.0, 4.0]]))
        >>> part_of(cell, (1.0, -1.0)).m2.tolist()
        [[8.0]]
    """
    w = np.array(weights)
    events = cell.events if weights == ABOVE else 0
    return Moments(
        n=cell.n, mean=np.array([w @ cell.mean]), m2=np.array([[w @ cell.m2 @ w]]),
        events=events, low=cell.low, high=cell.high,
    )  # fmt: skip


def part_of_patterns(patterns: ClusterPatterns, weights: Weights) -> ClusterPatterns:
    """Return the cluster patterns of a weighted sum of two components."""
    project = np.kron(np.eye(2), np.array(weights))
    return ClusterPatterns(
        clusters=patterns.clusters,
        n_treated=patterns.n_treated,
        n_control=patterns.n_control,
        total=patterns.total @ project.T,
        cross=project @ patterns.cross @ project.T,
        center=np.array([np.array(weights) @ patterns.center]),
        clusters_treated=patterns.clusters_treated,
        clusters_control=patterns.clusters_control,
    )


def _compared(treated: Moments, control: Moments, patterns: Patterns, weights: Weights) -> Difference:
    parts = {names: part_of_patterns(found, weights) for names, found in patterns.items()}
    return difference(part_of(treated, weights), part_of(control, weights), parts)
