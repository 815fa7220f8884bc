"""Formulas: what was learned, as numbers that predict customer by customer and can be written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats
from cxcausal.nuisance.threads import threads_for

NOTHING = -1
"""Where a term of a plane has no (second) column."""
_AT_ONCE = 100_000
_FURTHEST = 30.0
"""Log odds beyond which a chance is 0 or 1 to all that is told."""
NEAR = 20_000
"""Units of which all columns stay close to the processor: sums of products take a ninth of the time then."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Modifiers of n units as columns.

    Attributes:
        matrix: shape (n, p), NaN where a number is missing.
        filled: the same with means in place of gaps, each column at mean 0 and deviation 1, shape (n, p).
    """

    matrix: Floats
    filled: Floats

    def at(self, units: npt.NDArray[np.intp]) -> "Table":
        """Return some units."""
        return Table(matrix=self.matrix[units], filled=self.filled[units])


class Formula(Protocol):
    """One number per unit, which depends on no other unit."""

    def of(self, table: Table) -> Floats:
        """Return the numbers, shape (n,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A sum of columns and of products of two, each times its slope.

    Attributes:
        terms: places of the two columns of each term, `NOTHING` where there is none, shape (t, 2).
        slopes: shape (t,).
    """

    terms: npt.NDArray[np.intp]
    slopes: Floats

    def of(self, table: Table) -> Floats:
        """Return the sums, added term by term, so that no unit's number depends on how many there are."""
        return np.asarray(summed_terms(table, self.terms, self.slopes[None])[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Chance:
    """The chance whose log odds a plane tells."""

    plane: Plane

    def of(self, table: Table) -> Floats:
        """Return the chances, shape (n,)."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.plane.of(table), -_FURTHEST, _FURTHEST))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """LightGBM's trees: their sums, or the chances whose log odds these are.

    Attributes:
        model: the booster. trees: how many of its trees count.
        more: numbers that follow the columns, the same for every unit: which arm is asked for.
    """

    model: Any
    trees: int
    more: tuple[float, ...] = ()

    def forget(self) -> None:
        """Drop the units that the booster was learned from, if it still holds them."""
        if getattr(self.model, "train_set", None) is not None:
            self.model.model_from_string(self.model.model_to_string()).free_dataset()

    def of(self, table: Table) -> Floats:
        """Return what the trees predict, shape (n,)."""
        matrix = table.matrix
        found = np.empty(len(matrix))
        for start in range(0, len(matrix), _AT_ONCE):
            part = matrix[start : start + _AT_ONCE]
            if self.more:
                part = np.column_stack([part, np.broadcast_to(self.more, (len(part), len(self.more)))])
            threads = threads_for(len(part))
            found[start : start + _AT_ONCE] = self.model.predict(part, num_iteration=self.trees, num_threads=threads)
        return found


Terms = tuple[tuple[float, Formula], ...]
"""Formulas and how often each counts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Effect:
    """The gain of every arm but the control, each a sum of formulas."""

    arms: tuple[Terms, ...]

    def of(self, table: Table) -> Floats:
        """Return the gains, shape (n, arms − 1); a formula that several arms share is asked once."""
        found = np.zeros((len(table.filled), len(self.arms)))
        for columns, slopes in self._planes():
            found += summed_terms(table, columns, slopes).T
        formulas = {id(formula): formula for terms in self.arms for _, formula in terms if not _is_plane(formula)}
        for formula in formulas.values():
            told = formula.of(table)
            for place, terms in enumerate(self.arms):
                share = sum(times for times, each in terms if each is formula)
                if share:
                    found[:, place] += share * told
        return found

    def _planes(self) -> Iterator[tuple[npt.NDArray[np.intp], Floats]]:
        """Yield terms, and their slopes added up over the planes of every arm that have them, shape (arms − 1, t)."""
        made: dict[bytes, tuple[npt.NDArray[np.intp], Floats]] = {}
        for place, parts in enumerate(self.arms):
            for times, formula in parts:
                if isinstance(formula, Plane):
                    none = formula.terms, np.zeros((len(self.arms), len(formula.terms)))
                    _, slopes = made.setdefault(formula.terms.tobytes(), none)
                    slopes[place] += times * formula.slopes
        yield from made.values()


def _is_plane(formula: Formula) -> bool:
    return isinstance(formula, Plane)


def summed_terms(table: Table, terms: npt.NDArray[np.intp], slopes: Floats) -> Floats:
    """Return what several planes of the same terms say, shape (planes, n), each term made once for all of them.

    It is added up term by term, so that no unit's number depends on how many there are.

    Args:
        table: of n units.
        terms: as of `Plane`, shape (t, 2).
        slopes: shape (planes, t).
    """
    total = np.zeros((len(slopes), len(table.filled)))
    for start in range(0, len(table.filled), NEAR):
        filled, part = table.filled[start : start + NEAR], total[:, start : start + NEAR]
        if filled.size and filled.strides[0] != filled.itemsize:
            filled = np.asfortranarray(filled)
        for (one, two), each in zip(terms, slopes.T, strict=True):
            if each.any():
                term = term_of(filled, int(one), int(two))
                for place in np.flatnonzero(each):
                    part[place] += each[place] * term
    return total


def term_of(filled: Floats, one: int, two: int) -> Floats | float:
    """Return a column, the product of two, or 1."""
    if one == NOTHING:
        return 1.0
    return filled[:, one] if two == NOTHING else filled[:, one] * filled[:, two]


def constant(value: float) -> Plane:
    """Return the formula that says the same of everybody."""
    return Plane(terms=np.array([[NOTHING, NOTHING]], dtype=np.intp), slopes=np.array([value]))


def linear_terms(columns: int) -> npt.NDArray[np.intp]:
    """Return 1 and every column, shape (1 + columns, 2).

    Example:
        >>> linear_terms(2).tolist()
        [[-1, -1], [0, -1], [1, -1]]
    """
    places = np.arange(columns, dtype=np.intp)
    own = np.column_stack([places, np.full(columns, NOTHING)])
    return np.asarray(np.vstack([np.full((1, 2), NOTHING), own]), dtype=np.intp)


def square_terms(columns: int, varied: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return 1, every column, every product of two, and the squares of columns with more than two values.

    Example:
        >>> square_terms(2, np.array([True, False])).tolist()
        [[-1, -1], [0, -1], [1, -1], [0, 0], [0, 1]]
    """
    pairs = [(one, two) for one in range(columns) for two in range(one, columns) if one != two or varied[one]]
    return np.asarray(np.vstack([linear_terms(columns), np.reshape(pairs, (-1, 2))]), dtype=np.intp)


def columns_of(filled: Floats, terms: npt.NDArray[np.intp]) -> Floats:
    """Return every term's values, shape (n, t)."""
    found = np.empty((len(terms), len(filled)))
    for place, (one, two) in enumerate(terms):
        found[place] = term_of(filled, int(one), int(two))
    return found.T
