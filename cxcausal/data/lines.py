"""From exact cross-products to the lines that are fitted: which columns are kept, and each arm's slopes and weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import UNITS_PER_COLUMN, Array
from cxcausal.core.least_squares import independent, whiten

Places = npt.NDArray[np.intp]
_PAIR = 2
_RARE = 2
"""A 0/1 column needs so many units of either kind in every arm: a single one would fit itself."""


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What the first pass knows of one arm in one group, for k covariate columns and m components of measures.

    Attributes:
        n: units that count.
        mean: shape (k + m,), the covariates' means and then the components'.
        gram: centred cross-products of the covariates, shape (k, k); cross: of covariates and components, (k, m).
    """

    n: int
    mean: Array
    gram: Array
    cross: Array


@dataclass(frozen=True, kw_only=True)
class Line:
    """One arm's fits on the kept columns, for m components of measures.

    With d a unit's distance from `center`, its leverage is 1/n + ‖root · d‖², its weight in the adjusted mean
    1/n + direction · d, and its residual y − mean − slopes′d.

    Attributes:
        n: units that count.
        center: the arm's mean of the columns, shape (k,).
        means: of the components, shape (m,); adjusted: at the mean of all arms.
        slopes: shape (k, m).
        root: shape (k, k), lower triangular. direction: shape (k,).
    """

    n: int
    center: Array
    means: Array
    adjusted: Array
    slopes: Array
    root: Array
    direction: Array


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One group: how many units it has, the columns kept, their covariance matrix, and the arms' lines."""

    n: int
    kept: tuple[int, ...]
    covariance: Array
    lines: Mapping[str, Line]


def spread_of(
    arms: Mapping[str, Sums],
    binary: Sequence[bool],
    *,
    common: bool = False,
    everybody: Mapping[str, Sums] | None = None,
) -> Spread:
    """Choose the columns of one group and fit every arm that is large enough for them.

    A column stays if it varies on its own in every arm that can be fitted, so that all arms have the same columns.

    Args:
        arms: at least one; two for common slopes.
        binary: per column, whether it was made to hold 0 and 1.
        common: whether both arms have the same slopes.
        everybody: where the units of `arms` are only those with a value, the sums of all; the center is theirs.
    """
    everybody = arms if everybody is None else everybody
    within = np.sum([arm.gram for arm in arms.values()], axis=0)
    kept = independent([within], [True] * len(binary))
    large = {name: arm for name, arm in arms.items() if arm.n >= UNITS_PER_COLUMN * len(kept)}
    usable = [
        at in kept and not any(is_binary and _is_rare(arm, at) for arm in large.values())
        for at, is_binary in enumerate(binary)
    ]
    kept = independent([arm.gram for arm in large.values()], usable) if large else kept
    places = np.array(kept, dtype=np.intp)
    lines = _lines(_center(everybody, places), large, places, common=common) if kept else {}
    return _spread(everybody, places, lines)


def _lines(center: Array, large: Mapping[str, Sums], kept: Places, *, common: bool) -> dict[str, Line]:
    if not common:
        return {name: _line(arm, arm, kept, center, center - arm.mean[kept]) for name, arm in large.items()}
    if len(large) < _PAIR:
        return {}
    (one, treated), (two, control) = large.items()
    both = Sums(
        n=treated.n + control.n, mean=center, gram=treated.gram + control.gram, cross=treated.cross + control.cross
    )
    apart = control.mean[kept] - treated.mean[kept]
    return {one: _line(treated, both, kept, center, apart), two: _line(control, both, kept, center, -apart)}


def _center(arms: Mapping[str, Sums], kept: Places) -> Array:
    """Return the columns' mean over all arms."""
    total: Array = np.sum([arm.n * arm.mean[kept] for arm in arms.values()], axis=0)
    return total / sum(arm.n for arm in arms.values())


def _spread(arms: Mapping[str, Sums], kept: Places, lines: Mapping[str, Line]) -> Spread:
    n = sum(arm.n for arm in arms.values())
    center = _center(arms, kept)
    away = np.array([arm.mean[kept] - center for arm in arms.values()])
    counts = np.array([arm.n for arm in arms.values()], dtype=np.float64)
    within = np.sum([arm.gram[np.ix_(kept, kept)] for arm in arms.values()], axis=0)
    return Spread(
        n=n,
        kept=tuple(kept.tolist()),
        covariance=(within + (away.T * counts) @ away) / max(n - 1, 1),
        lines=lines,
    )


def _line(arm: Sums, fitted: Sums, kept: Places, center: Array, direction: Array) -> Line:
    """Return one arm's line, with the slopes of `fitted`; `direction` is what its units' weights lean towards."""
    whitened = whiten(fitted.gram[np.ix_(kept, kept)])
    own, means = arm.mean[kept], arm.mean[len(arm.gram) :]
    slopes = whitened.solve(fitted.cross[kept])
    return Line(
        n=arm.n,
        center=own,
        means=means,
        adjusted=means + (center - own) @ slopes,
        slopes=slopes,
        root=whitened.root,
        direction=whitened.solve(direction),
    )


def _is_rare(arm: Sums, column: int) -> bool:
    ones = arm.n * float(arm.mean[column])
    return min(ones, arm.n - ones) < _RARE - 0.5  # a count, rounded to half a unit
