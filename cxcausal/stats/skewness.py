"""How skewed an outcome must be judged to be from its moments alone, and what that does to a difference of means."""

from math import nan, sqrt

from cxcausal.core.answers import Moments
from cxcausal.stats.moments import merge


def skewness(cell: Moments) -> float:
    """Return how skewed the units' first component must be judged to be, without its sign; 0 where nothing is known.

    A sample's own skewness stays far below the population's where tails are heavy, because the values that make it
    are too rare to be drawn. So the larger of two is taken. One is what the largest deviation d alone contributes:
    √n (d²/Σd²)^(3/2). The other is for values that aren't negative, which are taken to be zero or lognormal: with p
    the share that isn't zero, and c the squared coefficient of variation of those values,
    (1 − p)(1 − 2p) + 3c(1 − p) + 3c² + c³ over √p (1 − p + c)^(3/2).

    Example:
        >>> import numpy as np
        >>> churn = Moments(n=100, mean=np.array([0.02]), m2=np.array([[1.96]]), events=2, low=0.0, high=1.0)
        >>> round(skewness(churn), 3), round((1 - 2 * 0.02) / (0.02 * 0.98) ** 0.5, 3)
        (6.857, 6.857)
    """
    spread = float(cell.m2[0, 0])
    if cell.n == 0 or not spread > 0:
        return 0.0
    away = max(abs(cell.high - cell.mean[0]), abs(cell.low - cell.mean[0]))
    largest = sqrt(cell.n) * float(away**2 / spread) ** 1.5
    known = [size for size in (largest, abs(_lognormal(cell, spread))) if size == size]  # noqa: PLR0124 - not nan
    return max(known, default=0.0)


def _lognormal(cell: Moments, spread: float) -> float:
    if not (cell.low >= 0 and cell.events > 0 and cell.mean[0] > 0):
        return nan
    share, zeros = cell.events / cell.n, (cell.n - cell.events) / cell.n
    positive = float(cell.mean[0]) / share
    c = max(spread / (cell.events * positive**2) - zeros, 0.0)
    third = zeros * (1 - 2 * share) + 3 * c * zeros + 3 * c**2 + c**3
    return float(third / (sqrt(share) * (zeros + c) ** 1.5))


def skewness_of_difference(treated: Moments, control: Moments) -> float:
    """Return the skewness of a difference of means whose arms have one distribution: none where they are equal.

    With γ of the units of both arms, that is γ |n₀ − n₁| / √(N n₀ n₁). Arms of different sizes don't cancel each
    other's skewness, and an interval that is symmetric about its point then misses too often on one side
    (Johnson 1978, https://doi.org/10.1080/01621459.1978.10480051).

    Example:
        >>> import numpy as np
        >>> few, many = (Moments(n=n, mean=np.array([1.0]), m2=np.array([[1.0 * n]]), events=n, low=0.0, high=5.0)
        ...              for n in (100, 900))
        >>> round(skewness_of_difference(few, many), 3), skewness_of_difference(few, few)
        (0.337, 0.0)
    """
    one, two = treated.n, control.n
    return skewness(merge([treated, control])) * abs(two - one) / sqrt((one + two) * one * two)


def skewness_of_mean(treated: Moments, control: Moments) -> float:
    """Return the skewness of the smaller arm's mean, with γ of the units of both arms: γ / √min(n₀, n₁).

    Example:
        >>> import numpy as np
        >>> arm = Moments(n=100, mean=np.array([1.0]), m2=np.array([[100.0]]), events=100, low=0.0, high=5.0)
        >>> round(skewness_of_mean(arm, arm), 3)
        0.4
    """
    return skewness(merge([treated, control])) / sqrt(min(treated.n, control.n))
