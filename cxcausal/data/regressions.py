"""Regressions in two passes: exact cross-products give every arm's slopes, then squared residuals are summed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, combinations_with_replacement
from math import prod

import numpy as np

from cxcausal.core.answers import ArmFit, Key, Regression
from cxcausal.core.measure import Measure
from cxcausal.core.queries import RegressionQuery
from cxcausal.data.covariates import Column
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid
from cxcausal.data.gram import Cell, Totals, pairs_of, totals_of
from cxcausal.data.lines import Line, Spread, Sums, spread_of
from cxcausal.data.squares import Grouping, Squares, coefficients_of, squared
from cxcausal.data.strata import regression_columns
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units

MOST_CELLS = 500
"""Groups of a pass, as combinations of their values; more are cheaper in several passes."""
_MOST_SUMS = 300_000
"""Numbers that one pass may hand over."""
_MOST_COEFFICIENTS = 500
"""Numbers that come to each unit in the second pass of several groupings."""
Names = tuple[str, ...]
_Tables = Mapping[tuple[Names, Measure], Mapping[Key, Regression]]


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Measures of which the same units count, with the same covariates: all their groups share both passes."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    bys: tuple[Names, ...]
    contrast: tuple[str, str] | None = None
    strata_apart: bool = False
    center: str = "counted"

    @property
    def groups(self) -> Names:
        """The columns of which the combinations are the cells."""
        return tuple(dict.fromkeys(chain.from_iterable(self.bys)))

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """The places of every measure's components among those of all."""
        widths = [2 if measure.is_ratio else 1 for measure in self.measures]
        ends = accumulate(widths)
        return tuple(tuple(range(end - width, end)) for end, width in zip(ends, widths, strict=True))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of components whose residuals' products are summed: those of one measure."""
        return tuple(pair for own in self.places for pair in combinations_with_replacement(own, 2))

    def parts(self, units: Units) -> tuple[Table, list[tuple[Value, Grid]], list[tuple[Value, Grid]]]:
        """Return the units that count, with the values and grids of covariates and of measures' components."""
        table = units.table.filter(units.table.mature)
        outcomes = [part for measure in self.measures for part in components_of(measure, table, units.numbers)]
        covariates = [column.component(table, units) for column in self.columns]
        pairs = [[(part.value, part.grid()) for part in parts] for parts in (covariates, outcomes)]
        return table, pairs[0], pairs[1]

    def rows(self, units: Units) -> tuple[Table, tuple[Grid, ...]]:
        """Return arm, groups g0…, covariates z0… and components y0… of the analysed units, and the grids."""
        table, covariates, outcomes = self.parts(units)
        groups = {f"g{index}": table[_key(units, name)] for index, name in enumerate(self.groups)}
        values = {f"z{index}": value for index, (value, _) in enumerate(covariates)}
        values |= {f"y{index}": value for index, (value, _) in enumerate(outcomes)}
        rows = table.select(arm=table[units.key("arm")], **groups, **values)
        if self.contrast is not None:
            rows = rows.filter(rows.arm.isin(self.contrast))
        return rows, tuple(grid for _, grid in (*covariates, *outcomes))

    def fits(self, units: Units) -> bool:
        """Tell whether one pass over all combinations of the groups is cheaper than several."""
        cells = len(units.arms) * prod(len(units.levels[name]) for name in self.groups)
        k, width = len(self.columns), len(self.columns) + sum(map(len, self.places))
        coefficients = coefficients_of(k, width - k) * len(self.bys)
        numbers = cells * max(3 * len(pairs_of(k, width)), coefficients)
        return cells <= MOST_CELLS and numbers <= _MOST_SUMS and coefficients <= _MOST_COEFFICIENTS


def _key(units: Units, name: str) -> str:
    """Return the column of a group, in which a missing value is the empty text."""
    computed = f"text:{name}"
    return computed if "" in units.levels[name] else units.key(computed)


def regressions(
    engine: Engine, units: Units, queries: Sequence[RegressionQuery]
) -> Mapping[RegressionQuery, Mapping[Key, Regression]]:
    """Answer every query with two passes over the units for all that share covariates and units, whatever their groups.

    Raises:
        DataError: a covariate has too many values.
        PlanError: a covariate was not read.
    """
    sets = dict.fromkeys((one.covariates, one.strata) for one in queries)
    columns = {names: regression_columns(engine, units, *names) for names in sets}
    alike: dict[object, list[RegressionQuery]] = {}
    for query in dict.fromkeys(queries):
        own = inclusion_of(query.measure, units.numbers)
        key = (query.covariates, query.strata, query.contrast, query.center, own)
        alike.setdefault(key, []).append(query)
    answers: dict[RegressionQuery, Mapping[Key, Regression]] = {}
    for members in alike.values():
        for batch in _batches(columns[members[0].covariates, members[0].strata], members, units):
            told = _fitted(engine, units, batch)
            answers |= {one: told[one.by, one.measure] for one in members if (one.by, one.measure) in told}
    return answers


def _batches(columns: tuple[Column, ...], alike: Sequence[RegressionQuery], units: Units) -> Iterator[_Batch]:
    """Yield the queries' groupings, as many together as fit one pass; those together have the same measures."""
    measures: dict[Names, list[Measure]] = {}
    for query in alike:
        measures.setdefault(query.by, []).append(query.measure)
    waiting: list[_Batch] = []
    for by, own in measures.items():
        for at, batch in enumerate(waiting):
            wider = replace(batch, bys=(*batch.bys, by))
            if batch.measures == tuple(own) and wider.fits(units):
                waiting[at] = wider
                break
        else:
            waiting.append(_batch(columns, alike[0], by, own))
    yield from waiting


def _batch(columns: tuple[Column, ...], first: RegressionQuery, by: Names, measures: Sequence[Measure]) -> _Batch:
    alone = [(name,) for name in first.strata] if len(first.strata) > 1 else []
    return _Batch(
        columns=columns,
        measures=tuple(measures),
        bys=(by,),
        contrast=first.contrast,
        center=first.center,
        strata_apart=any(tuple(name for name, _ in column.cell) in alone for column in columns),
    )


def _fitted(engine: Engine, units: Units, batch: _Batch) -> _Tables:
    """Return one table per grouping and measure of a batch."""
    analysed, grids = batch.rows(units)
    rows, k = analysed.filter(analysed.y0.notnull()), len(batch.columns)
    names = [name for name in rows.columns if name[0] in "zy"]
    cells = totals_of(engine, rows, names, grids, k)
    everybody = totals_of(engine, analysed, names[:k], grids[:k], k) if batch.center == "analysed" else cells
    groupings = [_grouping(batch, by, cells, everybody, grids) for by in batch.bys]
    squares = squared(engine, rows, groupings, tuple(cells), batch.pairs)
    return {
        (by, measure): {
            key: _regression(spread, own, batch, found.get(key, {})) for key, spread in grouping.spreads.items()
        }
        for by, grouping, found in zip(batch.bys, groupings, squares, strict=True)
        for measure, own in zip(batch.measures, batch.places, strict=True)
    }


def _grouping(
    batch: _Batch, by: Names, cells: Mapping[Cell, Totals], everybody: Mapping[Cell, Totals], grids: Sequence[Grid]
) -> Grouping:
    """Fit the lines of every group of one grouping."""
    places = tuple(batch.groups.index(name) for name in by)
    k, common = len(batch.columns), batch.contrast is not None
    binary = tuple(column.binary for column in batch.columns)
    sums = _gathered(cells, places, grids, k)
    whole = sums if everybody is cells else _gathered(everybody, places, grids[:k], k)
    spreads = {key: spread_of(arms, binary, common=common, everybody=whole[key]) for key, arms in sums.items()}
    return Grouping(places=places, spreads=spreads)


def _gathered(
    cells: Mapping[Cell, Totals], places: Sequence[int], grids: Sequence[Grid], k: int
) -> dict[Key, dict[str, Sums]]:
    """Add up the cells that fall together in a grouping."""
    found: dict[Key, dict[str, Totals]] = {}
    for (arm, *values), totals in cells.items():
        arms = found.setdefault(tuple(values[place] for place in places), {})
        arms[arm] = arms[arm].plus(totals) if arm in arms else totals
    return {key: {arm: one.centred(grids, k) for arm, one in arms.items()} for key, arms in sorted(found.items())}


def _regression(spread: Spread, own: tuple[int, ...], batch: _Batch, squares: Mapping[str, Squares]) -> Regression:
    """Return the fits of one measure, whose components stand at these places, in one group."""
    return Regression(
        n=spread.n,
        columns=tuple(batch.columns[at].name for at in spread.kept),
        dropped=tuple(column.name for at, column in enumerate(batch.columns) if at not in spread.kept),
        spread=spread.covariance,
        arms={name: _fit(line, own, squares[name]) for name, line in spread.lines.items()},
        strata_apart=batch.strata_apart,
    )


def _fit(line: Line, own: tuple[int, ...], squares: Squares) -> ArmFit:
    first, end = own[0], own[-1] + 1
    products = squares.products
    return ArmFit(
        n=line.n,
        mean=line.means[first:end],
        adjusted=line.adjusted[first:end],
        covariance=np.array([[products[min(one, two), max(one, two)] for two in own] for one in own]),
        slopes=line.slopes[:, first:end],
        leverage=squares.leverage,
    )
