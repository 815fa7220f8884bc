"""A plane that may bend along each covariate and twist along pairs of them, as much as the data ask for."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learning import Split, as_shares, is_binary, weighted_mean
from cxcausal.nuisance.smoothing import Terms, beginning, chances, least_squares, logistic, means

MOST_KNOTS, MOST_BENDS, MOST_PAIRS = 5, 120, 20
"""Bends along one covariate, and along all of them; pairs that are multiplied."""
_FEWEST_VALUES = 3
_BY_CHANCE = 0.05
_FAR = 3.0
"""Deviations that a covariate counts at most where it is multiplied, as products of outliers predict anything."""


@dataclass(frozen=True, kw_only=True)
class Splines:
    """Penalised regression on columns, their hinges and the products of pairs that what is left asks for.

    Each slope, all bends of a covariate and each product are a term with a penalty of its own (`nuisance.smoothing`),
    so that covariates that tell nothing hide no bend of another. Where values are 0 or 1 it is a logistic regression.
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
    """A plane's columns, shape (n, p), and terms: an intercept, each column, and each column's bends."""

    plane: Floats
    terms: Terms


def bent(features: Features) -> Bent:
    """Return the columns and their hinges max(0, x − knot), with knots at quantiles."""
    plane = features.filled
    several = [column for column in plane.T if len(np.unique(column)) >= _FEWEST_VALUES]
    knots = min(MOST_KNOTS, MOST_BENDS // max(len(several), 1))
    bends = [hinges for hinges in (_hinges(column, knots) for column in several) if hinges]
    sizes = [*[1] * (1 + plane.shape[1]), *map(len, bends)]
    columns = np.column_stack([np.ones(len(plane)), plane, *(hinge for hinges in bends for hinge in hinges)])
    return Bent(plane=plane, terms=Terms(columns=columns, of=np.repeat(np.arange(len(sizes)), sizes)))


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
    mass = np.ones(len(own)) if mass is None else mass / mass.mean()
    terms, fitted, expected = bent.terms, *((logistic, chances) if binary else (least_squares, means))
    found = fitted(_of(terms, train), own, mass, beginning(terms))
    told = expected(terms.columns, found.slopes)
    products = _products(bent.plane, train, (own - told[train]) * mass)
    if products.shape[1]:
        terms = terms.plus(products)
        found = fitted(_of(terms, train), own, mass, found.plus(products.shape[1]))
        told = expected(terms.columns, found.slopes)
    return np.clip(told, own.min(), own.max())  # no mean is told that lies beyond what was seen


def _of(terms: Terms, units: Flags) -> Terms:
    return Terms(columns=terms.columns[units], of=terms.of)


def _products(plane: Floats, train: Flags, rest: Floats) -> Floats:
    """Return the products that go with what is left of y in some units, shape (n, pairs).

    Where none does, chance lets any in once in twenty times (Bonferroni), however many pairs there are.

    Args:
        plane: shape (n, p).
        train: some of n.
        rest: what is left of y, by the units' mass, of those in train.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - heavy

    plane = np.clip(plane, -_FAR, _FAR)
    own, (first, second) = plane[train], np.triu_indices(plane.shape[1], 1)
    if not len(first):
        return np.empty((len(plane), 0))
    along = (own * rest[:, None]).T @ own
    error = np.sqrt((own**2 * rest[:, None] ** 2).T @ own**2)
    score = np.abs(along[first, second]) / np.where(error > 0, error, np.inf)[first, second]
    best = np.argsort(-score, kind="stable")[:MOST_PAIRS]
    best = best[score[best] > -ndtri(_BY_CHANCE / 2 / len(first))]
    return np.asarray(plane[:, first[best]] * plane[:, second[best]])


def _out_of_fold(bent: Bent, y: Floats, use: Flags, split: Split, *, binary: bool) -> Floats:
    found = np.empty(len(y))
    for train, test in split.parts(use):
        found[test] = learned(bent, y, train, split.weight, binary=binary)[test]
    return found
