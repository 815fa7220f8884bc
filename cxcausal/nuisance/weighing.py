"""Losses out of fold, and the convex weights of a stack that make one smallest."""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from cxcausal.core.rows import Floats

_SMALLEST, _SWEEPS = 1e-12, 20


def squared_error(predicted: Floats, y: Floats, weight: Floats | None = None) -> float:
    """Return the mean squared error."""
    return float(np.average((y - predicted) ** 2, weights=weight))


def log_loss(probability: Floats, weight: Floats | None = None) -> float:
    """Return the mean of minus the logarithm of the probability of what happened."""
    return float(-np.average(np.log(np.maximum(probability, _SMALLEST)), weights=weight))


def convex_weights(loss: Callable[[Floats], float], members: int) -> Floats:
    """Return the weights, non-negative and summing to 1, that make a convex loss smallest, shape (members,).

    Example:
        >>> convex_weights(lambda w: float((w[0] - 0.25) ** 2), 2).round(4).tolist()
        [0.25, 0.75]
    """
    weights = np.full(members, 1 / members)
    pairs = list(combinations(range(members), 2))
    for _ in range(1 if len(pairs) == 1 else _SWEEPS):
        for one, two in pairs:
            weights = _shared(loss, weights, one, two)
    return weights


def _shared(loss: Callable[[Floats], float], weights: Floats, one: int, two: int) -> Floats:
    """Return the weights with those of two members shared out between them as is best."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - heavy

    both = weights[one] + weights[two]

    def mix(share: float) -> Floats:
        found = weights.copy()
        found[one], found[two] = share * both, (1 - share) * both
        return found

    inner = float(minimize_scalar(lambda share: loss(mix(share)), bounds=(0.0, 1.0), method="bounded").x)
    return mix(min((0.0, inner, 1.0), key=lambda share: loss(mix(share))))
