"""Strata as 0/1 columns, one per combination of their values, so that arm-wise regression is post-stratification."""

from collections.abc import Sequence

from cxcausal.core.answers import Key
from cxcausal.data.covariates import MOST_LEVELS, Column, columns_of, indicator_of
from cxcausal.data.engine import Engine
from cxcausal.data.units import Units


def stratum_columns(engine: Engine, units: Units, strata: Sequence[str]) -> tuple[Column, ...]:
    """Return one column per combination of values that enrolled units have, but the most frequent one.

    Leaving the most frequent out keeps the fits from hanging on a combination of few units. Where more than 50
    combinations occur, every stratum has columns of its own instead, one per value but its most frequent one.

    Args:
        engine: computes.
        units: the enrolled units, with the strata among their texts.
        strata: names of columns.
    """
    if not strata:
        return ()
    cells = _cells(engine, units, strata)
    if len(cells) <= MOST_LEVELS:
        return _columns(strata, cells)
    return tuple(column for name in strata for column in _columns((name,), _cells(engine, units, (name,))))


def regression_columns(
    engine: Engine, units: Units, covariates: Sequence[str], strata: Sequence[str]
) -> tuple[Column, ...]:
    """Return the columns of a regression: those of the strata, and then those of all other covariates."""
    others = [name for name in covariates if name not in strata]
    return columns_of(engine, units, others, stratum_columns(engine, units, strata))


def _cells(engine: Engine, units: Units, strata: Sequence[str]) -> list[Key]:
    """Return the combinations that occur, the most frequent first and all others in alphabetical order."""
    table = units.table.select(**{f"s{at}": units.table[f"text:{name}"] for at, name in enumerate(strata)})
    counted = table.group_by(list(table.columns)).aggregate(units=table.count())
    found = sorted((-count, tuple(cell)) for *cell, count in engine.fetch(counted))
    (_, first), *rest = found
    return [first, *sorted(cell for _, cell in rest)]


def _columns(strata: Sequence[str], cells: Sequence[Key]) -> tuple[Column, ...]:
    return tuple(indicator_of(tuple(zip(strata, cell, strict=True))) for cell in cells[1:])
