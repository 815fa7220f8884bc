"""CR2 variance with Bell–McCaffrey degrees of freedom, exact from cluster sums, for one cluster name or several."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Array, ClusterPatterns, Moments
from cxcausal.stats.difference import Difference, hc2
from cxcausal.stats.moments import RATIO, influence, ratio_or_mean

FEWEST_CLUSTERS = 2
_SINGULAR = 1e-10
_CONTRAST = np.array([1.0, -1.0])


@dataclass(frozen=True, kw_only=True)
class Cr2:
    """A cluster-robust fit.

    Attributes:
        covariance: of the k coefficients, shape (k, k).
        df: Satterthwaite degrees of freedom of the contrast asked for.
    """

    covariance: Array
    df: float


def cr2(grams: Array, crosses: Array, clusters: npt.NDArray[np.int64], contrast: Array) -> Cr2:
    """Return the CR2 covariance of least squares, and the degrees of freedom of one contrast.

    With CC′ = (X′X)⁻¹ and S_g = X_g′X_g, the adjustment (I − H_gg)^−½ acts within the columns of X only, so that
    cluster g contributes C (I − C′S_gC)^−½ C′X_g′e_g: k × k work per cluster, however large it is. The degrees of
    freedom are those of Bell & McCaffrey (2002, https://www150.statcan.gc.ca/n1/en/catalogue/12-001-X20020029058)
    under independent errors, as in Pustejovsky & Tipton (2018, https://doi.org/10.1080/07350015.2016.1247004);
    where a cluster is all of an arm the root is a pseudo-inverse.

    Args:
        grams: S_g of one cluster of each pattern, shape (P, k, k).
        crosses: Σ over the pattern's clusters of (X_g′e_g)(X_g′e_g)′, shape (P, k, k).
        clusters: clusters per pattern, shape (P,).
        contrast: shape (k,).

    Raises:
        numpy.linalg.LinAlgError: the design is singular.

    Example:
        >>> grams = np.array([[[4.0]]])  # ten clusters of four units, one mean
        >>> fit = cr2(grams, np.array([[[90.0]]]), np.array([10]), np.array([1.0]))
        >>> round(float(fit.covariance[0, 0]) * 40**2 * 0.9, 9), round(fit.df, 9)
        (90.0, 9.0)
    """
    inverse = np.linalg.inv(np.einsum("p,pij->ij", clusters.astype(np.float64), grams))
    factor = np.linalg.cholesky(inverse)
    inner = factor.T @ grams @ factor
    roots = _inverse_root(np.eye(len(contrast)) - inner)
    sandwich = np.einsum("pij,pjk,pkl->il", roots, factor.T @ crosses @ factor, roots)
    direction = roots @ (factor.T @ contrast)
    within = np.einsum("pi,pij,pj->p", direction, inner, direction)
    reach = np.einsum("pij,pj->pi", inner, direction)
    return Cr2(covariance=factor @ sandwich @ factor.T, df=satterthwaite(within, reach, clusters))


def clustered(patterns: ClusterPatterns) -> Difference:
    """Return the difference of two arms' means, or ratios of means, with CR2 and its degrees of freedom.

    Clusters may lie within an arm or span both. Ratios are linearised at the estimate.

    Args:
        patterns: at least two clusters in either arm (see `too_few_clusters`).

    Example:
        >>> sums = np.array([[2.0, 0.0], [0.0, 2.0]])  # two clusters per arm, sums −1 and 1, three units each
        >>> patterns = ClusterPatterns(
        ...     clusters=np.array([2, 2]), n_treated=np.array([3, 0]), n_control=np.array([0, 3]),
        ...     total=np.zeros((2, 2)), cross=np.array([np.diag(sums[0]), np.diag(sums[1])]),
        ...     center=np.array([5.0]), clusters_treated=2, clusters_control=2)
        >>> d = clustered(patterns)
        >>> round(d.point, 9), round(d.se**2, 9), round(d.df, 9)
        (0.0, 0.222222222, 2.0)
    """
    means, fit = _fit(patterns)
    return _difference(means, fit)


def multiway(by_names: Mapping[tuple[str, ...], ClusterPatterns]) -> Difference:
    """Return the clustered difference for several cluster names that need not nest.

    Variances are added over single names and subtracted over pairs, and so on (Cameron, Gelbach & Miller 2011,
    https://doi.org/10.1198/jbes.2010.07136), each of them CR2; the degrees of freedom are the smallest of the single
    names'. Where that sum is not positive, the largest single name's stands in, and `note` says so.

    Args:
        by_names: the patterns of every non-empty subset of the cluster names.
    """
    return combined({names: _fit(patterns) for names, patterns in by_names.items()})


def combined(fits: Mapping[tuple[str, ...], tuple[Array, Cr2]]) -> Difference:
    """Return the difference of two arms over every non-empty subset of the cluster names, as `multiway` says.

    Args:
        fits: of each subset the arms' means, shape (2,), and their covariance matrix, shape (2, 2).
    """
    if len(fits) == 1:
        return _difference(*next(iter(fits.values())))
    singles = {names: _difference(*fit) for names, fit in fits.items() if len(names) == 1}
    df = min(single.df for single in singles.values())
    covariance = np.sum([(-1) ** (len(names) + 1) * fit.covariance for names, (_, fit) in fits.items()], axis=0)
    means = next(iter(fits.values()))[0]
    names, widest = max(singles.items(), key=lambda item: item[1].se)
    variances = (*np.diag(covariance), _CONTRAST @ covariance @ _CONTRAST)
    if min(variances) > _SINGULAR * widest.se**2:
        return _difference(means, Cr2(covariance=covariance, df=df))
    note = f"the variance over several cluster names was not positive; that of '{names[0]}', the largest, is used"
    return replace(widest, df=df, note=note)


def of_combination(patterns: ClusterPatterns, weights: Array) -> tuple[Array, Cr2]:
    """Return the means, shape (2,), of a linear combination of the components in either arm, and their fit.

    Args:
        patterns: at least two clusters in either arm.
        weights: of the components, treated then control, shape (2, k).
    """
    sizes = np.stack([patterns.n_treated, patterns.n_control], axis=1).astype(np.float64)
    units = (patterns.clusters.astype(np.float64) @ sizes)[:, None]
    means = (weights * (patterns.center + patterns.total.sum(axis=0).reshape(2, -1) / units)).sum(axis=1)
    crosses = _residual_crosses(patterns, weights, sizes * (weights @ patterns.center - means))
    grams = np.einsum("pi,ij->pij", sizes, np.eye(2))
    return means, cr2(grams, crosses, patterns.clusters, _CONTRAST)


def difference(treated: Moments, control: Moments, patterns: Mapping[tuple[str, ...], ClusterPatterns]) -> Difference:
    """Return the difference of two arms by the inference that their clusters call for.

    Args:
        treated: the treated arm's cell.
        control: the control's cell.
        patterns: of every non-empty subset of the cluster names; empty where units are independent (HC2 and Welch),
            one for CR2, more for several names that need not nest.
    """
    if len(patterns) > 1:
        return multiway(patterns)
    return clustered(*patterns.values()) if patterns else hc2(treated, control)


def too_few_clusters(patterns: ClusterPatterns) -> bool:
    """Tell whether an arm has fewer than two clusters, so that nothing can be said about their spread."""
    return min(patterns.clusters_treated, patterns.clusters_control) < FEWEST_CLUSTERS


def _difference(means: Array, fit: Cr2) -> Difference:
    return Difference(
        mean_treated=float(means[0]),
        mean_control=float(means[1]),
        var_treated=float(fit.covariance[0, 0]),
        var_control=float(fit.covariance[1, 1]),
        covariance=float(fit.covariance[0, 1]),
        df=fit.df,
    )


def _fit(patterns: ClusterPatterns) -> tuple[Array, Cr2]:
    """Return the arms' means, shape (2,), and their fit; the coefficients are the two means."""
    sizes = np.stack([patterns.n_treated, patterns.n_control], axis=1).astype(np.float64)
    count = patterns.clusters.astype(np.float64)
    units = (count @ sizes)[:, None]
    components = patterns.center + patterns.total.sum(axis=0).reshape(2, -1) / units
    means = np.array([ratio_or_mean(row) for row in components])
    weights = np.array([influence(row) for row in components])
    target = np.zeros(2) if len(patterns.center) == RATIO else means
    crosses = _residual_crosses(patterns, weights, sizes * (weights @ patterns.center - target))
    grams = np.einsum("pi,ij->pij", sizes, np.eye(2))
    return means, cr2(grams, crosses, patterns.clusters, _CONTRAST)


def _residual_crosses(patterns: ClusterPatterns, weights: Array, shift: Array) -> Array:
    """Return Σ r r′ per pattern, shape (P, 2, 2), of residual sums r = (w·sums per arm) + the pattern's shift."""
    k = len(patterns.center)
    project = np.zeros((2, 2 * k))
    project[0, :k], project[1, k:] = weights
    total = patterns.total @ project.T
    mixed = np.einsum("pi,pj->pij", total, shift)
    constant = np.einsum("p,pi,pj->pij", patterns.clusters.astype(np.float64), shift, shift)
    crosses: Array = project @ patterns.cross @ project.T + mixed + mixed.transpose(0, 2, 1) + constant
    return crosses


def _inverse_root(matrices: Array) -> Array:
    """Return the symmetric pseudo-inverse square roots, shape (P, k, k)."""
    values, vectors = np.linalg.eigh(matrices)
    usable = values > _SINGULAR
    powers = np.where(usable, 1 / np.sqrt(np.where(usable, values, 1.0)), 0.0)
    roots: Array = (vectors * powers[:, None, :]) @ vectors.transpose(0, 2, 1)
    return roots


def satterthwaite(within: Array, reach: Array, clusters: npt.NDArray[np.int64] | None = None) -> float:
    """Return (tr G)²/tr(G²) for G = diag(within) − reach·reach′, whose rows are clusters, collapsed by pattern.

    `reach` is C′S_gC W_g v, so that (X′X)⁻¹ has already been taken into it.

    Args:
        within: shape (P,).
        reach: shape (P, k).
        clusters: per pattern, shape (P,); one each by default.
    """
    count = np.ones(len(within)) if clusters is None else clusters.astype(np.float64)
    lengths = np.einsum("pi,pi->p", reach, reach)
    second = reach.T @ (count[:, None] * reach)
    trace = count @ (within - lengths)
    squares = count @ (within**2 - 2 * within * lengths) + np.sum(second * second)
    return float(trace**2 / squares)
