"""Folds: hashed from ids, so that neither the order of rows nor new rows move a unit, and whole by cluster."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import Keys, mixed

Places = npt.NDArray[np.int16]
MOST_TOGETHER = 0.2
"""Of all units: where chains of clusters hang together to more than this, folds are grouped by the first name alone."""


def folds_of(keys: Keys, folds: int, *, seed: int, repeat: int) -> Places:
    """Return the fold of every key, shape (n,), from 0 to `folds` − 1.

    Args:
        keys: 64-bit hashes; equal keys fall into one fold.
        folds: how many.
        seed: of the plan.
        repeat: which split this is.

    Example:
        >>> keys = np.arange(6, dtype=np.uint64)
        >>> bool((folds_of(keys, 2, seed=1, repeat=0) == folds_of(keys[::-1], 2, seed=1, repeat=0)[::-1]).all())
        True
    """
    return (mixed(keys, seed, repeat) % np.uint64(folds)).astype(np.int16)


def group_keys(unit: Keys, clusters: Mapping[str, Keys], keys: Mapping[str, Keys]) -> Keys:
    """Return per unit the key that folds are hashed from: its own, its cluster's, or that of its chain of clusters.

    `clusters` tell who belongs together, and `keys` what their folds are hashed from, where that is something else.

    Units that are linked through any cluster fall together, unless the largest such chain holds more than
    `MOST_TOGETHER` of all units; then the first name alone counts.
    """
    if not clusters:
        return unit
    name, first = next(iter(clusters.items()))
    first = keys.get(name, first)
    if len(clusters) == 1:
        return first
    chain = _chains(tuple(clusters.values()))
    sizes = np.bincount(chain)
    if sizes.max() > MOST_TOGETHER * len(unit):
        return first
    lowest = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lowest, chain, first)
    return np.asarray(lowest[chain])


def _chains(clusters: tuple[Keys, ...]) -> npt.NDArray[np.int32]:
    """Return the connected component of every unit, where units of one cluster are connected."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - only where several clusters are named
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    n, rows, columns = len(clusters[0]), [], []
    offset = n
    for keys in clusters:
        _, places = np.unique(keys, return_inverse=True)
        rows.append(np.arange(n))
        columns.append(places + offset)
        offset += int(places.max()) + 1
    links = (np.ones(n * len(clusters), dtype=np.int8), (np.concatenate(rows), np.concatenate(columns)))
    _, found = connected_components(coo_array(links, shape=(offset, offset)), directed=False)
    return np.asarray(found[:n], dtype=np.int32)
