"""Losses out of fold, and the convex weights of a stack that make one smallest."""

from collections.abc import Callable
from itertools import chain, combinations

import numpy as np

from cxcausal.core.rows import Floats

_SMALLEST, _RIDGE, _SWEEPS, _CLOSE = 1e-12, 1e-10, 20, 1e-4


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
        before = weights
        for one, two in pairs:
            weights = _shared(loss, weights, one, two)
        if np.abs(weights - before).max() < _CLOSE:
            break
    return weights


def least_squares_weights(made: Floats, y: Floats, weight: Floats | None = None) -> Floats:
    """Return the convex weights that make the mean squared error smallest, shape (members,), exactly.

    Args:
        made: predictions, shape (members, n).
        y: shape (n,).
        weight: of each unit, shape (n,), or None.

    Example:
        >>> made = np.array([[0.0, 0.0, 2.0], [1.0, 3.0, 2.0], [9.0, 9.0, 9.0]])
        >>> least_squares_weights(made, np.array([0.5, 1.5, 2.0])).round(4).tolist()
        [0.5, 0.5, 0.0]
    """
    off = made - y
    products = (off if weight is None else off * weight) @ off.T
    members = range(len(made))
    kept = chain.from_iterable(combinations(members, many) for many in range(1, len(made) + 1))
    found = [weights for each in kept if (weights := _among(products, each)) is not None]
    return min(found, key=lambda weights: float(weights @ products @ weights))


def _among(products: Floats, kept: tuple[int, ...]) -> Floats | None:
    """Return the best weights of some members that sum to 1, the others' at 0; None where one isn't positive."""
    own = products[np.ix_(kept, kept)]
    # Members that together miss nothing make the products singular: a ridge far below any error leaves their mixture.
    inner = np.linalg.solve(own + max(_RIDGE * np.trace(own), _SMALLEST) * np.eye(len(kept)), np.ones(len(kept)))
    if inner.min() <= 0:
        return None
    weights = np.zeros(len(products))
    weights[list(kept)] = inner / inner.sum()
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
