"""Difference of two arms' means: HC2 variance, Welch's t, shifted nulls, and the relative effect by Fieller's set."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtr, stdtrit

from cxcausal.core.answers import Moments
from cxcausal.stats.moments import Mean, linearise

NO_BASE = "a relative effect needs a control mean above zero"
UNBOUNDED = "the control mean is too uncertain for a relative interval"
_ROUNDING = 1e-12
"""A control mean that is a smaller share of the treated one is zero, but for rounding of weighted or centred sums."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Two limits, low ≤ high."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Relative:
    """An effect as a fraction of the control's mean: the numbers, or the reason why there are none."""

    point: float | None = None
    se: float | None = None
    interval: Interval | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Treated minus control, with what every interval and test of it needs.

    Attributes:
        mean_treated, mean_control: the arms' means, in the measure's unit.
        var_treated, var_control: variances of those means; covariance: between them (clusters that span the arms).
        df: degrees of freedom of the difference, used for its ratio as well.
        note: what a reader must know about the variance, or None.
    """

    mean_treated: float
    mean_control: float
    var_treated: float
    var_control: float
    covariance: float = 0.0
    df: float
    note: str | None = None

    @property
    def point(self) -> float:
        """The difference of the means."""
        return self.mean_treated - self.mean_control

    @property
    def se(self) -> float:
        """The standard error of the difference."""
        return sqrt(self._variance(1.0))

    @property
    def p(self) -> float:
        """The two-sided p-value of no difference."""
        return min(1.0, 2 * min(self.p_above(), self.p_below()))

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval at a confidence level.

        Example:
            >>> d = Difference(mean_treated=3.0, mean_control=1.0, var_treated=0.5, var_control=0.5, df=10.0)
            >>> limits = d.interval(0.95)
            >>> round(limits.low, 6), round(limits.high, 6)
            (-0.228139, 4.228139)
        """
        half = quantile(level, self.df) * self.se
        return Interval(low=self.point - half, high=self.point + half)

    def p_above(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `mean_treated − ratio × mean_control ≤ null` (small: it is above)."""
        return float(stdtr(self.df, -self._statistic(null, ratio)))

    def p_below(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `mean_treated − ratio × mean_control ≥ null` (small: it is below)."""
        return float(stdtr(self.df, self._statistic(null, ratio)))

    def relative(self, level: float) -> Relative:
        """Return the difference as a fraction of the control's mean, with Fieller's set and the delta method's SE.

        The set holds every δ at which τ − δμ₀ is not rejected with the quantile of the absolute interval, so it
        excludes zero exactly when that interval does (Fieller 1954,
        https://doi.org/10.1111/j.2517-6161.1954.tb00159.x). Where it is unbounded there is a reason and no number.

        Example:
            >>> d = Difference(mean_treated=11.0, mean_control=10.0, var_treated=0.04, var_control=0.04, df=1e6)
            >>> r = d.relative(0.95)
            >>> round(r.point, 6), round(r.interval.low, 4), round(r.interval.high, 4)
            (0.1, 0.0433, 0.16)
        """
        if not has_base(self.mean_treated, self.mean_control):
            return Relative(reason=NO_BASE)
        squared = quantile(level, self.df) ** 2
        curvature = self.mean_control**2 - squared * self.var_control
        if curvature <= 0:
            return Relative(reason=UNBOUNDED)
        middle = self.point * self.mean_control - squared * (self.covariance - self.var_control)
        constant = self.point**2 - squared * self._variance(1.0)
        ratio = self.mean_treated / self.mean_control
        return Relative(
            point=self.point / self.mean_control,
            se=sqrt(self._variance(ratio)) / self.mean_control,
            interval=_roots(curvature, middle, constant),
        )

    def _variance(self, ratio: float) -> float:
        variance = self.var_treated - 2 * ratio * self.covariance + ratio**2 * self.var_control
        return max(variance, 0.0)

    def _statistic(self, null: float, ratio: float) -> float:
        distance = self.mean_treated - ratio * self.mean_control - null
        spread = sqrt(self._variance(ratio))
        if spread == 0:
            return 0.0 if distance == 0 else float("inf") * distance
        return distance / spread


def has_base(mean_treated: float, mean_control: float) -> bool:
    """Tell whether the control's mean is above zero by more than rounding, so that an effect can be a fraction of it.

    Example:
        >>> has_base(0.005, 1e-4), has_base(0.005, 3e-19), has_base(0.0, 0.1), has_base(2.0, -1.0)
        (True, False, True, False)
    """
    return mean_control > _ROUNDING * abs(mean_treated)


def quantile(level: float, df: float) -> float:
    """Return the two-sided t quantile at a confidence level.

    Example:
        >>> round(quantile(0.95, 10.0), 6)
        2.228139
    """
    return -float(stdtrit(df, (1 - level) / 2))


def hc2(treated: Moments, control: Moments) -> Difference:
    """Return the difference in means with its HC2 variance and the degrees of freedom of Welch (1947).

    With an intercept and one indicator, HC2 is s²/n of either arm
    (Imbens & Kolesár 2016, https://doi.org/10.1162/REST_a_00552). Ratios are linearised first.

    Example:
        >>> import numpy as np
        >>> arm = Moments(n=5, mean=np.array([2.0]), m2=np.array([[20.0]]))
        >>> d = hc2(arm, arm)
        >>> d.point, round(d.se, 6), d.df
        (0.0, 1.414214, 8.0)
    """
    one, two = linearise(treated), linearise(control)
    return _from_means(one, two, df=welch_df(one, two))


def pooled(treated: Moments, control: Moments) -> Difference:
    """Return the difference in means under equal variances, with n − 2 degrees of freedom (Student's test).

    Example:
        >>> import numpy as np
        >>> arm = Moments(n=5, mean=np.array([2.0]), m2=np.array([[20.0]]))
        >>> pooled(arm, arm).df
        8.0
    """
    one, two = linearise(treated), linearise(control)
    df = one.n + two.n - 2
    units = (one.variance * one.n * (one.n - 1) + two.variance * two.n * (two.n - 1)) / df
    return _from_means(
        Mean(point=one.point, variance=units / one.n, n=one.n),
        Mean(point=two.point, variance=units / two.n, n=two.n),
        df=float(df),
    )


def welch_df(treated: Mean, control: Mean) -> float:
    """Return the Welch–Satterthwaite degrees of freedom of a difference of independent means.

    Where neither arm varies there is nothing to weigh, and the smaller arm's n − 1 is returned.
    """
    total = treated.variance + control.variance
    if total == 0:
        return float(min(treated.n, control.n) - 1)
    parts = ((arm.variance / total) ** 2 / (arm.n - 1) for arm in (treated, control))
    return 1 / sum(parts)


def _from_means(treated: Mean, control: Mean, *, df: float) -> Difference:
    return Difference(
        mean_treated=treated.point,
        mean_control=control.point,
        var_treated=treated.variance,
        var_control=control.variance,
        df=df,
    )


def _roots(curvature: float, middle: float, constant: float) -> Interval:
    """Return the roots of curvature·δ² − 2·middle·δ + constant, in the form that keeps the sign near zero exact."""
    root = sqrt(max(middle**2 - curvature * constant, 0.0))
    if middle >= 0:
        far = middle + root
        return Interval(low=constant / far if far > 0 else 0.0, high=far / curvature)
    far = middle - root
    return Interval(low=far / curvature, high=constant / far)
