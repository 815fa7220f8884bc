"""Covariates as columns of numbers: 0/1 columns for texts and strata; a missing number is its mean and a 0/1 column."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

import ibis

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.queries import CovariateQuery
from cxcausal.data.cells import tally, wish_for
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import unscaled
from cxcausal.data.subjects import Component
from cxcausal.data.units import Units

MOST_LEVELS = 50
MOST_COLUMNS = 100
"""Cross-products grow with the square of the columns."""
MISSING = "(missing)"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a regression.

    Attributes:
        name: the covariate, with the value that a 0/1 column stands for.
        source: the covariate; empty for a 0/1 column of texts.
        cell: the texts and their values for which a 0/1 column is 1; several for a combination of strata.
        marks_missing: whether it is the 0/1 column of a number's missing values.
        filler: what a missing number counts as.
    """

    name: str
    source: str = ""
    cell: tuple[tuple[str, str], ...] = ()
    marks_missing: bool = False
    filler: float | None = None

    @property
    def binary(self) -> bool:
        """Whether it was made to hold 0 and 1."""
        return bool(self.cell) or self.marks_missing

    def component(self, table: Table, units: Units) -> Component:
        """Return the column's values, of which none is null, with their bounds."""
        if self.cell:
            return _indicator(reduce(and_, (table[f"text:{name}"] == value for name, value in self.cell)))
        number, bounds = table[f"number:{self.source}"], units.numbers[self.source]
        if self.marks_missing:
            return _indicator(number.isnull())
        if self.filler is None:
            return Component(value=number, largest=bounds.largest, whole=bounds.whole)
        filled = number.fill_null(ibis.literal(self.filler, "float64"))
        return Component(value=filled, largest=bounds.largest, whole=bounds.whole and self.filler.is_integer())


def indicator_of(cell: tuple[tuple[str, str], ...]) -> Column:
    """Return the 0/1 column of the units whose texts have these values.

    Example:
        >>> indicator_of((("tier", "gold"), ("region", ""))).name
        'tier=gold and region=(missing)'
    """
    return Column(name=" and ".join(f"{name}={value or MISSING}" for name, value in cell), cell=cell)


def columns_of(
    engine: Engine, units: Units, covariates: Sequence[str], strata: Sequence[Column] = ()
) -> tuple[Column, ...]:
    """Return the columns of the strata, and then those of the covariates, in the plan's order.

    Args:
        engine: computes.
        units: the enrolled units.
        covariates: but the strata.
        strata: their columns.

    Raises:
        PlanError: a covariate was not read.
        DataError: a text covariate has more than 50 values, or all together make more than 100 columns.
    """
    unknown = [name for name in covariates if name not in units.numbers and name not in units.levels]
    if unknown:
        what, mend = f"these covariates were not read: {', '.join(unknown)}", "name them in the plan"
        raise PlanError(Problem(where="plan", code="D141", what=what, mend=mend))
    texts = [name for name in covariates if name not in units.numbers]
    broad = [name for name in texts if len(units.levels[name]) > MOST_LEVELS]
    if broad:
        raise DataError(_too_broad(engine, name) for name in broad)
    fillers = _fillers(engine, units, [name for name in covariates if name in units.numbers])
    columns = (*strata, *(column for name in covariates for column in _columns(name, units, fillers)))
    if len(columns) > MOST_COLUMNS:
        raise DataError(_too_many(engine, len(columns), "strata and covariates" if strata else "covariates"))
    return columns


def _columns(name: str, units: Units, fillers: Mapping[str, float]) -> Iterator[Column]:
    if name not in units.numbers:
        for value in units.levels[name][1:]:
            yield indicator_of(((name, value),))
        return
    yield Column(name=name, source=name, filler=fillers.get(name))
    if name in fillers:
        yield Column(name=f"{name}={MISSING}", source=name, marks_missing=True)


def _fillers(engine: Engine, units: Units, numbers: Sequence[str]) -> dict[str, float]:
    """Return the mean over all enrolled units of each covariate that has missing values."""
    wishes = {name: wish_for(CovariateQuery(column=name)) for name in numbers if not units.numbers[name].complete}
    if not wishes:
        return {}
    found = tally(engine, units, tuple(wishes.values()))
    means = {}
    for name, wish in wishes.items():
        cells = [cell for cell in found[wish].tallies.values() if cell.n > 0]
        total, n = sum(cell.sums[0] for cell in cells), sum(cell.n for cell in cells)
        means[name] = unscaled(total, found[wish].grids[0].shift, n) if n else 0.0
    return means


def _indicator(condition: Value) -> Component:
    return Component(value=condition.cast("float64"), largest=1.0, whole=True)


def _too_broad(engine: Engine, name: str) -> Problem:
    return Problem(
        where=f"{engine.label} column {name}",
        code="D330",
        what=f"the covariate has more than {MOST_LEVELS} different values, too many to adjust for",
        mend="group its values before, or remove it from covariates",
    )


def _too_many(engine: Engine, columns: int, what: str) -> Problem:
    return Problem(
        where=engine.label,
        code="D331",
        what=f"the {what} make {columns} columns, one per value of a text: more than {MOST_COLUMNS}",
        mend="name fewer covariates, or group their values before",
    )
