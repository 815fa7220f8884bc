"""Newcombe's hybrid score interval for two rates in small arms, with a p-value and a ratio that never disagree."""

from dataclasses import dataclass
from math import copysign, hypot, sqrt

from scipy.special import ndtr, ndtri

from cxcausal.core.answers import Moments
from cxcausal.stats.difference import NO_BASE, Interval, Relative

FEWEST = 20
"""Events, or non-events, below which an arm counts as small for a rate."""
_FARTHEST = 40.0
_STEPS = 60
_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class RateDifference:
    """Treated rate minus control rate, from counts.

    Attributes:
        events_treated, n_treated: events and units of the treated arm; events_control, n_control: of the control.
    """

    events_treated: int
    n_treated: int
    events_control: int
    n_control: int

    @property
    def mean_treated(self) -> float:
        """The treated arm's rate."""
        return self.events_treated / self.n_treated

    @property
    def mean_control(self) -> float:
        """The control arm's rate."""
        return self.events_control / self.n_control

    @property
    def point(self) -> float:
        """The difference of the rates."""
        return self.mean_treated - self.mean_control

    @property
    def se(self) -> float:
        """The HC2 standard error, for description; interval and p do not use it."""
        return sqrt(self._variances(1.0))

    @property
    def df(self) -> None:
        """None: the quantiles are normal."""
        return

    @property
    def note(self) -> None:
        """None: the method's name says all."""
        return

    @property
    def p(self) -> float:
        """Two-sided: the smallest alpha at which the interval excludes zero."""
        return 2 * float(ndtr(-abs(self._z(0.0, 1.0))))

    def interval(self, level: float) -> Interval:
        """Return Newcombe's method 10 (1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).

        Example:
            >>> limits = RateDifference(events_treated=56, n_treated=70, events_control=48, n_control=80).interval(0.95)
            >>> round(limits.low, 4), round(limits.high, 4)
            (0.0524, 0.3339)
        """
        z = -float(ndtri((1 - level) / 2))
        return Interval(low=self._limit(z, 1.0, side=-1), high=self._limit(z, 1.0, side=1))

    def p_above(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `rate_treated − ratio × rate_control ≤ null`, by inverting the interval."""
        return float(ndtr(-self._z(null, ratio)))

    def p_below(self, null: float = 0.0, ratio: float = 1.0) -> float:
        """Return the one-sided p-value of `rate_treated − ratio × rate_control ≥ null`, by inverting the interval."""
        return float(ndtr(self._z(null, ratio)))

    def relative(self, level: float) -> Relative:
        """Return the ratio of rates minus one, with the limits at which the interval of p₁ − r·p₀ meets zero.

        At r = 1 that is the interval of the difference, so the two agree on whether there is an effect
        (Donner & Zou 2012, https://doi.org/10.1177/0962280210386211).

        Example:
            >>> r = RateDifference(events_treated=10, n_treated=50, events_control=5, n_control=50).relative(0.95)
            >>> round(r.point, 6), r.interval.low < 0 < r.interval.high
            (1.0, True)
        """
        if self.events_control == 0:
            return Relative(reason=NO_BASE)
        z = -float(ndtri((1 - level) / 2))
        one, two = self.mean_treated, self.mean_control
        (low_1, high_1), (low_2, high_2) = self._wilson(z)
        product = one * two
        inner = max(product**2 - high_2 * (2 * two - high_2) * low_1 * (2 * one - low_1), 0.0)
        outer = max(product**2 - low_2 * (2 * two - low_2) * high_1 * (2 * one - high_1), 0.0)
        far = product + sqrt(inner)
        low = low_1 * (2 * one - low_1) / far if far > 0 else 0.0
        high = (product + sqrt(outer)) / (low_2 * (2 * two - low_2))
        return Relative(
            point=one / two - 1,
            se=sqrt(self._variances(one / two)) / two,
            interval=Interval(low=low - 1, high=high - 1),
        )

    def _variances(self, ratio: float) -> float:
        one, two = self.mean_treated, self.mean_control
        treated = one * (1 - one) / max(self.n_treated - 1, 1)
        return treated + ratio**2 * two * (1 - two) / max(self.n_control - 1, 1)

    def _wilson(self, z: float) -> tuple[tuple[float, float], tuple[float, float]]:
        return wilson(self.events_treated, self.n_treated, z), wilson(self.events_control, self.n_control, z)

    def _limit(self, z: float, ratio: float, *, side: int) -> float:
        """Return the lower (side −1) or upper (+1) limit of p₁ − ratio·p₀ at the normal quantile z."""
        (low_1, high_1), (low_2, high_2) = self._wilson(z)
        one, two = self.mean_treated, self.mean_control
        half = hypot(one - low_1, ratio * (high_2 - two)) if side < 0 else hypot(high_1 - one, ratio * (two - low_2))
        return one - ratio * two + side * half

    def _z(self, null: float, ratio: float) -> float:
        """Return the signed quantile at which the interval's limit on the side of `null` meets it."""
        distance = self.mean_treated - ratio * self.mean_control - null
        if distance == 0:
            return 0.0
        side = -1 if distance > 0 else 1
        near, far = 0.0, _FARTHEST
        for _ in range(_STEPS):
            middle = (near + far) / 2
            if side * (self._limit(middle, ratio, side=side) - null) < 0:
                near = middle
            else:
                far = middle
        return copysign((near + far) / 2, distance)


def wilson(events: int, n: int, z: float) -> tuple[float, float]:
    """Return Wilson's score limits of one rate at the normal quantile z.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.

    Example:
        >>> low, high = wilson(0, 10, 1.96)
        >>> low, round(high, 4)
        (0.0, 0.2775)
    """
    rate = events / n
    scale = 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / scale
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if events == 0 else max(middle - half, 0.0)
    high = 1.0 if events == n else min(middle + half, 1.0)
    return low, high


def is_rate(cell: Moments) -> bool:
    """Tell whether every unit's value is 0 or 1.

    Example:
        >>> import numpy as np
        >>> is_rate(Moments(n=4, mean=np.array([0.5]), m2=np.array([[1.0]]), events=2, low=0.0, high=1.0))
        True
    """
    within = cell.low >= 0 and cell.high <= 1 and len(cell.mean) == 1
    return within and abs(cell.events - cell.n * float(cell.mean[0])) <= _TOLERANCE * cell.n


def small_rates(treated: Moments, control: Moments) -> bool:
    """Tell whether any arm of a 0/1 measure has fewer than 20 events or 20 non-events, so that Newcombe applies."""
    return all(map(is_rate, (treated, control))) and any(
        min(cell.events, cell.n - cell.events) < FEWEST for cell in (treated, control)
    )


def newcombe(treated: Moments, control: Moments) -> RateDifference:
    """Return the comparison of two rates from the moments of 0/1 measures."""
    return RateDifference(
        events_treated=treated.events, n_treated=treated.n, events_control=control.events, n_control=control.n
    )
