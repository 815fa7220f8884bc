"""Inference on scores: variances of means from influence functions, robust to clusters, with degrees of freedom."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


def covariance_of(phi: Array, clusters: Mapping[str, Keys]) -> Array:
    """Return the covariance matrix of means whose centred influence functions are given, shape (k, k).

    Units in one cluster may depend on one another; of several names, in any of them (Cameron, Gelbach & Miller 2011,
    https://doi.org/10.1198/jbes.2010.07136). Each cluster's sum is divided by √(1 − its share of units), which is CR2
    for a mean (Bell & McCaffrey 2002).

    Args:
        phi: shape (n, k), each column of mean zero.
        clusters: name → keys, shape (n,); empty where units are independent.

    Example:
        >>> phi = np.array([[1.0], [1.0], [-1.0], [-1.0]])
        >>> found = covariance_of(phi, {}), covariance_of(phi, {"h": np.array([1, 1, 2, 2], np.uint64)})
        >>> [round(float(matrix[0, 0]), 4) for matrix in found]
        [0.3333, 1.0]
    """
    n = len(phi)
    if not clusters:
        return np.asarray(phi.T @ phi / (n * (n - 1)))
    total = np.zeros((phi.shape[1], phi.shape[1]))
    for size in range(1, len(clusters) + 1):
        for names in combinations(clusters, size):
            total += (-1) ** (size + 1) * _between(phi, codes_of([clusters[name] for name in names]))
    return _positive(total)


def degrees_of_freedom(phi: Array, arm: npt.NDArray[np.int8], weight: Array, clusters: Mapping[str, Keys]) -> float:
    """Return the degrees of freedom of a difference's variance.

    Without clusters Welch–Satterthwaite over the arms, each arm with Kish's effective sample size of its weights. With
    clusters that of the mean of the clusters' sums, each cluster weighed by its share of the variance
    (Bell & McCaffrey 2002, with heteroscedastic working variances); of several names the fewest.

    Args:
        phi: influence function of the difference, shape (n,).
        arm: place of each unit's arm, shape (n,).
        weight: of each unit in its arm's mean, shape (n,).
        clusters: name → keys.
    """
    square = phi**2
    if clusters:
        return min(
            _cluster_df(np.bincount(codes_of([keys]), weights=square).astype(np.float64)) for keys in clusters.values()
        )
    parts = np.bincount(arm, weights=square)
    sizes = np.bincount(arm, weights=weight) ** 2 / np.maximum(np.bincount(arm, weights=weight**2), 1e-300)
    told = parts > 0
    if not told.any():
        return float(len(phi) - 1)
    shares = parts[told] / parts[told].sum()
    return float(1 / np.sum(shares**2 / np.maximum(sizes[told] - 1, 1.0)))


def effective_size(weight: Array) -> float:
    """Return Kish's effective sample size, (Σw)² / Σw².

    Example:
        >>> effective_size(np.array([1.0, 1.0, 0.0])), effective_size(np.zeros(2))
        (2.0, 0.0)
    """
    squares = float(np.sum(weight**2))
    return float(np.sum(weight)) ** 2 / squares if squares > 0 else 0.0


def codes_of(keys: list[Keys]) -> npt.NDArray[np.int64]:
    """Return one code from 0 per combination of keys, shape (n,)."""
    code = np.unique(keys[0], return_inverse=True)[1].astype(np.int64)
    for more in keys[1:]:
        other = np.unique(more, return_inverse=True)[1].astype(np.int64)
        code = np.unique(code * (int(other.max()) + 1) + other, return_inverse=True)[1].astype(np.int64)
    return code


def sums_within(phi: Array, codes: npt.NDArray[np.int64]) -> Array:
    """Return the sums of each column within codes, shape (codes, k)."""
    return np.column_stack([np.bincount(codes, weights=column) for column in phi.T])


def median_over_repeats(points: Array, variances: Array) -> tuple[float, float, int]:
    """Return the median effect of several splits, its variance, and the split that is nearest to it.

    The variance is the median of each split's own plus its squared distance from the median (Chernozhukov et al. 2018,
    https://doi.org/10.1111/ectj.12097, definition 3.3).

    Example:
        >>> median_over_repeats(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0]))
        (2.0, 2.0, 1)
    """
    point = float(np.median(points))
    variance = float(np.median(variances + (points - point) ** 2))
    return point, variance, int(np.argmin(np.abs(points - point)))


def weights_of_median(points: Sequence[float]) -> tuple[float, ...]:
    """Return weights that sum to one, under which the mean of some numbers is their median.

    Example:
        >>> weights_of_median([3.0, 1.0, 2.0]), weights_of_median([4.0, 1.0, 2.0, 9.0])
        ((0.0, 0.0, 1.0), (0.5, 0.0, 0.5, 0.0))
    """
    order = sorted(range(len(points)), key=lambda place: (points[place], place))
    middle = {order[(len(points) - 1) // 2], order[len(points) // 2]}
    return tuple(1 / len(middle) if place in middle else 0.0 for place in range(len(points)))


def _between(phi: Array, codes: npt.NDArray[np.int64]) -> Array:
    n = len(phi)
    share = np.bincount(codes) / n
    sums = sums_within(phi, codes) / np.sqrt(np.maximum(1 - share, 1e-12))[:, None]
    return np.asarray(sums.T @ sums / n**2)


def _cluster_df(variance: Array) -> float:
    """Return the degrees of freedom of a sum over clusters with these shares of the variance: G − 1 where all equal."""
    total = float(variance.sum())
    if total <= 0 or len(variance) < 2:  # noqa: PLR2004 - nothing varies, or there is one cluster
        return 1.0
    share = variance / total
    lever = share**2 / np.maximum(1 - share, 1e-12)
    return max(1.0, float(1 / (np.sum(share**2) + lever.sum() ** 2 - np.sum(lever**2))))


def _positive(matrix: Array) -> Array:
    """Return the nearest matrix without negative variances; inclusion and exclusion may leave some."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.clip(values, 0, None)) @ vectors.T)
