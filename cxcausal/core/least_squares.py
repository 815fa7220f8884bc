"""Least squares from centred cross-products: which columns can be kept, slopes, and leverage as a sum of squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import Array

DEPENDENT = 1e-9
"""A column is dropped where less than this share of its variation is its own."""


@dataclass(frozen=True, kw_only=True)
class Whitened:
    """A lower-triangular W, shape (k, k), with W′W the inverse of a centred Gram matrix.

    A unit at distance d from its group's mean has the leverage 1/n + ‖W d‖².
    """

    root: Array

    def solve(self, cross: Array) -> Array:
        """Return the inverse Gram matrix times `cross`, shape (k,) or (k, m): slopes, where these are Σ d·y."""
        found: Array = self.root.T @ (self.root @ cross)
        return found


def independent(grams: Sequence[Array], usable: Sequence[bool]) -> tuple[int, ...]:
    """Return the columns that are no linear combination of earlier kept ones in any of the groups, in their order.

    Args:
        grams: one centred Gram matrix per group, shape (k, k).
        usable: per column, whether it may be kept at all.

    Example:
        >>> independent([np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 3.0]])], [True, True, True])
        (0, 2)
    """
    kept: list[int] = []
    for column, allowed in enumerate(usable):
        if allowed and all(_own_share(gram, kept, column) > DEPENDENT for gram in grams):
            kept.append(column)
    return tuple(kept)


def whiten(gram: Array) -> Whitened:
    """Return the whitening of a positive-definite Gram matrix, scaled first so that units of columns don't matter.

    Example:
        >>> whiten(np.array([[4.0]])).solve(np.array([2.0])).tolist()
        [0.5]
    """
    scale = np.sqrt(np.diag(gram))
    factor = np.linalg.cholesky(gram / np.outer(scale, scale))
    return Whitened(root=np.linalg.inv(factor) / scale)


def _own_share(gram: Array, kept: Sequence[int], column: int) -> float:
    """Return the share of a column's variation that the kept columns do not explain."""
    own = float(gram[column, column])
    if not own > 0:
        return 0.0
    if not kept:
        return 1.0
    whitened = whiten(gram[np.ix_(kept, kept)])
    return 1 - float(np.sum((whitened.root @ gram[list(kept), column]) ** 2)) / own
