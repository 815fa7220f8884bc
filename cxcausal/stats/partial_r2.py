"""Partial R² of groups of columns in a linear regression, all of them from one matrix of cross-products."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_RIDGE = 1e-11
"""Of each column's own sum of squares: so little that it is seen only where columns are copies of one another."""


def partial_r2(columns: Array, y: Array, groups: Sequence[Sequence[int]], weight: Array | None = None) -> list[float]:
    """Return each group's share of the variation of y that is left by a constant and all other columns.

    Leaving a group out raises the squared residuals by b′(A⁻¹)⁻¹b, where b are its slopes and A⁻¹ its block of the
    inverse cross-products, so that nothing is fitted again.

    Args:
        columns: shape (n, p).
        y: shape (n,).
        groups: places of columns.
        weight: of each unit, shape (n,); None where all weigh the same.

    Example:
        >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
        >>> [round(each, 6) for each in partial_r2(x, x @ [1.0, 0.0] + [0.0, 0.0, 0.0, 1.0], [[0], [1]])]
        [0.961538, 0.166667]
    """
    root = np.ones(len(y)) if weight is None else np.sqrt(weight / weight.mean())
    both = np.column_stack([columns, y])
    both = (both - np.average(both, axis=0, weights=root**2)) * root[:, None]
    scale = np.sqrt((both**2).sum(axis=0))
    scale[scale == 0] = 1.0
    products = (both / scale).T @ (both / scale)
    inner = products[:-1, :-1] + _RIDGE * np.eye(columns.shape[1])
    inverse = np.linalg.inv(inner)
    slopes = inverse @ products[:-1, -1]
    left = max(float(products[-1, -1] - slopes @ products[:-1, -1]), 0.0)
    return [_share(inverse, slopes, list(group), left) for group in groups]


def _share(inverse: Array, slopes: Array, group: list[int], left: float) -> float:
    own = slopes[group]
    gained = float(own @ np.linalg.solve(inverse[np.ix_(group, group)], own))
    return gained / (gained + left) if gained + left > 0 else 0.0
