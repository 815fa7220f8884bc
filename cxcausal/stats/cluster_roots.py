"""The root that CR2 takes of every cluster: (I − M)^−½ times vectors, for many small matrices at once."""

from collections.abc import Iterator

import numpy as np

from cxcausal.core.answers import Array

AT_ONCE = 2_000_000
"""Numbers of one array of matrices that are worked on at a time."""
SINGULAR = 1e-10
"""A cluster that leaves less of a direction than this to all others gets a pseudo-inverse."""
_PACES = (0.001, 0.01, 0.1)
_NEGLIGIBLE = 1e-17


def chunks(rows: int, numbers: int) -> Iterator[slice]:
    """Yield slices of as many rows as can be worked on at a time, each with so many numbers.

    Example:
        >>> list(chunks(3, AT_ONCE // 2))
        [slice(0, 3, None)]
    """
    size = AT_ONCE // numbers + 1
    return (slice(start, start + size) for start in range(0, rows, size))


def turned(root: Array, grams: Array) -> Array:
    """Return root · gram · root′ of every symmetric matrix, shape (m, p, p), as two products of whole arrays."""
    m, p, _ = grams.shape
    half = (grams.reshape(m * p, p) @ root.T).reshape(m, p, p)
    found: Array = (half.transpose(0, 2, 1).reshape(m * p, p) @ root.T).reshape(m, p, p)
    return found


def rooted(inner: Array, vectors: Array) -> tuple[Array, float]:
    """Return (I − M)^−½ times the vectors, shape (m, p, q), and the largest eigenvalue of any M (or a bound below 1).

    Small matrices need no eigenvalues: Σ (2j − 1)!!/(2j)!! M^j converges at the pace of their trace.

    Args:
        inner: M, shape (m, p, p), with eigenvalues from 0 to 1.
        vectors: shape (m, p, q).

    Example:
        >>> found, most = rooted(np.array([[[0.75]]]), np.array([[[1.0]]]))
        >>> found.item(), most
        (2.0, 0.75)
    """
    traces = np.einsum("mii->m", inner)
    pace = np.searchsorted(_PACES, traces)
    found = np.empty_like(vectors)
    for place in range(len(_PACES)):
        own = pace == place
        found[own] = _by_series(inner[own], vectors[own])
    large = pace == len(_PACES)
    values, bases = np.linalg.eigh(inner[large])
    usable = values < 1 - SINGULAR
    powers = np.where(usable, 1 / np.sqrt(np.where(usable, 1 - values, 1.0)), 0.0)
    found[large] = bases @ (powers[:, :, None] * (bases.transpose(0, 2, 1) @ vectors[large]))
    return found, float(values.max(initial=_PACES[-1]))


def _by_series(inner: Array, vectors: Array) -> Array:
    pace = float(np.einsum("mii->m", inner).max(initial=0.0))
    term, size, j = vectors, pace, 0
    total = vectors
    while size > _NEGLIGIBLE:
        j += 1
        term = (2 * j - 1) / (2 * j) * (inner @ term)
        total, size = total + term, size * pace
    return total
