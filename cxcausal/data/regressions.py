"""Regressions in two passes: exact cross-products give every arm's slopes, then squared residuals are summed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np

from cxcausal.core.queries import ArmFit, Key, Measure, Regression, RegressionQuery
from cxcausal.data.covariates import Column, columns_of
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, Products, on_grid, unscaled, with_halves
from cxcausal.data.lines import Spread, Sums, spread_of
from cxcausal.data.squares import Squares, squared
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Measures of which the same units count, with the same covariates and groups: they share both passes."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    by: tuple[str, ...]
    contrast: tuple[str, str] | None = None
    center: str = "counted"

    def parts(self, units: Units) -> tuple[Table, list[tuple[Value, Grid]], list[tuple[Value, Grid]]]:
        """Return the units that count, with the values and grids of covariates and measures."""
        table = units.table.filter(units.table.mature)
        outcomes = [components_of(measure, table, units.numbers)[0] for measure in self.measures]
        covariates = [column.component(table, units) for column in self.columns]
        pairs = [[(part.value, part.grid()) for part in parts] for parts in (covariates, outcomes)]
        return table, pairs[0], pairs[1]

    def rows(self, units: Units) -> tuple[Table, tuple[Grid, ...]]:
        """Return arm, groups g0…, covariates z0… and measures y0… of the analysed units, and the grids."""
        table, covariates, outcomes = self.parts(units)
        groups = {f"g{index}": table[f"text:{name}"] for index, name in enumerate(self.by)}
        values = {f"z{index}": value for index, (value, _) in enumerate(covariates)}
        values |= {f"y{index}": value for index, (value, _) in enumerate(outcomes)}
        rows = table.select(arm=table.arm, **groups, **values)
        if self.contrast is not None:
            rows = rows.filter(rows.arm.isin(self.contrast))
        return rows, tuple(grid for _, grid in (*covariates, *outcomes))


def regressions(
    engine: Engine, units: Units, queries: Sequence[RegressionQuery]
) -> Mapping[RegressionQuery, Mapping[Key, Regression]]:
    """Answer every query with two passes over the units for all that share covariates, groups and units.

    Raises:
        DataError: a covariate has too many values.
        PlanError: a covariate was not read.
    """
    columns = {names: columns_of(engine, units, names) for names in dict.fromkeys(one.covariates for one in queries)}
    alike: dict[object, list[RegressionQuery]] = {}
    for query in dict.fromkeys(queries):
        own = inclusion_of(query.measure, units.numbers)
        key = (query.covariates, query.by, query.contrast, query.center, own)
        alike.setdefault(key, []).append(query)
    answers: dict[RegressionQuery, Mapping[Key, Regression]] = {}
    for members in alike.values():
        first, measures = members[0], tuple(one.measure for one in members)
        batch = _Batch(
            columns=columns[first.covariates],
            measures=measures,
            by=first.by,
            contrast=first.contrast,
            center=first.center,
        )
        answers |= zip(members, _fitted(engine, units, batch), strict=True)
    return answers


def _fitted(engine: Engine, units: Units, batch: _Batch) -> list[Mapping[Key, Regression]]:
    """Return one table per measure of a batch."""
    analysed, grids = batch.rows(units)
    rows = analysed.filter(analysed.y0.notnull())
    binary = tuple(column.binary for column in batch.columns)
    sums, common = _sums(engine, rows, grids, batch), batch.contrast is not None
    apart = batch.center == "analysed"
    everybody = _sums(engine, analysed, grids[: len(binary)], replace(batch, measures=())) if apart else sums
    groups = {key: spread_of(arms, binary, common=common, everybody=everybody[key]) for key, arms in sums.items()}
    squares = squared(engine, rows, groups)
    return [
        {key: _regression(spread, place, batch.columns, squares.get(key, {})) for key, spread in groups.items()}
        for place in range(len(batch.measures))
    ]


def _sums(engine: Engine, rows: Table, grids: Sequence[Grid], batch: _Batch) -> dict[Key, dict[str, Sums]]:
    """Run the first pass."""
    names = [*(f"z{index}" for index in range(len(batch.columns))), *(f"y{i}" for i in range(len(batch.measures)))]
    keys = ["arm", *(f"g{index}" for index in range(len(batch.by)))]
    products = tuple(_products(len(batch.columns), grids))
    whole = rows.select(*keys, **{f"q{at}": on_grid(rows[name], grids[at]) for at, name in enumerate(names)})
    halved = with_halves(whole, list(dict.fromkeys(name for product in products for name in _halved(product))))
    totals = {"n": halved.count(), **{f"q{at}_sum": halved[f"q{at}"].sum() for at in range(len(names))}}
    for product in products:
        totals |= product.sums(halved)
    found: dict[Key, dict[str, Sums]] = {}
    for arm, *rest in sorted(engine.fetch(halved.group_by(keys).aggregate(**totals)), key=lambda row: row[: len(keys)]):
        key, numbers = tuple(rest[: len(batch.by)]), rest[len(batch.by) :]
        found.setdefault(key, {})[arm] = _read(numbers, products, grids, len(batch.columns))
    return dict(sorted(found.items()))


def _products(k: int, grids: Sequence[Grid]) -> Iterator[Products]:
    """Yield the pairs of covariates, and of covariates and measures."""
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


def _regression(spread: Spread, place: int, columns: Sequence[Column], squares: Mapping[str, Squares]) -> Regression:
    """Return one measure's fits in one group."""
    return Regression(
        n=spread.n,
        columns=tuple(columns[at].name for at in spread.kept),
        dropped=tuple(column.name for at, column in enumerate(columns) if at not in spread.kept),
        spread=spread.covariance,
        arms={
            name: ArmFit(
                n=line.n,
                mean=float(line.means[place]),
                adjusted=float(line.adjusted[place]),
                variance=squares[name].variances[place],
                slopes=line.slopes[:, place],
                leverage=squares[name].leverage,
            )
            for name, line in spread.lines.items()
        },
    )
