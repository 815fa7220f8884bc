"""Regression adjustment where customers share a fate: CR2 of the adjusted means, from sums within clusters."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from cxcausal.core.answers import UNITS_PER_COLUMN, Array, ClusterSums
from cxcausal.core.least_squares import whiten
from cxcausal.stats.cluster import Cr2, combined, satterthwaite
from cxcausal.stats.cluster_arms import ArmWeights, arm_weights, once, rows_of
from cxcausal.stats.cluster_roots import chunks, rooted, turned
from cxcausal.stats.difference import Difference

CLUSTERS_PER_COLUMN = 10
_FULL = 1 - 1e-9
_CONTRAST = np.array([1.0, -1.0])

Names = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """Two arms' fitted means at the covariates' mean, treated and then control.

    Attributes:
        means: shape (2,).
        fit: their covariance matrix, and the degrees of freedom of their difference.
        share: how much of some coefficient's fit a single cluster decides, at most 1.
        se: of their difference, from differences of scores: what is nothing stays nothing, as nothing cancels.
    """

    means: Array
    fit: Cr2
    share: float
    se: float


@dataclass(frozen=True, kw_only=True)
class _Scored:
    """One regression of p coefficients, with rows that are clusters.

    Attributes:
        coefficients: shape (p,).
        scores: what each cluster adds to the coefficients' error, adjusted as CR2 asks, shape (m, p).
        within, reach: what the degrees of freedom need (see `stats.cluster`), shapes (m,) and (m, p).
        share: the largest eigenvalue of a cluster's hat matrix.
    """

    coefficients: Array
    scores: Array
    within: Array
    reach: Array
    share: float


def lin(sums: ClusterSums, treated: str, control: str) -> Adjusted:
    """Return Lin's interacted regression with CR2: each arm has its own slopes.

    Arms share no column, so the hat matrix of a cluster falls into one block per arm, and a cluster's adjusted score
    is the difference of its arms' scores (Bell & McCaffrey 2002, Pustejovsky & Tipton 2018; see `stats.cluster.cr2`).
    For the population that the clusters were drawn from, the covariates' mean is an estimate too: with D_g = Σ (x − x̄)
    over all units of cluster g, it adds √(G/(G − 1)) (β₁ − β₀)′D_g/n to that score. The two are added before they are
    squared: as separate variances they covered between .85 and 1.00 in simulations where a covariate's mean in the
    cluster matters beside its value, and together .94. Degrees of freedom are Bell and McCaffrey's for the one part
    and G − 1 for the other, weighed by Welch and Satterthwaite's rule; the former for all would cover .99 with few
    treated clusters.

    Args:
        sums: of clusters that may lie within an arm or span several (see `why_not_adjusted`).
        treated: one of the fitted arms.
        control: another, which is subtracted.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> x, e = rng.normal(size=(2, 40))  # clusters of one unit each, the first half of them treated
        >>> sums = ClusterSums(
        ...     arms=("c", "t"), fitted=("c", "t"), columns=("x",), dropped=(), clusters=40, center=0.0,
        ...     cluster=np.arange(40), arm=np.repeat([1, 0], 20), n=np.ones(40), d=(x - x.mean())[:, None],
        ...     gram=((x - x.mean()) ** 2)[:, None, None], y=2 * x + e, cross=((x - x.mean()) * (2 * x + e))[:, None])
        >>> d = difference({("branch",): lin(sums, "t", "c")})
        >>> round(d.point, 3), round(d.se, 3), round(d.df, 1)
        (-0.017, 0.247, 37.0)
    """
    arms = (arm_weights(sums, treated), arm_weights(sums, control))
    fits = [arm.fitted(sums) for arm in arms]
    residual = np.zeros((sums.clusters, 2))
    for place, (arm, (_, scores)) in enumerate(zip(arms, fits, strict=True)):
        residual[sums.cluster[arm.rows], place] = scores
    drawn = _drawn(sums, np.column_stack([coefficients[1:] for coefficients, _ in fits]))
    both = residual + drawn
    df = once(sums, ("df", treated, control), lambda: _residual_df(sums, arms))
    return Adjusted(
        means=sums.center + np.array([coefficients[0] for coefficients, _ in fits]),
        fit=Cr2(covariance=both.T @ both, df=_df(residual, drawn, df)),
        share=max(arm.share for arm in arms),
        se=float(np.linalg.norm(both @ _CONTRAST)),
    )


def common_slopes(sums: ClusterSums, treated: str, control: str) -> Adjusted:
    """Return the regression of two arms that have the same slopes, so that those drop out of the difference.

    Args:
        sums: of clusters that may lie within an arm or span several (see `why_not_adjusted`).
        treated: one of the fitted arms.
        control: another, which is subtracted.
    """
    grams, moments = _side_by_side(sums, treated, control)
    fit = _scored(grams, moments, np.array([1.0, -1.0, *np.zeros(len(sums.columns))]))
    scores = fit.scores[:, :2] + _drawn(sums, fit.coefficients[2:, None])
    return Adjusted(
        means=sums.center + fit.coefficients[:2],
        fit=Cr2(covariance=scores.T @ scores, df=satterthwaite(fit.within, fit.reach)),
        share=fit.share,
        se=float(np.linalg.norm(scores @ _CONTRAST)),
    )


def difference(fits: Mapping[Names, Adjusted]) -> Difference:
    """Return the difference of the adjusted means, over every non-empty subset of the cluster names.

    Several names are combined as `stats.cluster.multiway` says.
    """
    return combined({names: (found.means, found.fit) for names, found in fits.items()})


def why_not_adjusted(by_names: Mapping[Names, ClusterSums], treated: str, control: str) -> str | None:
    """Return why two arms can't be compared with adjustment, or None where they can be tried.

    Args:
        by_names: the sums of every non-empty subset of the cluster names.
        treated: one arm.
        control: the other.

    Example:
        >>> none, rows = np.zeros((40, 0)), np.arange(40)
        >>> sums = ClusterSums(
        ...     arms=("c", "t"), fitted=("c", "t"), columns=tuple("abcdefgh"), dropped=(), clusters=20, center=0.0,
        ...     cluster=rows // 2, arm=rows % 2, n=none, d=none, gram=none, y=none, cross=none)
        >>> why_not_adjusted({("branch",): sums}, "t", "c")
        '8 covariate columns need at least 80 clusters, there are 20'
    """
    first = next(iter(by_names.values()))
    k = len(first.columns)
    if not k:
        return "no covariate varies on its own within the arms"
    if any(not len(sums.cluster) for sums in by_names.values()):
        most = max(sums.clusters for sums in by_names.values())
        return f"{most:,} clusters with {k} covariate columns are more than this version can hold"
    counts = {names[0]: _clusters(sums, treated, control) for names, sums in by_names.items() if len(names) == 1}
    name, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < CLUSTERS_PER_COLUMN * k:
        columns = "1 covariate column needs" if k == 1 else f"{k} covariate columns need"
        of = f" of '{name}'" if len(counts) > 1 else ""
        return f"{columns} at least {CLUSTERS_PER_COLUMN * k} clusters, there are {fewest}{of}"
    small = [arm for arm in (treated, control) if arm not in first.fitted]
    if small:
        per = f"{UNITS_PER_COLUMN} customers with a value per covariate column ({k} of them)"
        return f"fewer than {per} in arm '{small[0]}'"
    return None


def why_not_told(fits: Mapping[Names, Adjusted]) -> str | None:
    """Return why a fit has no spread that can be known, or None where it has."""
    decided = any(found.share > _FULL for found in fits.values())
    return "a single cluster decides a covariate's slope, so its spread is unknown" if decided else None


def _clusters(sums: ClusterSums, treated: str, control: str) -> int:
    rows = np.concatenate([rows_of(sums, arm) for arm in (treated, control)])
    return int(np.count_nonzero(np.bincount(sums.cluster[rows])))


def _side_by_side(sums: ClusterSums, treated: str, control: str) -> tuple[Array, Array]:
    """Return X′X and X′y of every cluster, where X is two arms' indicators and the covariates."""
    k = len(sums.columns)
    grams, moments = np.zeros((sums.clusters, k + 2, k + 2)), np.zeros((sums.clusters, k + 2))
    for place, arm in enumerate((treated, control)):
        rows = rows_of(sums, arm)
        cluster = sums.cluster[rows]
        grams[cluster, place, place] = sums.n[rows]
        grams[cluster, place, 2:] = grams[cluster, 2:, place] = sums.d[rows]
        grams[cluster, 2:, 2:] += sums.gram[rows]
        moments[cluster, place] = sums.y[rows]
        moments[cluster, 2:] += sums.cross[rows]
    return grams, moments


def _drawn(sums: ClusterSums, slopes: Array) -> Array:
    """Return what every cluster adds to the fitted means' error by the covariates' mean, shape (G, columns)."""
    away = once(sums, ("away",), lambda: _away(sums))
    found: Array = away @ slopes * sqrt(sums.clusters / (sums.clusters - 1)) / sums.n.sum()
    return found


def _away(sums: ClusterSums) -> Array:
    """Return Σ d of every cluster over all arms, shape (G, k)."""
    away = np.zeros((sums.clusters, sums.d.shape[1]))
    np.add.at(away, sums.cluster, sums.d)
    return away


def _residual_df(sums: ClusterSums, arms: tuple[ArmWeights, ArmWeights]) -> float:
    """Return Bell and McCaffrey's degrees of freedom of the difference; the arms' columns stand side by side."""
    p = len(arms[0].target)
    within, reach = np.zeros(sums.clusters), np.zeros((sums.clusters, 2 * p))
    for place, arm in enumerate(arms):
        cluster = sums.cluster[arm.rows]
        within[cluster] += np.einsum("mp,mp->m", arm.weights, arm.reach)
        reach[cluster, place * p : (place + 1) * p] = arm.reach @ arm.root.T
    return satterthwaite(within, reach)


def _df(residual: Array, drawn: Array, df: float) -> float:
    """Weigh the degrees of freedom of the difference's two parts."""
    one, two = (float(np.sum((part @ _CONTRAST) ** 2)) for part in (residual, drawn))
    if not one:
        return df
    return (one + two) ** 2 / (one**2 / df + two**2 / (len(drawn) - 1))


def _scored(grams: Array, moments: Array, contrast: Array) -> _Scored:
    """Regress; `grams` are X_g′X_g, shape (m, p, p), and `moments` X_g′y_g, shape (m, p)."""
    root = whiten(grams.sum(axis=0)).root
    coefficients = root.T @ (root @ moments.sum(axis=0))
    left = (moments - grams @ coefficients) @ root.T
    direction = np.broadcast_to(root @ contrast, left.shape)
    adjusted, leaning, reach, share = np.empty_like(left), np.empty_like(left), np.empty_like(left), 0.0
    for rows in chunks(len(grams), root.size):
        inner = turned(root, grams[rows])
        both, most = rooted(inner, np.stack([left[rows], direction[rows]], axis=2))
        adjusted[rows], leaning[rows] = both[:, :, 0], both[:, :, 1]
        reach[rows] = np.einsum("mij,mj->mi", inner, leaning[rows])
        share = max(share, most)
    within = np.einsum("mi,mi->m", leaning, reach)
    return _Scored(coefficients=coefficients, scores=adjusted @ root, within=within, reach=reach, share=share)
