"""What CR2 needs of one arm's covariates, worked out once for all measures of the same units."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Array, ClusterSums
from cxcausal.core.least_squares import whiten
from cxcausal.stats.cluster_roots import SINGULAR, chunks, rooted, turned

T = TypeVar("T")
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ArmWeights:
    """One arm's regression on p columns, a constant and the covariates less the arm's means, before any measure.

    With X_g the rows of a cluster, r_g its residuals and c the fitted mean at the covariates' mean over all arms,
    the cluster's adjusted score of c is weights_g′X_g′r_g, as CR2's root is symmetric.

    Attributes:
        rows: the arm's places among the sums, m of them.
        own: the covariates' means, shape (p − 1,).
        target: c is this times the coefficients, shape (p,).
        root: whitens X′X, shape (p, p).
        weights: shape (m, p); reach: X_g′X_g times them, shape (m, p).
        share: the largest eigenvalue of a cluster's hat matrix, or a bound of it below 1.
    """

    rows: Places
    own: Array
    target: Array
    root: Array
    weights: Array
    reach: Array
    share: float

    def fitted(self, sums: ClusterSums) -> tuple[Array, Array]:
        """Return a measure's coefficients, shape (p,), of which the first is c, and the scores of c, shape (m,)."""
        y = sums.y[self.rows]
        moments = np.column_stack([y, sums.cross[self.rows] - self.own * y[:, None]])
        coefficients = self.root.T @ (self.root @ moments.sum(axis=0))
        scores = np.einsum("mp,mp->m", self.weights, moments) - self.reach @ coefficients
        return np.array([coefficients @ self.target, *coefficients[1:]]), scores


def once(sums: ClusterSums, what: tuple[str, ...], make: Callable[[], T]) -> T:
    """Return what depends on no measure, made at most once for all sums that have the same arrays of covariates.

    The arrays are kept beside what was made, so that none of them can go and another take its identity.
    """
    arrays = (sums.n, sums.d, sums.gram, sums.cluster, sums.arm)
    key = (what, sums.arms, sums.clusters, *map(id, arrays))
    if key not in sums.memo:
        sums.memo[key] = (arrays, make())
    return cast("T", sums.memo[key][1])


def arm_weights(sums: ClusterSums, arm: str) -> ArmWeights:
    """Return one fitted arm's weights."""
    return once(sums, ("weights", arm), lambda: _weighed(sums, arm))


def rows_of(sums: ClusterSums, arm: str) -> Places:
    """Return the places of an arm's rows."""
    return np.flatnonzero(sums.arm == sums.arms.index(arm)) if arm in sums.arms else np.zeros(0, dtype=np.intp)


def _weighed(sums: ClusterSums, arm: str) -> ArmWeights:
    rows = rows_of(sums, arm)
    n, d = sums.n[rows], sums.d[rows]
    own = d.sum(axis=0) / n.sum()
    columns = np.column_stack([n, d - n[:, None] * own])
    alone = n == 1
    several = np.flatnonzero(~alone)
    grams = _about(own, columns[several], d[several], sums.gram[rows[several]])
    root, target = whiten(columns[alone].T @ columns[alone] + grams.sum(axis=0)).root, np.array([1.0, *-own])
    weights, reach, share = np.empty_like(columns), np.empty_like(columns), 0.0
    weights[alone], reach[alone], single = _of_one(root, target, columns[alone])
    for own_rows in chunks(len(several), root.size):
        part = several[own_rows]
        weights[part], reach[part], most = _of_several(root, target, grams[own_rows])
        share = max(share, most)
    return ArmWeights(
        rows=rows, own=own, target=target, root=root, weights=weights, reach=reach, share=max(share, single)
    )


def _about(own: Array, columns: Array, d: Array, gram: Array) -> Array:
    """Return X_g′X_g of every cluster, shape (m, p, p), from sums about another center."""
    away = columns[:, 1:]
    grams = np.empty((len(columns), columns.shape[1], columns.shape[1]))
    grams[:, 0, :], grams[:, 1:, 0] = columns, away
    grams[:, 1:, 1:] = gram - own[:, None] * away[:, None, :] - d[:, :, None] * own
    return grams


def _of_several(root: Array, target: Array, grams: Array) -> tuple[Array, Array, float]:
    """Return the weights, what they reach, and the largest share, of clusters of any size."""
    direction = np.broadcast_to((root @ target)[:, None], (len(grams), len(target), 1))
    both, share = rooted(turned(root, grams), direction)
    weights = both[:, :, 0] @ root
    return weights, np.einsum("mij,mj->mi", grams, weights), share


def _of_one(root: Array, target: Array, x: Array) -> tuple[Array, Array, float]:
    """Return the same where clusters are single units: with leverage h, (I − M)^−½ is I + aa′/(s + s²), s² = 1 − h."""
    a, direction = x @ root.T, root @ target
    leverage = np.einsum("mp,mp->m", a, a)
    usable = leverage < 1 - SINGULAR
    left = np.sqrt(np.where(usable, 1 - leverage, 1.0))
    factor = np.where(usable, 1 / (left * (1 + left)), -1 / np.where(usable, 1.0, leverage))
    weights = (direction + a * (factor * (a @ direction))[:, None]) @ root
    reach = x * np.einsum("mp,mp->m", x, weights)[:, None]
    return weights, reach, float(leverage.max(initial=0.0))
