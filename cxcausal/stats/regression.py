"""Regression adjustment of a difference in means or in ratios of means: Lin's interacted form, and common slopes."""

from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import UNITS_PER_COLUMN, ArmFit, Array, Regression
from cxcausal.stats.difference import Difference
from cxcausal.stats.moments import RATIO, influence, ratio_or_mean

_FULL = 1 - 1e-9
_ROUNDING = 1e-14
"""A variance that is no larger than this share of what cancels in it is rounding."""


@dataclass(frozen=True, kw_only=True)
class _Point:
    """One arm's adjusted mean or ratio of means, its variance with the covariates as drawn, and its slopes, (c,)."""

    value: float
    variance: float
    slopes: Array


def lin(fits: Regression, treated: str, control: str, *, population: bool = True) -> Difference:
    """Return the difference of two arms' fitted means at the covariates' mean over all arms (Lin's estimator).

    Each arm has its own slopes, so the adjustment can't do harm in large samples, and each fitted mean has its HC2
    variance (Lin 2013, https://doi.org/10.1214/12-AOAS583; one covariate from before the experiment is CUPED with
    arm-wise slopes, Deng et al. 2013, https://doi.org/10.1145/2433396.2433413). That variance is for the units at
    hand; for the population they were drawn from, (β₁ − β₀)′S(β₁ − β₀)/n is added, with S the covariance matrix of
    the covariates over all n units. Degrees of freedom are Welch–Satterthwaite's over these parts, an arm's being
    n − k − 1.

    A ratio of means is the ratio R = N/D of the adjusted means of numerator and denominator, which are regressed on
    the same columns. Its variance is HC2 of the linearised residuals (e_N − R·e_D)/D, and its slopes are
    (β_N − R·β_D)/D (the delta method, Deng, Knoblich & Lu 2018, https://arxiv.org/abs/1803.06336). A weighted mean is
    the ratio Σwy/Σw: w·y and w are regressed on the covariates and both are taken at the units' own, unweighted mean
    of the covariates, so that the ratio is E[w·Y(a)]/E[w], the mean of the population that the weights stand for.

    Args:
        fits: with both arms among its `arms` (see `why_not_adjusted`).
        treated: one of them.
        control: the other, which is subtracted.
        population: whether the effect is of the population, or of these units alone.

    Example:
        >>> from cxcausal.core.answers import ArmFit
        >>> fit = dict(n=101, mean=np.zeros(1), covariance=np.array([[0.5]]), leverage=0.1)
        >>> arms = {"t": ArmFit(**fit, adjusted=np.array([3.0]), slopes=np.array([[2.0]])),
        ...         "c": ArmFit(**fit, adjusted=np.array([1.0]), slopes=np.array([[1.0]]))}
        >>> fits = Regression(n=202, columns=("x",), dropped=(), spread=np.array([[20.2]]), arms=arms)
        >>> d = lin(fits, "t", "c")
        >>> d.point, round(d.se**2, 6), round(lin(fits, "t", "c", population=False).se**2, 6)
        (2.0, 1.1, 1.0)
    """
    one, two = _linearised(fits.arms[treated]), _linearised(fits.arms[control])
    both = np.column_stack([one.slopes, two.slopes])
    drawn = both.T @ fits.spread @ both / fits.n if population else np.zeros((2, 2))
    k = len(fits.columns)
    parts = [
        (one.variance, fits.arms[treated].n - k - 1),
        (two.variance, fits.arms[control].n - k - 1),
        (float(drawn[0, 0] + drawn[1, 1] - 2 * drawn[0, 1]), fits.n - 1),
    ]
    return Difference(
        mean_treated=one.value,
        mean_control=two.value,
        var_treated=one.variance + float(drawn[0, 0]),
        var_control=two.variance + float(drawn[1, 1]),
        covariance=float(drawn[0, 1]),
        df=_satterthwaite(parts),
    )


def common_slopes(fits: Regression, treated: str, control: str) -> Difference:
    """Return the coefficient of treatment in a regression with the same slopes in both arms, with HC2.

    Its two variances are the arms' shares in that of the difference, not of the means, so that neither its relative
    effect nor a ratio of means is defined here. There are n − k − 2 degrees of freedom.

    Args:
        fits: the answer to a query with this contrast, for a measure of one component.
        treated: an arm of the contrast.
        control: the other, which is subtracted.

    Example:
        >>> from cxcausal.core.answers import ArmFit
        >>> fit = dict(n=50, mean=np.zeros(1), covariance=np.array([[0.5]]), leverage=0.1, slopes=np.array([[1.0]]))
        >>> arms = {"t": ArmFit(**fit, adjusted=np.array([3.0])), "c": ArmFit(**fit, adjusted=np.array([1.0]))}
        >>> fits = Regression(n=100, columns=("x",), dropped=(), spread=np.eye(1), arms=arms)
        >>> d = common_slopes(fits, "t", "c")
        >>> d.point, d.se, d.df
        (2.0, 1.0, 97.0)
    """
    one, two = fits.arms[treated], fits.arms[control]
    return Difference(
        mean_treated=float(one.adjusted[0]),
        mean_control=float(two.adjusted[0]),
        var_treated=float(one.covariance[0, 0]),
        var_control=float(two.covariance[0, 0]),
        df=float(fits.n - len(fits.columns) - 2),
    )


def why_not_adjusted(fits: Regression, treated: str, control: str) -> str | None:
    """Return why two arms can't be compared with adjustment, or None where they can.

    Example:
        >>> fits = Regression(n=9, columns=("age",), dropped=(), spread=np.eye(1), arms={})
        >>> why_not_adjusted(fits, "t", "c")
        "fewer than 20 customers with a value per covariate column (1 of them) in arm 't'"
    """
    if not fits.columns:
        return "no covariate varies on its own within the arms"
    for arm in (treated, control):
        if arm not in fits.arms:
            k = len(fits.columns)
            per = f"{UNITS_PER_COLUMN} customers with a value per covariate column ({k} of them)"
            return f"fewer than {per} in arm '{arm}'"
        if fits.arms[arm].leverage > _FULL:
            return f"a single customer of arm '{arm}' decides a covariate's slope, so its spread is unknown"
        if _loses_denominator(fits.arms[arm]):
            return f"the adjusted denominator of arm '{arm}' is zero, or on the other side of zero"
    return None


def _loses_denominator(fit: ArmFit) -> bool:
    return len(fit.mean) == RATIO and not fit.adjusted[1] * fit.mean[1] > 0


def _linearised(fit: ArmFit) -> _Point:
    """Return what one arm's components stand for: one is itself, and two are a ratio."""
    weights = influence(fit.adjusted)
    parts = weights[:, None] * fit.covariance * weights
    variance, size = float(parts.sum()), float(np.abs(parts).sum())
    return _Point(
        value=ratio_or_mean(fit.adjusted),
        variance=variance if variance > _ROUNDING * size else 0.0,
        slopes=fit.slopes @ weights,
    )


def _satterthwaite(parts: list[tuple[float, int]]) -> float:
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return float(min(df for _, df in parts))
    return 1 / sum((variance / total) ** 2 / df for variance, df in parts)
