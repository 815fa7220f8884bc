"""Falsification: are the pairs that a graph calls unrelated unrelated in the data?"""

from collections.abc import Sequence
from itertools import accumulate
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.falsified import Falsified, Independence, Relation
from cxcausal.identify.implied import implied_by

Array = npt.NDArray[np.float64]
MOST_TESTED = 100
MOST_ROWS = 5_000
_ROWS_PER_TERM = 20
_FLAT = 1e-9


def falsify(
    graph: CausalGraph, names: Sequence[str], rows: Array, rng: np.random.Generator, *, alpha: float = 0.05
) -> Falsified:
    """Test what a graph implies on a sample of rows.

    Each pair is tested by the generalised covariance measure (Shah & Peters 2020,
    https://doi.org/10.1214/19-AOS1857): both are regressed on what is held fixed, its squares and products, and the
    products of the residuals must have mean zero. A pair of several columns counts by its worst, times their number.

    Args:
        graph: with names of columns.
        names: the column's name for each column of `rows`; the columns of a text, one per value, share its name.
        rows: shape (n, len(names)); rows with a missing value (nan) among the columns of a test don't count in it.
        rng: draws the sample, where there are more rows than `MOST_ROWS`.
        alpha: the chance of any false alarm.
    """
    taken = np.sort(rng.choice(len(rows), MOST_ROWS, replace=False)) if len(rows) > MOST_ROWS else slice(None)
    sample = np.asarray(rows, dtype=np.float64)[taken]
    columns = {name: np.flatnonzero([other == name for other in names]) for name in names}
    implied = implied_by(graph, list(columns), MOST_TESTED)
    found = [(item, _relation(sample, columns, item)) for item in implied]
    known = [(item, relation) for item, relation in found if relation is not None]
    return Falsified(tested=_judged(known, alpha), untested=len(found) - len(known), rows=len(sample))


def _judged(known: list[tuple[Independence, tuple[float, float]]], alpha: float) -> tuple[Relation, ...]:
    """Adjust by Holm (1979, https://www.jstor.org/stable/4615733)."""
    ordered = sorted(known, key=lambda item: item[1][1])
    steps = [min(1.0, p * (len(ordered) - at)) for at, (_, (_, p)) in enumerate(ordered)]
    adjusted = list(accumulate(steps, max))
    return tuple(
        Relation(implied=item, correlation=size, p=p, p_adjusted=told, violated=told <= alpha)
        for (item, (size, p)), told in zip(ordered, adjusted, strict=True)
    )


def _relation(
    sample: Array, columns: dict[str, npt.NDArray[np.intp]], item: Independence
) -> tuple[float, float] | None:
    """Return correlation and p of the most related pair of columns; None where nothing can be tested."""
    given = np.concatenate([columns[name] for name in item.given]) if item.given else np.empty(0, dtype=np.intp)
    ends = columns[item.one], columns[item.other]
    used = sample[~np.isnan(sample[:, np.concatenate([*ends, given])]).any(axis=1)]
    terms = _terms(used[:, given])
    if terms is None:
        return None
    left = [_residuals(terms, used[:, end]) for end in ends]
    pairs = [_covariance(one, other) for one in left[0].T for other in left[1].T]
    known = [pair for pair in pairs if pair is not None]
    if not known:
        return None
    size, p = min(known, key=lambda pair: pair[1])
    return size, min(1.0, p * len(known))


def _terms(given: Array) -> Array | None:
    """Return a constant, what is held fixed, its squares and products: as far as the rows allow; None for too few."""
    n, k = given.shape
    spread = given.std(axis=0) if n else np.zeros(k)
    scaled = (given - given.mean(axis=0))[:, spread > 0] / spread[spread > 0] if n else given
    k = scaled.shape[1]
    products = [scaled[:, i] * scaled[:, j] for i in range(k) for j in range(i, k)]
    for more in (products, [column**2 for column in scaled.T], []):
        if n >= _ROWS_PER_TERM * (1 + k + len(more)):
            return np.column_stack([np.ones(n), scaled, *more])
    return None


def _residuals(terms: Array, ends: Array) -> Array:
    slopes, *_ = np.linalg.lstsq(terms, ends, rcond=None)
    left: Array = ends - terms @ slopes
    return np.where(left.std(axis=0) > _FLAT * (1 + np.abs(ends).max(axis=0)), left, 0.0)


def _covariance(one: Array, other: Array) -> tuple[float, float] | None:
    """Return the correlation of two residuals, and the p-value of their mean product; None where one is flat."""
    products = one * other
    spread, scale = float(products.std()), float(one.std() * other.std())
    if spread == 0 or scale == 0:
        return None
    z = sqrt(len(products)) * float(products.mean()) / spread
    return float(products.mean()) / scale, erfc(abs(z) / sqrt(2))
