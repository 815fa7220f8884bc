"""Effects of several cuts as draws around one mean: Paule–Mandel's variance with Hartung and Knapp's interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2, t

Array = npt.NDArray[np.float64]
_WIDEST = 1e6
"""The variance between effects is looked for up to so many times the largest variance within them, plus their own."""


@dataclass(frozen=True, kw_only=True)
class RandomEffects:
    """Effects pooled.

    Attributes:
        point: the mean effect; se: Hartung and Knapp's standard error, with k − 1 degrees of freedom.
        low, high: the interval at the level that was asked for.
        tau2: the variance of effects beyond chance. i2: its share in the variance of a typical estimate.
        q, p: Cochran's test of equal effects.
    """

    point: float
    se: float
    low: float
    high: float
    tau2: float
    i2: float
    q: float
    p: float


def random_effects(
    points: Sequence[float] | Array, errors: Sequence[float] | Array, level: float = 0.95
) -> RandomEffects:
    """Return independent estimates of one kind of effect, pooled by random effects.

    The variance between effects solves Q(τ²) = k − 1 (R. C. Paule, J. Mandel 1982, "Consensus values and weighting
    factors", J. Res. NBS 87(5)). The interval is that of J. Hartung and G. Knapp (2001), "A refined method for the
    meta-analysis of controlled clinical trials with binary outcome", Statistics in Medicine 20(24); its variance is
    never taken to be smaller than the usual one, so that few effects that happen to agree are no certainty.

    Args:
        points: shape (k,), k ≥ 2.
        errors: shape (k,), their standard errors, all positive.
        level: of the interval.

    Raises:
        ValueError: fewer than two effects, or a standard error that is not positive.

    Example:
        >>> found = random_effects([0.10, 0.30, 0.35, 0.65], [0.05, 0.05, 0.05, 0.05])
        >>> round(found.point, 2), round(found.tau2, 4)
        (0.35, 0.0492)
    """
    effect, se = np.asarray(points, float), np.asarray(errors, float)
    if len(effect) < 2 or not (se > 0).all():  # noqa: PLR2004 - one effect differs from no other
        raise ValueError("random effects need two estimates or more, each with a positive standard error")
    within, free = se**2, len(effect) - 1
    q = _q(0.0, effect, within)
    tau2 = _between(effect, within)
    weights = 1 / (within + tau2)
    point = float(weights @ effect / weights.sum())
    scale = max(1.0, _q(tau2, effect, within) / free)
    error = float(np.sqrt(scale / weights.sum()))
    reach = float(t.ppf((1 + level) / 2, free)) * error
    return RandomEffects(
        point=point,
        se=error,
        low=point - reach,
        high=point + reach,
        tau2=tau2,
        i2=tau2 / (tau2 + _typical(within)),
        q=q,
        p=float(chi2.sf(q, free)),
    )


def _q(tau2: float, effect: Array, within: Array) -> float:
    """Return the weighted squared distances of effects from their mean."""
    weights = 1 / (within + tau2)
    return float(weights @ (effect - weights @ effect / weights.sum()) ** 2)


def _between(effect: Array, within: Array) -> float:
    free = len(effect) - 1
    if _q(0.0, effect, within) <= free:
        return 0.0
    widest = _WIDEST * (within.max() + effect.var())
    return float(brentq(lambda tau2: _q(tau2, effect, within) - free, 0.0, widest, xtol=1e-14 * widest, rtol=1e-12))


def _typical(within: Array) -> float:
    """Return Higgins and Thompson's typical variance within effects."""
    weights = 1 / within
    return float((len(within) - 1) * weights.sum() / (weights.sum() ** 2 - (weights**2).sum()))
