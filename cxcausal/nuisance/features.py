"""From covariates to the columns that learners see: numbers with what is missing, and one column per common level."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cxcausal.core.rows import Floats, Rows

MISSING = "missing"
MOST_LEVELS = 50
FEWEST_OF_LEVEL = 20
"""Units below which a level has no column of its own."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a column of the matrix is: a covariate, or one level of it."""

    covariate: str
    level: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """The covariates of n units; two are the same only where they are one.

    Attributes:
        matrix: shape (n, p), NaN where a number is missing.
        columns: what the p columns are.
    """

    matrix: Floats
    columns: tuple[Column, ...]

    @property
    def filled(self) -> Floats:
        """The matrix with means in place of missing numbers, each column at mean 0 and deviation 1, shape (n, p)."""
        return self.scaled[0]

    @cached_property
    def scaled(self) -> tuple[Floats, Floats, Floats]:
        """The filled matrix, and the means and deviations that made it so, each of shape (p,)."""
        if not self.columns:
            return self.matrix, np.zeros(0), np.ones(0)
        filled = self.matrix.copy()
        gaps = np.isnan(filled)
        with np.errstate(invalid="ignore"):
            means = np.where(gaps.all(axis=0), 0.0, np.nansum(filled, axis=0) / np.maximum((~gaps).sum(axis=0), 1))
        filled[gaps] = np.broadcast_to(means, filled.shape)[gaps]
        filled -= means
        spread = np.sqrt(np.mean(filled**2, axis=0))
        spread = np.where(spread > 0, spread, 1.0)
        filled /= spread
        return filled, means, spread

    def without(self, covariates: frozenset[str]) -> "Features":
        """Return the same without some covariates."""
        kept = [place for place, column in enumerate(self.columns) if column.covariate not in covariates]
        return Features(matrix=self.matrix[:, kept], columns=tuple(self.columns[place] for place in kept))


def features_of(rows: Rows, covariates: tuple[str, ...]) -> Features:
    """Return the matrix of some covariates; what doesn't vary has no column.

    A number is one column, with another that says where it is missing; a text is one column per level but the most
    frequent, levels of fewer than `FEWEST_OF_LEVEL` units left out.
    """
    made: list[tuple[Column, Floats]] = []
    for name in covariates:
        made.extend(_numbers(rows, name) if name in rows.numbers else _levels(rows, name))
    matrix = np.empty((rows.n, len(made)), order="F")
    for place, (_, values) in enumerate(made):
        matrix[:, place] = values
    return Features(matrix=matrix, columns=tuple(column for column, _ in made))


def _numbers(rows: Rows, name: str) -> list[tuple[Column, Floats]]:
    values = rows.numbers[name]
    gaps = np.isnan(values)
    known = values[~gaps]
    found = [(Column(covariate=name), values)] if known.size and known.min() < known.max() else []
    if 0 < gaps.sum() < rows.n:
        found.append((Column(covariate=name, level=MISSING), gaps.astype(np.float64)))
    return found


def _levels(rows: Rows, name: str) -> list[tuple[Column, Floats]]:
    text = rows.texts[name]
    counts = np.bincount(text.codes, minlength=len(text.levels))
    ordered = sorted(range(len(counts)), key=lambda place: (-counts[place], text.levels[place]))
    common = [place for place in ordered[1 : MOST_LEVELS + 1] if counts[place] >= FEWEST_OF_LEVEL]
    return [
        (Column(covariate=name, level=text.levels[place] or MISSING), (text.codes == place).astype(np.float64))
        for place in common
    ]
