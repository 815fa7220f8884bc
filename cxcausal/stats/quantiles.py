"""Difference of two arms' quantiles from order statistics: no density is estimated, and ties are allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import copysign, hypot, inf, isfinite, sqrt

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr, ndtri, stdtr

from cxcausal.core.answers import Array, ClusterPatterns, Moments, OrderStatistics
from cxcausal.core.ranks import quantile_rank
from cxcausal.stats.cluster import difference
from cxcausal.stats.difference import NO_BASE, UNBOUNDED, Difference, Interval, Relative, quantile

TOO_FEW = "an arm has too few customers for an interval of this quantile at this level"
NO_SPREAD = "so many customers share one value that this quantile does not vary"
_FARTHEST = 40.0
_STEPS = 60
_TINY = 1e-15
_USUAL = 0.95
_EMPTY = Moments(n=0, mean=np.array([np.nan]), m2=np.array([[np.nan]]))


@dataclass(frozen=True, kw_only=True)
class ArmQuantile:
    """One arm's sample quantile and the limits that its order statistics give.

    Attributes:
        n: units.
        point: the sample quantile (see `cxcausal.core.ranks.quantile_rank`).
        values: shape (R,), rising.
        lower, upper: shape (R,), falling and rising: up to which normal quantile z each value bounds the true quantile
            from that side. The binomial probability that it doesn't is at most that beyond z.
    """

    n: int
    point: float
    values: Array
    lower: Array
    upper: Array

    @cached_property
    def tied(self) -> bool:
        """Whether some of the values are equal, so that there may be nothing between two neighbours."""
        return bool(np.any(np.diff(self.values) == 0))

    def low(self, z: float) -> float:
        """Return the value that bounds the quantile from below at z; −inf where none does."""
        at = int(np.searchsorted(-self.lower, -z, side="right"))
        return min(self._between(z, at - 1, self.lower), self.point) if at else -inf

    def high(self, z: float) -> float:
        """Return the value that bounds the quantile from above at z; inf where none does."""
        at = int(np.searchsorted(self.upper, z, side="left"))
        return max(self._between(z, at, self.upper), self.point) if at < len(self.values) else inf

    def _between(self, z: float, outer: int, reach: Array) -> float:
        """Return the limit between the bounding value and the next one inwards; with ties, the bounding value."""
        inner = outer + 1 if reach is self.lower else outer - 1
        value = float(self.values[outer])
        if self.tied or not 0 <= inner < len(reach):
            return value
        share = (float(reach[outer]) - z) / (float(reach[outer]) - float(reach[inner]))
        return value + share * (float(self.values[inner]) - value)


def arm_quantile(cell: OrderStatistics, q: float) -> ArmQuantile:
    """Return one arm's quantile from some of its order statistics.

    With B units below the true quantile, binomial (n, q), the r-th value lies above it only if B < r, and below it
    only if B ≥ r (Thompson 1936, https://doi.org/10.1214/aoms/1177732502). Between two ranks limits are interpolated
    (Beran & Hall 1993, https://doi.org/10.1111/j.2517-6161.1993.tb01927.x): the next rank outwards would cover .98 at
    the 95th percentile of 500 customers. With ties it is the next one outwards, and they only add to the coverage.

    Args:
        cell: with the quantile's own rank among its ranks.
        q: between 0 and 1.

    Example:
        >>> cell = OrderStatistics(n=25, ranks=np.arange(1, 26), values=np.arange(1.0, 26.0))
        >>> arm = arm_quantile(cell, 0.5)
        >>> arm.point, round(arm.low(1.96), 2), round(arm.high(1.96), 2)
        (13.0, 8.15, 17.85)
    """
    below = cell.ranks - 1.0
    point = float(cell.values[cell.ranks == quantile_rank(cell.n, q)][0])
    lower, upper = (-ndtri(tail(below, cell.n, q)).clip(-_FARTHEST, _FARTHEST) for tail in (bdtr, bdtrc))
    return ArmQuantile(n=cell.n, point=point, values=cell.values, lower=lower, upper=upper)


@dataclass(frozen=True, kw_only=True)
class QuantileDifference:
    """Treated quantile minus control quantile.

    Attributes:
        treated, control: the arms.
        spread: by how much clusters widen the limits: the root of the design effect (Woodruff 1952,
            https://doi.org/10.1080/01621459.1952.10483443); 1 where units are independent.
        df: degrees of freedom of that design effect; None where units are independent.
        note: what a reader must know about the variance, or None.
    """

    treated: ArmQuantile
    control: ArmQuantile
    spread: float = 1.0
    df: float | None = None
    note: str | None = None

    @property
    def mean_treated(self) -> float:
        """The treated arm's quantile."""
        return self.treated.point

    @property
    def mean_control(self) -> float:
        """The control arm's quantile."""
        return self.control.point

    @property
    def point(self) -> float:
        """The difference of the quantiles."""
        return self.treated.point - self.control.point

    @property
    def se(self) -> float:
        """The 95 % interval's half width over its normal quantile, for description; interval and p do not use it."""
        return sqrt(sum(self._arm_se(arm) ** 2 for arm in (self.treated, self.control)))

    @property
    def p(self) -> float:
        """Two-sided: the smallest alpha at which the interval excludes zero."""
        return min(1.0, 2 * self._tail(abs(self._z(0.0, 1.0))))

    def interval(self, level: float) -> Interval:
        """Return the interval of the difference from both arms' own limits.

        The limits are combined as in Zou & Donner (2008, https://doi.org/10.1002/sim.3095), so that skewness stays in
        the interval. Where values have ties, each end moves outwards to a difference that two values can have.
        An end is infinite where an arm is too small for the level.
        """
        z = self._at(level)
        return Interval(low=self._limit(z, 1.0, side=-1), high=self._limit(z, 1.0, side=1))

    def p_above(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `treated − ratio × control ≤ null`, by inverting the interval."""
        return self._tail(self._z(null, ratio))

    def p_below(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `treated − ratio × control ≥ null`, by inverting the interval."""
        return self._tail(-self._z(null, ratio))

    def relative(self, level: float) -> Relative:
        """Return the ratio of the quantiles minus one, with the limits at which `treated − r·control` meets zero.

        It excludes zero exactly when the interval of the difference does (Donner & Zou 2012,
        https://doi.org/10.1177/0962280210386211).
        """
        if not self.control.point > 0:
            return Relative(reason=NO_BASE.replace("mean", "quantile"))
        z = self._at(level)
        if not isfinite(self.interval(level).low + self.interval(level).high):
            return Relative(reason=TOO_FEW)
        if not self.control.low(z) > 0:
            return Relative(reason=UNBOUNDED.replace("mean", "quantile"))
        low, high = self._ratio(z, side=-1) - 1, self._ratio(z, side=1) - 1
        ends, ratio = self.interval(level), self.treated.point / self.control.point
        if ends.low <= 0 <= ends.high:
            low, high = min(low, 0.0), max(high, 0.0)
        se = hypot(self._arm_se(self.treated), ratio * self._arm_se(self.control)) / self.control.point
        return Relative(point=ratio - 1, se=se, interval=Interval(low=low, high=high))

    def _at(self, level: float) -> float:
        usual = -float(ndtri((1 - level) / 2)) if self.df is None else quantile(level, self.df)
        return usual * self.spread

    def _tail(self, z: float) -> float:
        """Return the probability beyond a signed z of the limits."""
        away = z / self.spread
        return float(ndtr(-away) if self.df is None else stdtr(self.df, -away))

    def _arm_se(self, arm: ArmQuantile) -> float:
        usual = -float(ndtri((1 - _USUAL) / 2))
        return (arm.high(usual * self.spread) - arm.low(usual * self.spread)) / (2 * usual)

    def _limit(self, z: float, ratio: float, *, side: int) -> float:
        """Return the lower (side −1) or upper (+1) limit of `treated − ratio × control` at z."""
        one, two = self.treated, self.control
        far = one.low(z) if side < 0 else one.high(z)
        other = two.high(z) if side * ratio < 0 else two.low(z)
        half = hypot(one.point - far, ratio * (two.point - other))
        end = one.point - ratio * two.point + side * half
        return self._outwards(end, ratio, side) if self._tied and isfinite(end) else end

    def _outwards(self, end: float, ratio: float, side: int) -> float:
        """Return the next difference of two values outwards from an end: a lattice has nothing in between."""
        ends = _pairs(self.treated, self.control, ratio, side)
        beyond = ends[side * (ends - end) >= 0]
        return float(side * np.min(side * beyond)) if len(beyond) else end

    @cached_property
    def _tied(self) -> bool:
        return self.treated.tied or self.control.tied

    def _z(self, null: float, ratio: float) -> float:
        """Return the signed z up to which the limit on the side of `null` stays off it."""
        distance = self.treated.point - ratio * self.control.point - null
        if distance == 0:
            return 0.0
        side = -1 if distance > 0 else 1
        near, far = 0.0, _FARTHEST * self.spread
        for _ in range(_STEPS):
            middle = (near + far) / 2
            if side * (self._limit(middle, ratio, side=side) - null) < 0:
                near = middle
            else:
                far = middle
        return copysign(near, distance)

    def _ratio(self, z: float, *, side: int) -> float:
        """Return the ratio r at which the limit of `treated − r·control` meets zero, for a control above zero."""
        one, two = self.treated.point, self.control.point
        end = self.treated.low(z) if side < 0 else self.treated.high(z)
        other = self.control.high(z) if (end >= 0) == (side < 0) else self.control.low(z)
        curvature, constant = other * (2 * two - other), end * (2 * one - end)
        root = sqrt(max((one * two) ** 2 - curvature * constant, 0.0))
        if (end >= 0) == (side < 0):
            far = one * two - side * root
            return constant / far if far else 0.0
        return (one * two + side * root) / curvature


def _pairs(treated: ArmQuantile, control: ArmQuantile, ratio: float, side: int) -> Array:
    """Return the differences of values on the side of one end, in which ties leave few."""
    mine, others = np.unique(treated.values), np.unique(control.values)
    mine = mine[side * (mine - treated.point) >= 0]
    others = others[side * np.sign(ratio or 1.0) * (others - control.point) <= 0]
    ends: Array = (mine[:, None] - ratio * others[None, :]).ravel()
    return ends


def quantile_difference(
    treated: OrderStatistics,
    control: OrderStatistics,
    q: float,
    shares: Sequence[Mapping[tuple[str, ...], ClusterPatterns]] = (),
) -> QuantileDifference:
    """Return the difference of two arms' q-quantiles.

    Args:
        treated: order statistics of the treated arm.
        control: of the control.
        q: between 0 and 1.
        shares: patterns by cluster names of the indicators "at least" and "above the own arm's quantile"; empty where
            units are independent. The larger of their design effects widens the limits.

    Example:
        >>> one = OrderStatistics(n=99, ranks=np.arange(1, 100), values=np.arange(1.0, 100.0))
        >>> two = OrderStatistics(n=99, ranks=np.arange(1, 100), values=np.arange(11.0, 110.0))
        >>> found = quantile_difference(two, one, 0.5)
        >>> found.point, round(found.interval(0.95).low, 2), round(found.interval(0.95).high, 2)
        (10.0, -3.76, 23.76)
    """
    arms = arm_quantile(treated, q), arm_quantile(control, q)
    widened = [_widened(difference(_EMPTY, _EMPTY, patterns), treated.n, control.n) for patterns in shares]
    if not widened:
        return QuantileDifference(treated=arms[0], control=arms[1])
    spread, worst = max(widened, key=lambda pair: pair[0])
    return QuantileDifference(treated=arms[0], control=arms[1], spread=spread, df=worst.df, note=worst.note)


def density_variance(cell: OrderStatistics, q: float) -> tuple[float, float | None]:
    """Return a quantile, and n times the variance of its estimate: q(1 − q)/f², without the density f.

    The variance is None where there are too few units for limits at 95 %.

    Example:
        >>> cell = OrderStatistics(n=9999, ranks=np.arange(1, 10000), values=np.arange(1, 10000) / 10000)
        >>> point, variance = density_variance(cell, 0.9)
        >>> point, round(variance, 2)  # 0.9 × 0.1, as the uniform density is 1
        (0.9, 0.09)
    """
    arm = arm_quantile(cell, q)
    usual = -float(ndtri((1 - _USUAL) / 2))
    se = (arm.high(usual) - arm.low(usual)) / (2 * usual)
    return arm.point, cell.n * se**2 if isfinite(se) else None


def does_not_vary(found: QuantileDifference) -> bool:
    """Tell whether both arms' quantiles are one value, with no other one plausible."""
    return found.point == 0 and found.se == 0


def _widened(share: Difference, n_treated: int, n_control: int) -> tuple[float, Difference]:
    """Return the root of the design effect of a difference of shares; 1 where the shares do not vary."""
    arms = ((share.mean_treated, n_treated), (share.mean_control, n_control))
    alone = sum(max(rate * (1 - rate), 0.0) / n for rate, n in arms)
    return (share.se / sqrt(alone) if min(alone, share.se) > _TINY else 1.0), share
