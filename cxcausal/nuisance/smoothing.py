"""Regressions in terms, each penalised as much as restricted likelihood asks: noise is flattened, and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats

_FLAT = 1.0
"""The first strength, by the columns' mean square: flatter, and what tells a little is not found; else noise is."""
_WEAKEST, _STRONGEST, _NOTHING = 1e-4, 1e8, 1e-8
"""Bounds of a strength, and degrees of freedom below which a term is as good as absent."""
_RIDGE = 1e-10
_FEWEST_STEPS, _STEPS, _SETTLED = 5, 30, 0.02
"""Steps of the strengths, which end when degrees of freedom have moved by less."""
_CHOOSING, _SCORING = 12, 20
"""Steps of Fisher scoring: those in which strengths are chosen anew, and all."""
_FARTHEST, _STEEPEST, _CLOSE = 12.0, 1e-4, 1e-4


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Columns of n units, the intercept first, and the term of each.

    Attributes:
        columns: shape (n, p).
        of: the place of each column's term, shape (p,); 0 is the intercept, which alone is never penalised.
    """

    columns: Floats
    of: npt.NDArray[np.intp]

    @property
    def many(self) -> int:
        """How many terms there are."""
        return int(self.of[-1]) + 1

    def plus(self, more: Floats) -> "Terms":
        """Return them with other columns, shape (n, m), each a term of its own."""
        return Terms(
            columns=np.column_stack([self.columns, more]), of=np.append(self.of, self.many + np.arange(more.shape[1]))
        )


@dataclass(frozen=True, kw_only=True)
class Smooth:
    """Slopes, shape (p,), and the strength that every term's squares are penalised with, shape (terms,).

    A strength is nan where none was chosen yet.
    """

    slopes: Floats
    strengths: Floats

    def plus(self, more: int) -> "Smooth":
        """Return where to begin with as many terms more."""
        unknown = np.full(more, np.nan)
        return Smooth(slopes=np.append(self.slopes, np.zeros(more)), strengths=np.append(self.strengths, unknown))


def beginning(terms: Terms) -> Smooth:
    """Return slopes of 0, and no strength chosen yet."""
    return Smooth(slopes=np.zeros(terms.columns.shape[1]), strengths=np.full(terms.many, np.nan))


def least_squares(terms: Terms, y: Floats, mass: Floats, begin: Smooth) -> Smooth:
    """Return penalised least squares.

    Each strength is the noise's variance over that of the term's slopes, as in a mixed model that restricted likelihood
    has fitted; it is found by steps of Fellner and Schall (Wood & Fasiolo 2017, https://doi.org/10.1111/biom.12666).

    Args:
        terms: the columns.
        y: shape (n,).
        mass: of every unit, shape (n,), 1 in the mean.
        begin: where to begin.
    """
    moments, found, freedom = _moments(terms.columns, y, mass), begin, np.inf
    for step in range(_STEPS):
        found, left = _stepped(terms, moments, found.strengths, noise=None)
        if step >= _FEWEST_STEPS and abs(left - freedom) < _SETTLED:
            break
        freedom = left
    return found


def logistic(terms: Terms, y: Floats, mass: Floats, begin: Smooth) -> Smooth:
    """Return a penalised logistic regression of a y of 0 and 1, by Fisher scoring; arguments as in `least_squares`.

    Strengths are chosen anew in the first steps, and then stay, so that steps come to an end.
    """
    slopes, strengths = begin.slopes.copy(), begin.strengths
    if not slopes.any():
        share = float(np.average(y, weights=mass))
        slopes[0] = np.log(share / (1 - share))
    for step in range(_SCORING):
        score = np.clip(terms.columns @ slopes, -_FARTHEST, _FARTHEST)
        chance = 1 / (1 + np.exp(-score))
        steep = np.maximum(chance * (1 - chance), _STEEPEST)
        moments = _moments(terms.columns, score + (y - chance) / steep, mass * steep)
        found, _ = _stepped(terms, moments, strengths, noise=1.0)
        moved, slopes = float(np.abs(found.slopes - slopes).max()), found.slopes
        if step + 1 < _CHOOSING:
            strengths = found.strengths
        elif moved < _CLOSE:
            break
    return Smooth(slopes=slopes, strengths=strengths)


def means(columns: Floats, slopes: Floats) -> Floats:
    """Return what least squares predict, shape (n,)."""
    return np.asarray(columns @ slopes)


def chances(columns: Floats, slopes: Floats) -> Floats:
    """Return the probabilities of a logistic regression, shape (n,)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(columns @ slopes, -_FARTHEST, _FARTHEST))))


@dataclass(frozen=True, kw_only=True)
class _Moments:
    """Weighed sums of n units: columns by columns, columns by y, and y's squares."""

    gram: Floats
    products: Floats
    total: float
    units: int


def _moments(columns: Floats, y: Floats, mass: Floats) -> _Moments:
    weighed = columns * mass[:, None]
    return _Moments(gram=columns.T @ weighed, products=weighed.T @ y, total=float(mass @ y**2), units=len(y))


def _stepped(terms: Terms, moments: _Moments, strengths: Floats, *, noise: float | None) -> tuple[Smooth, float]:
    """Return slopes at some strengths with those to try next, and how many degrees of freedom the slopes took."""
    from scipy.linalg import cho_factor, cho_solve  # noqa: PLC0415 - heavy

    square = np.trace(moments.gram) / len(moments.gram)
    strengths, ridge = np.where(np.isnan(strengths), _FLAT * square, strengths), _RIDGE * square
    penalties = np.where(terms.of > 0, strengths[terms.of], 0.0)
    factor = cho_factor(moments.gram + np.diag(penalties + ridge), lower=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(penalties)), check_finite=False)
    slopes = inverse @ moments.products
    free = np.bincount(terms.of, 1 - penalties * np.diag(inverse), terms.many)
    freedom = float(free.sum())
    if noise is None:
        rest = moments.total - 2 * slopes @ moments.products + slopes @ moments.gram @ slopes
        noise = max(float(rest), 0.0) / max(moments.units - freedom, 1.0)
    size = np.bincount(terms.of, slopes**2, terms.many)
    wished = np.full(terms.many, _STRONGEST)
    np.divide(noise * free, size, out=wished, where=(free > _NOTHING) & (size > 0))
    return Smooth(slopes=slopes, strengths=np.clip(wished, _WEAKEST, _STRONGEST)), freedom
