"""Regressions where units share a fate: exact sums within each cluster and arm, which leave without its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import ibis
import numpy as np

from cxcausal.core.answers import ClusterSums, Key
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterRegressionQuery
from cxcausal.data.cluster_cells import Cells, cells_of, pairs_of
from cxcausal.data.covariates import Column
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, grid_for, on_grid, unscaled
from cxcausal.data.strata import regression_columns
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units

MOST_NUMBERS = 40_000_000
"""Numbers in the matrices of one pass above which they are not held: 320 MB."""
Names = tuple[str, ...]
Told = dict[tuple[Names, Measure], dict[Key, ClusterSums]]
"""By the columns of the groups and by the measure."""


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Measures of which the same units count, with the same covariates and clusters: all groups share a pass."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    cluster: Names
    bys: tuple[Names, ...]

    @property
    def groups(self) -> Names:
        """The columns of which the combinations are the finest groups."""
        return tuple(dict.fromkeys(chain.from_iterable(self.bys)))

    @property
    def names(self) -> tuple[str, ...]:
        """The covariates' columns and then the measures'."""
        covariates = (f"z{at}" for at in range(len(self.columns)))
        return (*covariates, *(f"y{at}" for at in range(len(self.measures))))

    @property
    def keys(self) -> tuple[list[str], list[str]]:
        """The columns of the groups and those of the clusters."""
        return [f"g{at}" for at in range(len(self.groups))], [f"k{at}" for at in range(len(self.cluster))]

    def rows(self, units: Units) -> tuple[Table, tuple[Grid, ...]]:
        """Return arm, groups, clusters, covariates z0… and measures y0… of the units that count, and the grids."""
        table = units.table.filter(units.table.mature)
        parts = [column.component(table, units) for column in self.columns]
        parts += [components_of(measure, table, units.numbers)[0] for measure in self.measures]
        keys = {f"g{at}": table[f"text:{name}"] for at, name in enumerate(self.groups)}
        keys |= {f"k{at}": table[f"id:{name}"] for at, name in enumerate(self.cluster)}
        values = {name: part.value for name, part in zip(self.names, parts, strict=True)}
        rows = table.select(arm=table.arm, **keys, **values)
        return rows.filter(rows.y0.notnull()), tuple(part.grid() for part in parts)


@dataclass(frozen=True, kw_only=True)
class _Centered:
    """How far a value is from a center, at most; a float expression of the engine."""

    center: float
    reach: float

    def value(self, column: Value) -> Value:
        """Return the deviation."""
        return column - ibis.literal(self.center, "float64")


def cluster_regressions(
    engine: Engine, units: Units, queries: Sequence[ClusterRegressionQuery]
) -> Mapping[ClusterRegressionQuery, Mapping[Key, ClusterSums]]:
    """Answer every query, with two passes over the units for all that share covariates, clusters and units.

    The first finds each column's center and reach, so that every product of deviations fits a grid; the second adds
    them up within clusters and arms, in the finest groups where these can be held.

    Raises:
        DataError: a covariate has too many values.
        PlanError: a covariate was not read.
    """
    sets = dict.fromkeys((one.covariates, one.strata) for one in queries)
    columns = {names: regression_columns(engine, units, *names) for names in sets}
    alike: dict[object, list[ClusterRegressionQuery]] = {}
    for query in dict.fromkeys(queries):
        key = (query.covariates, query.strata, query.cluster, inclusion_of(query.measure, units.numbers))
        alike.setdefault(key, []).append(query)
    answers: dict[ClusterRegressionQuery, Mapping[Key, ClusterSums]] = {}
    for members in alike.values():
        first = members[0]
        batch = _Batch(
            columns=columns[first.covariates, first.strata],
            measures=tuple(dict.fromkeys(one.measure for one in members)),
            cluster=first.cluster,
            bys=tuple(dict.fromkeys(one.by for one in members)),
        )
        told = _answered(engine, units, batch)
        answers |= {query: told[query.by, query.measure] for query in members}
    return answers


def _answered(engine: Engine, units: Units, batch: _Batch) -> Told:
    """Return one table per columns of groups and measure of a batch."""
    rows, grids = batch.rows(units)
    n, centered = _profiled(engine, rows, batch.names, grids)
    if not n:
        return {(by, measure): {} for by in batch.bys for measure in batch.measures}
    numbers = len(batch.columns) * len(centered)
    clusters = _too_large(engine, rows, batch, MOST_NUMBERS // numbers) if n * numbers > MOST_NUMBERS else {}
    if clusters and len(batch.bys) > 1:
        apart = (_answered(engine, units, replace(batch, bys=(by,))) for by in batch.bys)
        return {target: table for told in apart for target, table in told.items()}
    if clusters:
        unheld = {key: _unheld(batch, count) for key, count in clusters.items()}
        return {(by, measure): unheld for by in batch.bys for measure in batch.measures}
    return _told(_summed(engine, rows, batch, centered), batch, centered)


def _too_large(engine: Engine, rows: Table, batch: _Batch, most: int) -> dict[Key, int]:
    """Return every group's clusters where there are more of them, in their arms, than `most`; else nothing."""
    groups, clusters = batch.keys
    within = rows.select(*groups, "arm", *clusters).distinct()
    if engine.fetch(within.aggregate(m=within.count()))[0][0] <= most:
        return {}
    apart = within.drop("arm").distinct()
    found = engine.fetch(apart.aggregate(m=apart.count(), by=groups))
    return {tuple(key): count for *key, count in sorted(found)}


def _profiled(
    engine: Engine, rows: Table, names: Sequence[str], grids: Sequence[Grid]
) -> tuple[int, tuple[_Centered, ...]]:
    """Return the units that count, every column's mean over them, rounded, and how far its values are from it."""
    wanted: dict[str, Value] = {"n": rows.count()}
    for name, grid in zip(names, grids, strict=True):
        wanted |= {f"{name}_s": on_grid(rows[name], grid).sum(), f"{name}_l": rows[name].min()}
        wanted[f"{name}_h"] = rows[name].max()
    n, *found = engine.fetch(rows.aggregate(**wanted))[0]
    parts = zip(found[::3], found[1::3], found[2::3], grids, strict=True)
    return n, tuple(_centered(n, total, low, high, grid) for total, low, high, grid in parts)


def _centered(n: int, total: int | None, low: float | None, high: float | None, grid: Grid) -> _Centered:
    if not n or total is None or low is None or high is None:
        return _Centered(center=0.0, reach=0.0)
    center = unscaled(total, grid.shift, n)
    return _Centered(center=center, reach=max(float(high) - center, center - float(low)))


def _summed(engine: Engine, rows: Table, batch: _Batch, centered: Sequence[_Centered]) -> Cells:
    """Return per group, cluster and arm the units and sums, with a number in place of each cluster's name.

    Sums of whole numbers are exact, of any size, and become floats once.
    """
    names, (groups, clusters), k = batch.names, batch.keys, len(batch.columns)
    pairs = pairs_of(k, len(centered))
    reaches = [*(one.reach for one in centered), *(centered[a].reach * centered[b].reach for a, b in pairs)]
    grids = [grid_for(reach, whole=False) for reach in reaches]
    away = rows.mutate(**{name: one.value(rows[name]) for name, one in zip(names, centered, strict=True)})
    values = [*(away[name] for name in names), *(away[names[a]] * away[names[b]] for a, b in pairs)]
    scaled = {f"s{at}": on_grid(value, grid) for at, (value, grid) in enumerate(zip(values, grids, strict=True))}
    whole = away.select("arm", *groups, *clusters, **scaled)
    sums = {name: whole[name].sum().cast("float64") for name in scaled}
    grouped = whole.group_by([*groups, "arm", *clusters]).aggregate(n=whole.count().cast("float64"), **sums)
    number = ibis.dense_rank().over(order_by=[grouped[name] for name in clusters])
    found = engine.arrays(grouped.select(*groups, "arm", "n", *scaled, cluster=number))
    return cells_of(found, groups, k, grids)


def _told(cells: Cells, batch: _Batch, centered: Sequence[_Centered]) -> Told:
    """Return the sums of every group for every measure."""
    found: Told = {(by, measure): {} for by in batch.bys for measure in batch.measures}
    center = np.array([one.center for one in centered])
    for by in batch.bys:
        places = [batch.groups.index(name) for name in by]
        for key, pool in cells.pools(places, len(centered)):
            for measure, sums in zip(batch.measures, pool.told(batch.columns, center), strict=True):
                found[by, measure][key] = sums
    return found


def _unheld(batch: _Batch, clusters: int) -> ClusterSums:
    names, k = tuple(column.name for column in batch.columns), len(batch.columns)
    none, empty = np.zeros(0), np.zeros(0, dtype=np.int64)
    return ClusterSums(
        arms=(), fitted=(), columns=names, dropped=(), clusters=clusters, center=0.0, cluster=empty, arm=empty,
        n=none, d=np.zeros((0, k)), gram=np.zeros((0, k, k)), y=none, cross=np.zeros((0, k)),
    )  # fmt: skip
