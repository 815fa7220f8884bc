"""Regressions in two passes: exact cross-products give every arm's slopes, then squared residuals are summed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, combinations_with_replacement

import numpy as np

from cxcausal.core.answers import ArmFit, Key, Regression
from cxcausal.core.queries import Measure, RegressionQuery
from cxcausal.data.covariates import Column
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, Products, on_grid, unscaled, with_halves
from cxcausal.data.lines import Line, Spread, Sums, spread_of
from cxcausal.data.squares import Squares, squared
from cxcausal.data.strata import regression_columns
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Measures of which the same units count, with the same covariates and groups: they share both passes."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    by: tuple[str, ...]
    contrast: tuple[str, str] | None = None
    strata_apart: bool = False
    center: str = "counted"

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
        groups = {f"g{index}": table[_key(units, name)] for index, name in enumerate(self.by)}
        values = {f"z{index}": value for index, (value, _) in enumerate(covariates)}
        values |= {f"y{index}": value for index, (value, _) in enumerate(outcomes)}
        rows = table.select(arm=table[units.key("arm")], **groups, **values)
        if self.contrast is not None:
            rows = rows.filter(rows.arm.isin(self.contrast))
        return rows, tuple(grid for _, grid in (*covariates, *outcomes))


def _key(units: Units, name: str) -> str:
    """Return the column of a group, in which a missing value is the empty text."""
    computed = f"text:{name}"
    return computed if "" in units.levels[name] else units.key(computed)


def regressions(
    engine: Engine, units: Units, queries: Sequence[RegressionQuery]
) -> Mapping[RegressionQuery, Mapping[Key, Regression]]:
    """Answer every query with two passes over the units for all that share covariates, groups and units.

    Raises:
        DataError: a covariate has too many values.
        PlanError: a covariate was not read.
    """
    sets = dict.fromkeys((one.covariates, one.strata) for one in queries)
    columns = {names: regression_columns(engine, units, *names) for names in sets}
    alike: dict[object, list[RegressionQuery]] = {}
    for query in dict.fromkeys(queries):
        own = inclusion_of(query.measure, units.numbers)
        key = (query.covariates, query.strata, query.by, query.contrast, query.center, own)
        alike.setdefault(key, []).append(query)
    answers: dict[RegressionQuery, Mapping[Key, Regression]] = {}
    for members in alike.values():
        batch = _batch(columns[members[0].covariates, members[0].strata], members)
        answers |= zip(members, _fitted(engine, units, batch), strict=True)
    return answers


def _batch(columns: tuple[Column, ...], alike: Sequence[RegressionQuery]) -> _Batch:
    first = alike[0]
    alone = [(name,) for name in first.strata] if len(first.strata) > 1 else []
    return _Batch(
        columns=columns,
        measures=tuple(query.measure for query in alike),
        by=first.by,
        contrast=first.contrast,
        center=first.center,
        strata_apart=any(tuple(name for name, _ in column.cell) in alone for column in columns),
    )


def _fitted(engine: Engine, units: Units, batch: _Batch) -> list[Mapping[Key, Regression]]:
    """Return one table per measure of a batch."""
    analysed, grids = batch.rows(units)
    rows = analysed.filter(analysed.y0.notnull())
    binary = tuple(column.binary for column in batch.columns)
    sums, common = _sums(engine, rows, grids, batch), batch.contrast is not None
    apart = batch.center == "analysed"
    everybody = _sums(engine, analysed, grids[: len(binary)], replace(batch, measures=())) if apart else sums
    groups = {key: spread_of(arms, binary, common=common, everybody=everybody[key]) for key, arms in sums.items()}
    squares = squared(engine, rows, groups, batch.pairs)
    return [
        {key: _regression(spread, own, batch, squares.get(key, {})) for key, spread in groups.items()}
        for own in batch.places
    ]


def _sums(engine: Engine, rows: Table, grids: Sequence[Grid], batch: _Batch) -> dict[Key, dict[str, Sums]]:
    """Run the first pass."""
    k = len(batch.columns)
    names = [*(f"z{index}" for index in range(k)), *(f"y{index}" for index in range(len(grids) - k))]
    keys = ["arm", *(f"g{index}" for index in range(len(batch.by)))]
    products = tuple(_products(k, grids))
    whole = rows.select(*keys, **{f"q{at}": on_grid(rows[name], grids[at]) for at, name in enumerate(names)})
    halved = with_halves(whole, list(dict.fromkeys(name for product in products for name in _halved(product))))
    totals = {"n": halved.count(), **{f"q{at}_sum": halved[f"q{at}"].sum() for at in range(len(names))}}
    for product in products:
        totals |= product.sums(halved)
    found: dict[Key, dict[str, Sums]] = {}
    for arm, *rest in sorted(engine.fetch(halved.group_by(keys).aggregate(**totals)), key=lambda row: row[: len(keys)]):
        key, numbers = tuple(rest[: len(batch.by)]), rest[len(batch.by) :]
        found.setdefault(key, {})[arm] = _read(numbers, products, grids, k)
    return dict(sorted(found.items()))


def _products(k: int, grids: Sequence[Grid]) -> Iterator[Products]:
    """Yield the pairs of covariates, and of covariates and components of measures."""
    pairs = [*combinations_with_replacement(range(k), 2), *((z, y) for z in range(k) for y in range(k, len(grids)))]
    for left, right in pairs:
        split = not (grids[left].small and grids[right].small)
        yield Products(left=f"q{left}", right=f"q{right}", prefix=f"x{left}_{right}", split=split)


def _halved(product: Products) -> tuple[str, ...]:
    return (product.left, product.right) if product.split else ()


def _read(numbers: Sequence[int], products: Sequence[Products], grids: Sequence[Grid], k: int) -> Sums:
    """Turn one row of exact sums into means and centred cross-products, each rounded once."""
    n, totals, rest = numbers[0], numbers[1 : 1 + len(grids)], numbers[1 + len(grids) :]
    centred = np.zeros((len(grids), len(grids)))
    for product in products:
        left, right = int(product.left[1:]), int(product.right[1:])
        exact = n * product.total(rest[: len(product.names)]) - totals[left] * totals[right]
        centred[left, right] = centred[right, left] = unscaled(exact, grids[left].shift + grids[right].shift, n)
        rest = rest[len(product.names) :]
    mean = np.array([unscaled(total, grid.shift, n) for total, grid in zip(totals, grids, strict=True)])
    return Sums(n=n, mean=mean, gram=centred[:k, :k], cross=centred[:k, k:])


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
