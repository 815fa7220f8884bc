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
MOST_PAIRS = 20
_FEWEST_VALUES = 3
_STEPS, _CHOOSING = 20, 12
_FARTHEST, _STEEPEST, _CLOSE = 12.0, 1e-4, 1e-4
_RIDGE = 1e-10
_WEAKEST, _STRONGEST, _FIRST = 1e-4, 1e8, 10.0
_SETTLED = 0.02
_STEPS_OF_STRENGTHS = 30


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
    """Columns with an intercept first, shape (n, 1 + p + bends), and the term of each, shape (columns,).

    Attributes:
        columns: the columns. terms: 0 for the intercept, which is not penalised; the slope of every covariate's column
            is a term, and so are all its bends.
    """

    columns: Floats
    terms: npt.NDArray[np.intp]
    plane: int


def bent(features: Features) -> Bent:
    """Return the columns and their hinges max(0, x − knot), with knots at quantiles."""
    plane = features.filled
    several = [column for column in plane.T if len(np.unique(column)) >= _FEWEST_VALUES]
    knots = min(MOST_KNOTS, MOST_BENDS // max(len(several), 1))
    bends = [_hinges(column, knots) for column in several]
    columns = np.column_stack([np.ones(len(plane)), plane, *(hinge for hinges in bends for hinge in hinges)])
    terms = np.repeat(np.arange(1 + plane.shape[1] + len(bends)), [*[1] * (1 + plane.shape[1]), *map(len, bends)])
    return Bent(columns=columns, terms=terms, plane=plane.shape[1])


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
    """Slopes, shape (columns,), and the strengths they are penalised with, one of each term."""

    slopes: Floats
    strengths: Floats


def _least_squares(bent: Bent, train: Flags, y: Floats, mass: Floats) -> Floats:
    found, strengths = _smoothed(bent, train, y, mass, np.full(bent.terms.max() + 1, _FIRST))
    pairs = _pairs(bent, train, y - found[train], mass)
    if len(pairs):
        found, _ = _smoothed(_twisted(bent, pairs), train, y, mass, np.append(strengths, np.full(len(pairs), _FIRST)))
    return found


def _smoothed(bent: Bent, train: Flags, y: Floats, mass: Floats, strengths: Floats):
    moments = _moments(bent.columns[train], y, mass)
    edf = np.inf
    for _ in range(_STEPS_OF_STRENGTHS):
        found, left = _stepped(bent, moments, strengths, None)
        strengths = found.strengths
        if abs(left - edf) < _SETTLED:
            break
        edf = left
    return np.asarray(bent.columns @ found.slopes), strengths


def _pairs(bent: Bent, train: Flags, rest: Floats, mass: Floats):
    plane = bent.columns[train, 1 : 1 + bent.plane]
    weighed = rest * mass
    along = (plane * weighed[:, None]).T @ plane
    spread = np.sqrt((plane**2).T @ ((plane**2) * (weighed**2)[:, None]))
    score = np.abs(along) / np.where(spread > 0, spread, np.inf)
    first, second = np.triu_indices(bent.plane, 1)
    many = len(first)
    if not many:
        return np.empty((0, 2), dtype=np.intp)
    z = score[first, second]
    kept = np.argsort(-z, kind="stable")[:MOST_PAIRS]
    kept = kept[z[kept] > np.sqrt(2 * np.log(many) + 1)]
    return np.column_stack([first[kept], second[kept]])


def _twisted(bent: Bent, pairs) -> Bent:
    plane = bent.columns[:, 1 : 1 + bent.plane]
    made = plane[:, pairs[:, 0]] * plane[:, pairs[:, 1]]
    last = bent.terms.max()
    return Bent(columns=np.column_stack([bent.columns, made]), terms=np.append(bent.terms, last + 1 + np.arange(len(pairs))), plane=bent.plane)


def _logistic(bent: Bent, train: Flags, y: Floats, mass: Floats) -> Floats:
    found, strengths = _scored(bent, train, y, mass, np.full(bent.terms.max() + 1, _FIRST))
    pairs = _pairs(bent, train, y - found[train], mass)
    if len(pairs):
        found, _ = _scored(_twisted(bent, pairs), train, y, mass, np.append(strengths, np.full(len(pairs), _FIRST)))
    return found


def _scored(bent: Bent, train: Flags, y: Floats, mass: Floats, strengths: Floats):
    """Fisher scoring; the strengths are chosen anew in the first steps, and then stay, so that steps come to an end."""
    x = bent.columns[train]
    slopes = np.zeros(x.shape[1])
    slopes[0] = _logit(float(np.average(y, weights=mass)))
    for step in range(_STEPS):
        score = np.clip(x @ slopes, -_FARTHEST, _FARTHEST)
        chance = 1 / (1 + np.exp(-score))
        slope = np.maximum(chance * (1 - chance), _STEEPEST)
        found, _ = _stepped(bent, _moments(x, score + (y - chance) / slope, mass * slope), strengths, 1.0)
        moved, slopes = float(np.abs(found.slopes - slopes).max()), found.slopes
        if step + 1 < _CHOOSING:
            strengths = found.strengths
        elif moved < _CLOSE:
            break
    return np.asarray(1 / (1 + np.exp(-np.clip(bent.columns @ slopes, -_FARTHEST, _FARTHEST)))), strengths


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _moments(x: Floats, y: Floats, mass: Floats):
    weighed = x * mass[:, None]
    return x.T @ weighed, weighed.T @ y, float(mass @ y**2), len(y)


def _stepped(bent: Bent, moments, strengths: Floats, noise: float | None):
    """Return slopes at some strengths, the strengths that restricted likelihood would rather have, and freedom."""
    from scipy.linalg.lapack import dpotrf, dpotri

    gram, products, total, units = moments
    penalties = strengths[bent.terms]
    penalties[0] = 0.0
    lower, _ = dpotrf(gram + np.diag(penalties + _RIDGE * np.trace(gram) / len(gram)), lower=1)
    inverse, _ = dpotri(lower, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    slopes = inverse @ products
    diagonal = np.diag(inverse)
    many = len(strengths)
    own = np.bincount(bent.terms, minlength=many) - np.bincount(bent.terms, penalties * diagonal, many)
    freedom = float(own.sum())
    if noise is None:
        rest = total - 2 * slopes @ products + slopes @ gram @ slopes
        noise = float(rest) / max(units - freedom, 1.0)
    size = np.bincount(bent.terms, slopes**2, many)
    with np.errstate(divide="ignore"):
        wished = noise * np.maximum(own, 1e-12) / np.maximum(size, 1e-300)
    return _Choice(slopes=slopes, strengths=np.clip(wished, _WEAKEST, _STRONGEST)), freedom
