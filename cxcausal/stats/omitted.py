"""Omitted variables: how far one of a given strength could move an effect, and how strong it must be to undo it."""

from dataclasses import dataclass
from math import inf, sqrt

_STRONGEST = 0.999
"""A partial R² of 1 would leave nothing to bound."""
_MOST = 1e6


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """An effect with what bounds its bias.

    Attributes:
        point, se: the effect.
        scale: S = σν, where σ² is the outcome's residual variance and ν² the variance of the weights.
        scale_se: standard error of S. covariance: of the effect's and the scale's estimates.
    """

    point: float
    se: float
    scale: float
    scale_se: float = 0.0
    covariance: float = 0.0

    def nearest(self, strength: float) -> float:
        """Return the bound nearest to zero: what is left of the effect, of its sign; beyond zero it changes sign."""
        sign = 1.0 if self.point >= 0 else -1.0
        return self.point - sign * strength * self.scale

    def bounds(self, strength: float) -> tuple[float, float]:
        """Return the least and the greatest effect that a bias of `strength` × S allows."""
        return self.point - strength * self.scale, self.point + strength * self.scale

    def interval(self, strength: float, quantile: float) -> tuple[float, float]:
        """Return the bounds, each moved outwards by `quantile` of its own standard errors."""
        low, high = self.bounds(strength)
        return low - quantile * self.bound_se(-strength), high + quantile * self.bound_se(strength)

    def bound_se(self, strength: float) -> float:
        """Return the standard error of point + strength × S."""
        variance = self.se**2 + 2 * strength * self.covariance + strength**2 * self.scale_se**2
        return sqrt(max(variance, 0.0))


def strength_of(outcome: float, treatment: float) -> float:
    """Return the bias in units of S of a confounder with these partial R² at ρ = 1, √(R²_y R²_d / (1 − R²_d)).

    Chernozhukov, Cinelli, Newey, Sharma & Syrgkanis 2022 (https://arxiv.org/abs/2112.13398), theorem 2.

    Example:
        >>> strength_of(0.5, 0.5) == 0.5**0.5
        True
    """
    return sqrt(outcome * treatment / (1 - min(treatment, _STRONGEST)))


def equal_strengths(strength: float) -> float:
    """Return the R² that a confounder needs with outcome and treatment alike to have a strength.

    Example:
        >>> round(equal_strengths(strength_of(0.3, 0.3)), 12)
        0.3
    """
    square = strength**2
    return (sqrt(square**2 + 4 * square) - square) / 2


def undoing_strength(effect: Bounded, quantile: float = 0.0) -> float:
    """Return the least strength at which the bound, or with a quantile its interval, touches zero; 0 if it does now.

    The root of (|θ| − C S)² = q² Var(θ ∓ C S) that lies between 0 and |θ| / S.
    """
    size = abs(effect.point)
    if size <= quantile * effect.se:
        return 0.0
    if effect.scale <= 0:
        return inf
    toward = effect.covariance if effect.point >= 0 else -effect.covariance
    half = size * effect.scale - quantile**2 * toward
    constant = size**2 - quantile**2 * effect.se**2
    # half² − (S² − q² Var S)(θ² − q² Var θ), in a form in which nothing large cancels.
    spread = (effect.scale * effect.se) ** 2 - 2 * size * effect.scale * toward + (size * effect.scale_se) ** 2
    joint = (effect.se * effect.scale_se) ** 2 - toward**2
    # The smaller root, in a form that holds where S² − q² Var S is zero or negative as well.
    root = half + quantile * sqrt(max(spread - quantile**2 * joint, 0.0))
    return constant / root if root > 0 else inf


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """A declared covariate's own partial R²: with the outcome given the arm and the rest, with the arm given the rest.

    A confounder `multiple` times as strong has the partial R² that Cinelli & Hazlett bound it by (2020,
    https://doi.org/10.1111/rssb.12348, section 4.4), where "times" is said of the share of variation explained.
    """

    outcome: float
    treatment: float

    def at(self, multiple: float) -> tuple[float, float]:
        """Return the partial R² with outcome and treatment of a confounder so many times as strong.

        Example:
            >>> tuple(round(each, 4) for each in Likeness(outcome=0.10903, treatment=0.009081).at(1))
            (0.1246, 0.0092)
        """
        own = min(self.treatment, _STRONGEST)
        treatment = multiple * own / (1 - own)
        if treatment >= _STRONGEST or multiple * own >= _STRONGEST:
            return _STRONGEST, _STRONGEST
        shared = multiple * own**2 / ((1 - multiple * own) * (1 - own))
        if shared >= _STRONGEST:
            return _STRONGEST, _STRONGEST
        grown = (sqrt(multiple) + sqrt(shared)) ** 2 / (1 - shared)
        explained = min(self.outcome, _STRONGEST)
        return min(grown * explained / (1 - explained), _STRONGEST), treatment

    def strength(self, multiple: float = 1.0) -> float:
        """Return the bias in units of S of a confounder so many times as strong."""
        return strength_of(*self.at(multiple))


def multiple_reaching(likeness: Likeness, strength: float) -> float:
    """Return how many times as strong as a covariate a confounder must be to have a strength; infinite beyond 1e6.

    Example:
        >>> likeness = Likeness(outcome=0.1, treatment=0.05)
        >>> round(multiple_reaching(likeness, likeness.strength(2.0)), 9)
        2.0
    """
    if strength <= 0:
        return 0.0
    low, high = 0.0, 1.0
    while likeness.strength(high) < strength:
        low, high = high, 2 * high
        if high > _MOST:
            return inf
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if likeness.strength(middle) < strength else (low, middle)
    return high


def e_value(ratio: float) -> float:
    """Return the risk ratio that a confounder needs with both treatment and outcome to explain a ratio away.

    VanderWeele & Ding 2017 (https://doi.org/10.7326/M16-2607); ratios below one are turned over.

    Example:
        >>> round(e_value(3.9), 2), e_value(1.0), e_value(0.5) == e_value(2.0)
        (7.26, 1.0, True)
    """
    above = ratio if ratio >= 1 else 1 / ratio
    return above + sqrt(above * (above - 1))
