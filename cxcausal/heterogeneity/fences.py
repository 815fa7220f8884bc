"""Fences: how far out a number may count, so that one customer's value moves nobody else's prediction."""

import numpy as np

from cxcausal.core.rows import Floats
from cxcausal.nuisance.features import FEWEST_OF_LEVEL, Features

_REACH = 1.0
"""Times the way from the median to where the outermost `FEWEST_OF_LEVEL` units begin, beyond that."""


def fences_of(features: Features) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value that counts in every column, each of shape (p,); levels have no fences.

    What fewer than `FEWEST_OF_LEVEL` units reach says nothing of its own, as with levels. Fences are the same of values
    that were held within them.

    Example:
        >>> from cxcausal.nuisance.features import Column
        >>> ages = np.append(np.arange(99.0), 1e9)[:, None]
        >>> low, high = fences_of(Features(matrix=ages, columns=(Column(covariate="age"),)))
        >>> low.tolist(), high.tolist()
        ([-11.5], [110.5])
    """
    low, high = np.full(len(features.columns), -np.inf), np.full(len(features.columns), np.inf)
    for place, column in enumerate(features.columns):
        if not column.level:
            low[place], high[place] = _fences(features.matrix[:, place])
    return low, high


def _fences(values: Floats) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    few = min(FEWEST_OF_LEVEL, -(-known.size // 2))
    if not few:
        return -np.inf, np.inf
    ordered = np.partition(known, (few - 1, known.size - few))
    start, end, middle = float(ordered[few - 1]), float(ordered[known.size - few]), float(np.median(known))
    return start - _REACH * (middle - start), end + _REACH * (end - middle)


def fenced(features: Features) -> Features:
    """Return the same with every number held within its fences; themselves where all are."""
    low, high = fences_of(features)
    with np.errstate(invalid="ignore"):
        if not ((features.matrix < low) | (features.matrix > high)).any():
            return features
    return Features(matrix=np.asfortranarray(np.clip(features.matrix, low, high)), columns=features.columns)
