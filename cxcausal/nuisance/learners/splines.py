"""A plane that may bend along each covariate, as much as the data ask for: penalised splines."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learning import Split, as_shares, is_binary, weighted_mean

MOST_KNOTS, MOST_BENDS = 5, 120
"""Bends along one covariate, and along all of them."""
_FEWEST_VALUES = 3
_STRENGTHS = 10.0 ** np.arange(-1.0, 5.01, 0.5)
_PLANE, _FREE = 1.0, 1e-3
_STEPS, _CHOOSING = 12, 4
_FARTHEST, _STEEPEST, _CLOSE = 12.0, 1e-4, 1e-4
_RIDGE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Splines:
    """Ridge regression on each column and its hinges, the hinges' penalty chosen by generalised cross-validation.

    Where values are 0 or 1 it is a logistic regression, whose penalty is chosen as it is fitted (Gu 1992,
    https://doi.org/10.2307/1390855).
    """

    name: ClassVar[str] = "splines"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        return _out_of_fold(bent(features), np.where(use, y, 0.0), use, split, binary=is_binary(y, use))

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the probability of every class, shape (n, classes): with several, of each against all others."""
        columns, everybody = bent(features), np.ones(len(codes), dtype=bool)
        asked = range(1, 2) if classes == 2 else range(classes)  # noqa: PLR2004 - one probability tells both
        ones = ((codes == place).astype(np.float64) for place in asked)
        return as_shares([_out_of_fold(columns, one, everybody, split, binary=True) for one in ones])


@dataclass(frozen=True, kw_only=True)
class Bent:
    """Columns with an intercept first, shape (n, 1 + p + bends), and what each is penalised by, shape (columns,).

    Attributes:
        always: at any strength. bends: 1 for what the strength multiplies, else 0.
    """

    columns: Floats
    always: Floats
    bends: Floats


def bent(features: Features) -> Bent:
    """Return the columns and their hinges max(0, x − knot), with knots at quantiles."""
    plane = features.filled
    several = [column for column in plane.T if len(np.unique(column)) >= _FEWEST_VALUES]
    knots = min(MOST_KNOTS, MOST_BENDS // max(len(several), 1))
    hinges = [hinge for column in several for hinge in _hinges(column, knots)]
    columns = np.column_stack([np.ones(len(plane)), plane, *hinges])
    bends = np.repeat([0.0, 1.0], [1 + plane.shape[1], len(hinges)])
    always = np.where(bends == 1, _FREE, _PLANE)
    always[0] = 0.0
    return Bent(columns=columns, always=always, bends=bends)


def _hinges(column: Floats, knots: int) -> list[Floats]:
    """Return the hinges of one column, at mean 0."""
    places = np.unique(np.quantile(column, np.arange(1, knots + 1) / (knots + 1)))
    inside = places[(places > column.min()) & (places < column.max())]
    made = (np.maximum(column - place, 0.0) for place in inside)
    return [hinge - hinge.mean() for hinge in made]


def learned(bent: Bent, y: Floats, train: Flags, weight: Floats | None, *, binary: bool) -> Floats:
    """Return predictions for all n units by what some of them tell, shape (n,).

    Args:
        bent: the columns of n units.
        y: shape (n,).
        train: who is learned from, shape (n,).
        weight: of each unit, shape (n,), or None.
        binary: whether y is 0 or 1 and probabilities are asked for.
    """
    own, mass = y[train], None if weight is None else weight[train]
    if not len(own) or own.min() == own.max():
        return np.full(len(y), weighted_mean(own, mass))
    learn = _logistic if binary else _least_squares
    return learn(bent, train, own, np.ones(len(own)) if mass is None else mass / mass.mean())


def _out_of_fold(bent: Bent, y: Floats, use: Flags, split: Split, *, binary: bool) -> Floats:
    found = np.empty(len(y))
    for train, test in split.parts(use):
        found[test] = learned(bent, y, train, split.weight, binary=binary)[test]
    return found


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """Slopes at one strength, shape (columns,), with the strength that generalised cross-validation likes best."""

    slopes: Floats
    strength: float


def _least_squares(bent: Bent, train: Flags, y: Floats, mass: Floats) -> Floats:
    return np.asarray(bent.columns @ _chosen(bent, bent.columns[train], y, mass).slopes)


def _logistic(bent: Bent, train: Flags, y: Floats, mass: Floats) -> Floats:
    """Fisher scoring; the strength is chosen anew in the first steps, and then stays, so that steps come to an end."""
    x = bent.columns[train]
    slopes, strength = np.zeros(x.shape[1]), None
    slopes[0] = _logit(float(np.average(y, weights=mass)))
    for step in range(_STEPS):
        score = np.clip(x @ slopes, -_FARTHEST, _FARTHEST)
        chance = 1 / (1 + np.exp(-score))
        slope = np.maximum(chance * (1 - chance), _STEEPEST)
        found = _chosen(bent, x, score + (y - chance) / slope, mass * slope, strength)
        moved, slopes = float(np.abs(found.slopes - slopes).max()), found.slopes
        strength = found.strength if step + 1 >= _CHOOSING else None
        if strength is not None and moved < _CLOSE:
            break
    return np.asarray(1 / (1 + np.exp(-np.clip(bent.columns @ slopes, -_FARTHEST, _FARTHEST))))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _chosen(bent: Bent, x: Floats, y: Floats, mass: Floats, strength: float | None = None) -> _Choice:
    """Return penalised least squares at a strength, or at the best one.

    One decomposition serves all strengths: at each, penalised slopes shrink along the same directions.
    """
    from scipy.linalg import eigh, solve_triangular  # noqa: PLC0415 - heavy

    weighed = x * mass[:, None]
    gram, products, total = x.T @ weighed, weighed.T @ y, float(mass @ y**2)
    lower = np.linalg.cholesky(gram + np.diag(bent.always + _RIDGE * np.trace(gram) / len(gram)))
    rooted = solve_triangular(lower, np.diag(bent.bends), lower=True)
    shrunk, turned = eigh(solve_triangular(lower, rooted.T, lower=True))
    shrunk = np.maximum(shrunk, 0.0)
    onto = turned.T @ solve_triangular(lower, products, lower=True)
    inner = solve_triangular(lower, solve_triangular(lower, gram, lower=True).T, lower=True)
    inner = turned.T @ inner @ turned

    def at(strength: float) -> Floats:
        return np.asarray(onto / (1 + strength * shrunk))

    def off(strength: float) -> float:
        slopes = at(strength)
        rest = total - 2 * slopes @ onto + slopes @ inner @ slopes
        left = len(y) - float(np.sum(np.diag(inner) / (1 + strength * shrunk)))
        return float(rest) / left**2 if left > 0 else np.inf

    best = min(_STRENGTHS, key=off) if strength is None else strength
    slopes = solve_triangular(lower, turned @ at(best), lower=True, trans="T")
    return _Choice(slopes=np.asarray(slopes), strength=float(best))
