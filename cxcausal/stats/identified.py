"""Confidence intervals for an effect of which the data tell only between which two ends it lies."""

from dataclasses import dataclass

from scipy.special import stdtr

from cxcausal.core.answers import BoundEnd
from cxcausal.stats.cluster import difference
from cxcausal.stats.difference import Difference, Interval, quantile

_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class IdentifiedSet:
    """The estimated ends of a set of effects, low ≤ high, each with its own variance."""

    low: Difference
    high: Difference

    @property
    def df(self) -> float:
        """The degrees of freedom of the end that has fewer."""
        return min(self.low.df, self.high.df)

    @property
    def width(self) -> float:
        """How far the ends are apart."""
        return max(self.high.point - self.low.point, 0.0)

    def interval(self, level: float) -> Interval:
        """Return the interval that covers the effect with at least this probability, wherever in the set it is.

        Imbens & Manski (2004, https://doi.org/10.1111/j.1468-0262.2004.00555.x): where the ends are far apart, only
        one of them can be missed, and one-sided quantiles suffice; where they meet, two-sided ones are needed. In
        between the quantile c solves F(c + width / largest SE) − F(−c) = level; F is t's instead of the normal
        distribution.

        Example:
            >>> end = Difference(mean_treated=1.0, mean_control=0.0, var_treated=0.02, var_control=0.02, df=1e9)
            >>> far = Difference(mean_treated=9.0, mean_control=0.0, var_treated=0.02, var_control=0.02, df=1e9)
            >>> near, wide = (IdentifiedSet(low=end, high=other).interval(0.95) for other in (end, far))
            >>> round((1 - near.low) / 0.2, 3), round((1 - wide.low) / 0.2, 3)
            (1.96, 1.645)
        """
        c = self._critical(level)
        return Interval(low=self.low.point - c * self.low.se, high=self.high.point + c * self.high.se)

    def _critical(self, level: float) -> float:
        largest = max(self.low.se, self.high.se)
        if largest == 0:
            return 0.0
        apart = self.width / largest
        near, far = 0.0, quantile(level, self.df)
        for _ in range(_STEPS):
            middle = (near + far) / 2
            if stdtr(self.df, middle + apart) - stdtr(self.df, -middle) < level:
                near = middle
            else:
                far = middle
        return far


def identified(ends: tuple[BoundEnd, BoundEnd]) -> IdentifiedSet:
    """Return the set between two ends, each by the inference that its clusters call for."""
    low, high = (difference(end.treated, end.control, end.patterns) for end in ends)
    return IdentifiedSet(low=low, high=high)
