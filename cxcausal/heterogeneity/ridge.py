"""Ridge regression from cross-products, its penalty chosen by generalised cross-validation."""

from collections.abc import Iterable

import numpy as np

from cxcausal.core.rows import Floats

_PENALTIES = 10.0 ** np.arange(-4.0, 4.01, 0.5)
_SMALLEST = 1e-12


def crossed(blocks: Iterable[tuple[Floats, Floats, Floats]]) -> Floats:
    """Return the cross-products of (columns, outcome) under the weights, shape (k + 1, k + 1).

    Args:
        blocks: of units: columns (m, k), outcomes (m,) and weights (m,).
    """
    total: Floats | None = None
    for columns, y, weight in blocks:
        both = np.column_stack([columns, y])
        found = both.T @ (both * weight[:, None])
        total = found if total is None else total + found
    assert total is not None  # noqa: S101 - callers have units
    return total


def ridge(products: Floats, n: int, free: int) -> Floats:
    """Return slopes of the columns, shape (k,): the first `free` without a penalty.

    The penalty makes n·RSS / (n − df)² smallest (Golub, Heath & Wahba 1979, https://doi.org/10.1080/00401706.1979.10489751).

    Args:
        products: as `crossed` returns them.
        n: units behind them.
        free: how many columns are not penalised.

    Example:
        >>> x = np.column_stack([np.ones(50), np.arange(50.0) - 24.5])
        >>> ridge(crossed([(x, 3 + 2 * x[:, 1], np.ones(50))]), 50, 1).round(2).tolist()
        [3.0, 2.0]
    """
    k = len(products) - 1
    own = np.linalg.pinv(products[:free, :free], hermitian=True)
    through = own @ products[:free, free:]
    rest = products[free:, free:] - products[free:, :free] @ through
    found = np.zeros(k)
    if k > free:
        found[free:] = _penalised(rest[:-1, :-1], rest[:-1, -1], float(rest[-1, -1]), n - free)
    found[:free] = through[:, -1] - through[:, :-1] @ found[free:]
    return found


def _penalised(gram: Floats, right: Floats, total: float, n: int) -> Floats:
    scale = np.sqrt(np.maximum(np.diagonal(gram), 0.0))
    flat = scale <= _SMALLEST * max(float(scale.max()), _SMALLEST)
    scale = np.where(flat, 1.0, scale)
    gram, right = gram / np.outer(scale, scale), np.where(flat, 0.0, right / scale)
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0.0)
    turned = vectors.T @ right

    def lost(penalty: float) -> float:
        shrunk = values + penalty
        rss = total - np.sum(turned**2 / shrunk * (2 - values / shrunk))
        left = n - np.sum(values / shrunk)
        return float(n * max(rss, 0.0) / left**2) if left > 0.05 * n else np.inf

    best = min(_PENALTIES, key=lost)
    return np.asarray(vectors @ (turned / (values + best)) / scale)
