"""Regression adjustment of a difference in means: Lin's interacted form, and one with common slopes."""

import numpy as np

from cxcausal.core.queries import UNITS_PER_COLUMN, Regression
from cxcausal.stats.difference import Difference

_FULL = 1 - 1e-9


def lin(fits: Regression, treated: str, control: str, *, population: bool = True) -> Difference:
    """Return the difference of two arms' fitted means at the covariates' mean over all arms (Lin's estimator).

    Each arm has its own slopes, so the adjustment can't do harm in large samples, and each fitted mean has its HC2
    variance (Lin 2013, https://doi.org/10.1214/12-AOAS583; one covariate from before the experiment is CUPED with
    arm-wise slopes, Deng et al. 2013, https://doi.org/10.1145/2433396.2433413). That variance is for the units at
    hand; for the population they were drawn from, (β₁ − β₀)′S(β₁ − β₀)/n is added, with S the covariance matrix of
    the covariates over all n units. Degrees of freedom are Welch–Satterthwaite's over these parts, an arm's being
    n − k − 1.

    Args:
        fits: with both arms among its `arms` (see `why_not_adjusted`).
        treated: one of them.
        control: the other, which is subtracted.
        population: whether the effect is of the population, or of these units alone.

    Example:
        >>> from cxcausal.core.queries import ArmFit
        >>> fit = dict(n=101, mean=0.0, variance=0.5, leverage=0.1)
        >>> arms = {"t": ArmFit(**fit, adjusted=3.0, slopes=np.array([2.0])),
        ...         "c": ArmFit(**fit, adjusted=1.0, slopes=np.array([1.0]))}
        >>> fits = Regression(n=202, columns=("x",), dropped=(), spread=np.array([[20.2]]), arms=arms)
        >>> d = lin(fits, "t", "c")
        >>> d.point, round(d.se**2, 6), round(lin(fits, "t", "c", population=False).se**2, 6)
        (2.0, 1.1, 1.0)
    """
    one, two = fits.arms[treated], fits.arms[control]
    both = np.column_stack([one.slopes, two.slopes])
    drawn = both.T @ fits.spread @ both / fits.n if population else np.zeros((2, 2))
    k = len(fits.columns)
    parts = [
        (one.variance, one.n - k - 1),
        (two.variance, two.n - k - 1),
        (float(drawn[0, 0] + drawn[1, 1] - 2 * drawn[0, 1]), fits.n - 1),
    ]
    return Difference(
        mean_treated=one.adjusted,
        mean_control=two.adjusted,
        var_treated=one.variance + float(drawn[0, 0]),
        var_control=two.variance + float(drawn[1, 1]),
        covariance=float(drawn[0, 1]),
        df=_satterthwaite(parts),
    )


def common_slopes(fits: Regression, treated: str, control: str) -> Difference:
    """Return the coefficient of treatment in a regression with the same slopes in both arms, with HC2.

    Its two variances are the arms' shares in that of the difference, not of the means, so that its relative effect
    is not defined here. There are n − k − 2 degrees of freedom.

    Args:
        fits: the answer to a query with this contrast.
        treated: an arm of the contrast.
        control: the other, which is subtracted.

    Example:
        >>> from cxcausal.core.queries import ArmFit
        >>> fit = dict(n=50, mean=0.0, variance=0.5, leverage=0.1, slopes=np.array([1.0]))
        >>> arms = {"t": ArmFit(**fit, adjusted=3.0), "c": ArmFit(**fit, adjusted=1.0)}
        >>> fits = Regression(n=100, columns=("x",), dropped=(), spread=np.eye(1), arms=arms)
        >>> d = common_slopes(fits, "t", "c")
        >>> d.point, d.se, d.df
        (2.0, 1.0, 97.0)
    """
    one, two = fits.arms[treated], fits.arms[control]
    return Difference(
        mean_treated=one.adjusted,
        mean_control=two.adjusted,
        var_treated=one.variance,
        var_control=two.variance,
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
    return None


def _satterthwaite(parts: list[tuple[float, int]]) -> float:
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return float(min(df for _, df in parts))
    return 1 / sum((variance / total) ** 2 / df for variance, df in parts)
