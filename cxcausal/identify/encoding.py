"""Columns of any kind as numbers, as tests of independence want them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MOST_LEVELS = 12
"""Values of a text beyond so many are taken together: each costs a column."""


def encoded(columns: Mapping[str, npt.NDArray[Any]]) -> tuple[tuple[str, ...], Array]:
    """Return columns of numbers or texts as one matrix, and the name that each of its columns belongs to.

    A text is one 0/1 column per value but the most frequent; None and nan are missing, and stay nan.

    Args:
        columns: by name, each of shape (n,).

    Example:
        >>> tier = np.array(["a", "b", "a", None], dtype=object)
        >>> names, rows = encoded({"tier": tier, "age": np.array([1, 2, 3, 4])})
        >>> names, rows.T.tolist()
        (('tier', 'age'), [[0.0, 1.0, 0.0, nan], [1.0, 2.0, 3.0, 4.0]])
    """
    parts = [(name, part) for name, values in columns.items() for part in _parts(np.asarray(values))]
    rows = max((len(values) for values in columns.values()), default=0)
    matrix = np.column_stack([part for _, part in parts]) if parts else np.empty((rows, 0))
    return tuple(name for name, _ in parts), matrix.astype(np.float64)


def _parts(values: npt.NDArray[Any]) -> list[Array]:
    if values.dtype.kind in "fiub":
        return [values.astype(np.float64)]
    missing = np.array([value is None or value != value for value in values], dtype=bool)  # noqa: PLR0124 - nan
    texts = np.array(["" if gone else str(value) for value, gone in zip(values, missing, strict=True)])
    levels, counts = np.unique(texts[~missing], return_counts=True)
    common = levels[np.argsort(-counts, kind="stable")]
    kept = common[1 : MOST_LEVELS - 1] if len(common) > MOST_LEVELS else common[1:]
    flags = [texts == level for level in kept]
    if len(common) > MOST_LEVELS:
        flags.append(np.isin(texts, common[MOST_LEVELS - 1 :]))
    return [np.where(missing, np.nan, flag) for flag in flags] or [np.where(missing, np.nan, 0.0)]
