"""Regressions where units share a fate: exact sums within each cluster and arm, which leave without its name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Array, ClusterSums, Key
from cxcausal.core.queries import ClusterRegressionQuery, Measure
from cxcausal.data.covariates import Column
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, grid_for, on_grid, unscaled
from cxcausal.data.lines import Spread, Sums, spread_of
from cxcausal.data.strata import regression_columns
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units

MOST_NUMBERS = 40_000_000
"""Numbers in the matrices of one pass above which they are not held: 320 MB."""
_ROUNDING = 1e-12
"""Of a column's squares: what rounding leaves of them where the column is constant."""
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Measures of which the same units count, with the same covariates, clusters and groups: they share a pass."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    cluster: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The covariates' columns and then the measures'."""
        covariates = (f"z{at}" for at in range(len(self.columns)))
        return (*covariates, *(f"y{at}" for at in range(len(self.measures))))

    @property
    def keys(self) -> tuple[list[str], list[str]]:
        """The columns of the groups and those of the clusters."""
        return [f"g{at}" for at in range(len(self.by))], [f"k{at}" for at in range(len(self.cluster))]

    def rows(self, units: Units) -> tuple[Table, tuple[Grid, ...]]:
        """Return arm, groups, clusters, covariates z0… and measures y0… of the units that count, and the grids."""
        table = units.table.filter(units.table.mature)
        parts = [column.component(table, units) for column in self.columns]
        parts += [components_of(measure, table, units.numbers)[0] for measure in self.measures]
        keys = {f"g{at}": table[f"text:{name}"] for at, name in enumerate(self.by)}
        keys |= {f"k{at}": table[f"id:{name}"] for at, name in enumerate(self.cluster)}
        # The engine takes literals such as 100.0 for decimals, whose products overflow; a root is a float.
        one = ibis.literal(1.0).sqrt()
        values = {name: part.value * one for name, part in zip(self.names, parts, strict=True)}
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


@dataclass(frozen=True, kw_only=True)
class _Pool:
    """The sums of one group, one row per cluster and arm, over q columns of which the first are covariates.

    Attributes:
        arms: the names of the arms with rows.
        cluster, arm: shape (m,).
        n: shape (m,); total: shape (m, q); products: of covariates with all columns, shape (m, k, q).
    """

    arms: tuple[str, ...]
    cluster: Whole
    arm: Whole
    n: Array
    total: Array
    products: Array


def cluster_regressions(
    engine: Engine, units: Units, queries: Sequence[ClusterRegressionQuery]
) -> Mapping[ClusterRegressionQuery, Mapping[Key, ClusterSums]]:
    """Answer every query, with two passes over the units for all that share covariates, clusters, groups and units.

    The first finds each column's center and reach, so that every product of deviations fits a grid; the second adds
    them up within clusters and arms.

    Raises:
        DataError: a covariate has too many values.
        PlanError: a covariate was not read.
    """
    sets = dict.fromkeys((one.covariates, one.strata) for one in queries)
    columns = {names: regression_columns(engine, units, *names) for names in sets}
    alike: dict[object, list[ClusterRegressionQuery]] = {}
    for query in dict.fromkeys(queries):
        key = (query.covariates, query.strata, query.cluster, query.by, inclusion_of(query.measure, units.numbers))
        alike.setdefault(key, []).append(query)
    answers: dict[ClusterRegressionQuery, Mapping[Key, ClusterSums]] = {}
    for members in alike.values():
        first, measures = members[0], tuple(one.measure for one in members)
        mine = columns[first.covariates, first.strata]
        batch = _Batch(columns=mine, measures=measures, cluster=first.cluster, by=first.by)
        answers |= zip(members, _answered(engine, units, batch), strict=True)
    return answers


def _answered(engine: Engine, units: Units, batch: _Batch) -> list[dict[Key, ClusterSums]]:
    """Return one table per measure of a batch."""
    rows, grids = batch.rows(units)
    n, centered = _profiled(engine, rows, batch.names, grids)
    found: list[dict[Key, ClusterSums]] = [{} for _ in batch.measures]
    k = len(batch.columns)
    if n * k * len(centered) > MOST_NUMBERS:
        clusters = _too_large(engine, rows, batch, MOST_NUMBERS // (k * len(centered)))
        if clusters:
            unheld = {key: _unheld(batch, count) for key, count in clusters.items()}
            return [unheld for _ in found]
    if n:
        for key, pool in _fetched(engine, _summed(rows, batch, centered), batch, centered):
            for tables, sums in zip(found, _told(pool, batch, centered), strict=True):
                tables[key] = sums
    return found


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


def _grids(centered: Sequence[_Centered], k: int) -> tuple[tuple[Grid, ...], dict[tuple[int, int], Grid]]:
    """Return the grids of every deviation, and of every product of a covariate's with another's or a measure's."""
    pairs = [*combinations_with_replacement(range(k), 2), *((z, y) for z in range(k) for y in range(k, len(centered)))]
    single = tuple(grid_for(one.reach, whole=False) for one in centered)
    return single, {(a, b): grid_for(centered[a].reach * centered[b].reach, whole=False) for a, b in pairs}


def _summed(rows: Table, batch: _Batch, centered: Sequence[_Centered]) -> Table:
    """Return per group, cluster and arm the units and sums, with a number in place of each cluster's name.

    Sums of whole numbers are exact, of any size, and become floats once.
    """
    single, double = _grids(centered, len(batch.columns))
    names, (groups, clusters) = batch.names, batch.keys
    away = rows.mutate(**{name: one.value(rows[name]) for name, one in zip(names, centered, strict=True)})
    values = {f"s{at}": on_grid(away[name], single[at]) for at, name in enumerate(names)}
    values |= {f"p{a}_{b}": on_grid(away[names[a]] * away[names[b]], grid) for (a, b), grid in double.items()}
    whole = away.select("arm", *groups, *clusters, **values)
    sums = {name: whole[name].sum().cast("float64") for name in values}
    grouped = whole.group_by([*groups, "arm", *clusters]).aggregate(n=whole.count().cast("float64"), **sums)
    number = ibis.dense_rank().over(order_by=[grouped[name] for name in clusters])
    return grouped.select(*groups, "arm", "n", *values, cluster=number)


def _fetched(engine: Engine, table: Table, batch: _Batch, centered: Sequence[_Centered]) -> Iterator[tuple[Key, _Pool]]:
    """Yield every group with its sums, in the order of the clusters' numbers."""
    found = engine.arrays(table.order_by(["cluster", "arm"]))
    keys = list(zip(*(found[name].tolist() for name in batch.keys[0]), strict=True)) or [()] * len(found["n"])
    groups = {key: place for place, key in enumerate(sorted(set(keys)))}
    place = np.array([groups[key] for key in keys])
    for key, own in groups.items():
        yield key, _pool({name: column[place == own] for name, column in found.items()}, len(batch.columns), centered)


def _pool(found: Mapping[str, Any], k: int, centered: Sequence[_Centered]) -> _Pool:
    """Return the columns of a group as arrays, off their grids."""
    single, double = _grids(centered, k)
    names, arm = np.unique(found["arm"].astype(str), return_inverse=True)
    products = np.empty((len(arm), k, len(centered)))
    for (a, b), grid in double.items():
        products[:, a, b] = np.ldexp(found[f"p{a}_{b}"], -grid.shift)
        if b < k:
            products[:, b, a] = products[:, a, b]
    return _Pool(
        arms=tuple(names.tolist()),
        cluster=found["cluster"].astype(np.int64),
        arm=arm.astype(np.int64),
        n=found["n"],
        total=np.column_stack([np.ldexp(found[f"s{at}"], -grid.shift) for at, grid in enumerate(single)]),
        products=products,
    )


def _told(pool: _Pool, batch: _Batch, centered: Sequence[_Centered]) -> Iterator[ClusterSums]:
    """Yield the sums of one group for every measure."""
    k = len(batch.columns)
    whole = _by_content(pool)
    pool, center = _at_the_mean(whole, centered)
    noise = _ROUNDING * np.einsum("mjj->j", whole.products[:, :, :k])
    arms = {name: _arm(pool, place, center, noise) for place, name in enumerate(pool.arms)}
    spread = spread_of(arms, tuple(column.binary for column in batch.columns))
    kept = np.array(spread.kept, dtype=np.intp)
    common = _sums(pool, spread, tuple(column.name for column in batch.columns))
    for place in range(k, len(centered)):
        yield replace(common, center=float(center[place]), y=pool.total[:, place], cross=pool.products[:, kept, place])


def _by_content(pool: _Pool) -> _Pool:
    """Order clusters by what their rows hold, so that nothing is left of the order of their names."""
    content = np.lexsort((*pool.total.T[::-1], pool.n, pool.arm))
    _, first, own = np.unique(pool.cluster[content], return_index=True, return_inverse=True)
    number = np.empty_like(first)
    number[np.argsort(first)] = np.arange(len(first))
    cluster = number[own]
    order = content[np.lexsort((pool.arm[content], cluster))]
    return _Pool(
        arms=pool.arms,
        cluster=np.sort(cluster),
        arm=pool.arm[order],
        n=pool.n[order],
        total=pool.total[order],
        products=pool.products[order],
    )


def _at_the_mean(pool: _Pool, centered: Sequence[_Centered]) -> tuple[_Pool, Array]:
    """Return the sums of deviations from the group's own means, and those means."""
    away = pool.total.sum(axis=0) / pool.n.sum()
    k = pool.products.shape[1]
    total = pool.total - pool.n[:, None] * away
    products = pool.products - away[:k, None] * total[:, None, :] - pool.total[:, :k, None] * away
    moved = _Pool(arms=pool.arms, cluster=pool.cluster, arm=pool.arm, n=pool.n, total=total, products=products)
    return moved, np.array([one.center for one in centered]) + away


def _arm(pool: _Pool, place: int, center: Array, noise: Array) -> Sums:
    """Return one arm's means and centred cross-products; a column that varies by no more than `noise` is constant."""
    own, k = pool.arm == place, len(noise)
    n = pool.n[own].sum()
    away, products = pool.total[own].sum(axis=0) / n, pool.products[own].sum(axis=0)
    centred = products - n * np.outer(away[:k], away)
    varies = np.diag(centred) > noise
    gram = np.where(np.outer(varies, varies), centred[:, :k], 0.0)
    return Sums(n=round(n), mean=center + away, gram=gram, cross=centred[:, k:])


def _sums(pool: _Pool, spread: Spread, names: Sequence[str]) -> ClusterSums:
    """Return what all measures share."""
    kept = np.array(spread.kept, dtype=np.intp)
    return ClusterSums(
        arms=pool.arms,
        fitted=tuple(spread.lines),
        columns=tuple(names[at] for at in kept),
        dropped=tuple(name for at, name in enumerate(names) if at not in spread.kept),
        clusters=int(pool.cluster[-1]) + 1,
        center=0.0,
        cluster=pool.cluster,
        arm=pool.arm,
        n=pool.n,
        d=pool.total[:, kept],
        gram=pool.products[:, kept[:, None], kept],
        y=np.zeros(0),
        cross=np.zeros((0, len(kept))),
    )


def _unheld(batch: _Batch, clusters: int) -> ClusterSums:
    names, k = tuple(column.name for column in batch.columns), len(batch.columns)
    none, empty = np.zeros(0), np.zeros(0, dtype=np.int64)
    return ClusterSums(
        arms=(), fitted=(), columns=names, dropped=(), clusters=clusters, center=0.0, cluster=empty, arm=empty,
        n=none, d=np.zeros((0, k)), gram=np.zeros((0, k, k)), y=none, cross=np.zeros((0, k)),
    )  # fmt: skip
