"""A difference in means of values with many zeros, split exactly into who has any and how much they have."""

from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import Array, ClusterPatterns, Moments
from cxcausal.stats.cluster import of_combination
from cxcausal.stats.difference import Difference, welch_df
from cxcausal.stats.moments import Mean


@dataclass(frozen=True, kw_only=True)
class Split:
    """The two parts of a difference in means; they sum to it exactly."""

    who: Difference
    how_much: Difference


def split_mean(treated: Moments, control: Moments, patterns: ClusterPatterns | None = None) -> Split:
    """Return which part of a difference in means comes from who has any, and which from how much they have.

    With p the share of units with a value other than zero and m the mean among them, p₁m₁ − p₀m₀ is the sum of
    (p₁ − p₀)(m₁ + m₀)/2 and (m₁ − m₀)(p₁ + p₀)/2 (Kitagawa 1955, https://doi.org/10.1080/01621459.1955.10501299).
    Variances are the delta method's, with HC2 and Welch's degrees of freedom, or CR2 within clusters. Each part is
    told as a difference from nothing.

    Args:
        treated: moments of the value and of its indicator, k = 2; some units have a value other than zero.
        control: of the control.
        patterns: cluster sums of the same two components; None where units are independent.

    Example:
        >>> one = Moments(n=4, mean=np.array([3.0, 0.75]), m2=np.array([[16.0, 3.0], [3.0, 0.75]]))
        >>> two = Moments(n=4, mean=np.array([1.0, 0.5]), m2=np.array([[4.0, 2.0], [2.0, 1.0]]))
        >>> split = split_mean(one, two)
        >>> split.who.point, split.how_much.point
        (0.75, 1.25)
    """
    (s1, p1), (s0, p0) = treated.mean.tolist(), control.mean.tolist()
    m1, m0 = s1 / p1, s0 / p0
    who = np.array(
        [
            [(p1 - p0) / (2 * p1), (m1 + m0) / 2 - (p1 - p0) * m1 / (2 * p1)],
            [-(p1 - p0) / (2 * p0), (m1 + m0) / 2 + (p1 - p0) * m0 / (2 * p0)],
        ]
    )
    # The parts sum to s₁ − s₀, and so do their gradients.
    how_much = np.array([[1.0, 0.0], [1.0, 0.0]]) - who
    return Split(
        who=_part((p1 - p0) * (m1 + m0) / 2, who, treated, control, patterns),
        how_much=_part((m1 - m0) * (p1 + p0) / 2, how_much, treated, control, patterns),
    )


def _part(
    point: float, weights: Array, treated: Moments, control: Moments, patterns: ClusterPatterns | None
) -> Difference:
    """Return one part; the gradient is `weights[0]` in the treated arm and −`weights[1]` in the control."""
    if patterns is not None:
        _, fit = of_combination(patterns, weights)
        variances, covariance, df = np.diag(fit.covariance), float(fit.covariance[0, 1]), fit.df
    else:
        arms = [_linear(cell, row) for cell, row in zip((treated, control), weights, strict=True)]
        variances, covariance, df = np.array([arm.variance for arm in arms]), 0.0, welch_df(*arms)
    return Difference(
        mean_treated=point,
        mean_control=0.0,
        var_treated=float(variances[0]),
        var_control=float(variances[1]),
        covariance=covariance,
        df=df,
    )


def _linear(cell: Moments, weights: Array) -> Mean:
    variance = float(weights @ cell.m2 @ weights) / (cell.n - 1) / cell.n
    return Mean(point=float(weights @ cell.mean), variance=max(variance, 0.0), n=cell.n)
