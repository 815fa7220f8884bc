"""Clusters: sums within each cluster stay in the engine, and only the patterns of their sizes leave it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np

from cxcausal.core.queries import ClusterPatterns, ClusterQuery, Measure
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, Products, on_grid, pairs_of, unscaled, with_halves
from cxcausal.data.subjects import components_of
from cxcausal.data.units import Units

_MANTISSA = 50
_SUMS = "cluster_sums"


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """All queries over the same clusters and groups: one pass over the units serves them."""

    cluster: tuple[str, ...]
    by: str | None
    measures: tuple[Measure, ...]


@dataclass(frozen=True, kw_only=True)
class _Summed:
    """Sums per cluster × group × arm, in the engine, and the grids of every measure's components."""

    table: Table
    keys: tuple[str, ...]
    grids: Mapping[Measure, tuple[Grid, ...]]
    places: Mapping[Measure, int]


@dataclass(frozen=True, kw_only=True)
class _Pattern:
    """Exact sums over the clusters of one size, on the grid: components of the treated arm, then of the control."""

    clusters: int
    sizes: tuple[int, int]
    totals: tuple[int, ...]
    crosses: tuple[int, ...]


def patterns(engine: Engine, units: Units, queries: Sequence[ClusterQuery]) -> Mapping[ClusterQuery, ClusterPatterns]:
    """Answer every query, with one pass over the units per clustering and grouping."""
    answers: dict[ClusterQuery, ClusterPatterns] = {}
    for batch, members in _batches(queries).items():
        summed = _sum_up(engine, units, batch)
        for members_alike in _alike(members).values():
            answers |= _answer(engine, summed, members_alike)
        engine.forget(_SUMS)
    return answers


def _batches(queries: Sequence[ClusterQuery]) -> Mapping[_Batch, tuple[ClusterQuery, ...]]:
    groups: dict[tuple[tuple[str, ...], str | None], list[ClusterQuery]] = {}
    for query in dict.fromkeys(queries):
        groups.setdefault((query.cluster, query.by), []).append(query)
    return {
        _Batch(cluster=cluster, by=by, measures=tuple(dict.fromkeys(query.measure for query in members))): tuple(
            members
        )
        for (cluster, by), members in groups.items()
    }


def _alike(queries: Sequence[ClusterQuery]) -> Mapping[tuple[Measure, str, str], tuple[ClusterQuery, ...]]:
    """Return the queries that differ in the group's value alone: one small query answers them together."""
    groups: dict[tuple[Measure, str, str], list[ClusterQuery]] = {}
    for query in queries:
        groups.setdefault((query.measure, query.treated, query.control), []).append(query)
    return {key: tuple(members) for key, members in groups.items()}


def _sum_up(engine: Engine, units: Units, batch: _Batch) -> _Summed:
    """Keep, per cluster × group × arm, the units that count and the sums of their components."""
    table = units.table.filter(units.table.mature)
    keys = {f"k{index}": table[f"id:{name}"] for index, name in enumerate(batch.cluster)}
    group = ibis.literal("") if batch.by is None else table[f"text:{batch.by}"]
    keys |= {"group": group, "arm": table.arm}
    largest = _largest_cluster(engine, table, batch)
    values: dict[str, Value] = {}
    grids: dict[Measure, tuple[Grid, ...]] = {}
    for place, measure in enumerate(batch.measures):
        parts = components_of(measure, table, units.numbers)
        grids[measure] = tuple(part.grid(largest) for part in parts)
        values |= {
            f"m{place}_{component}": on_grid(part.value, grid)
            for component, (part, grid) in enumerate(zip(parts, grids[measure], strict=True))
        }
    rows = table.select(**keys, **values)
    sums = {f"{name}_sum": rows[name].sum().cast("int64") for name in values}
    sums |= {f"m{place}_n": rows[f"m{place}_0"].count() for place in range(len(batch.measures))}
    kept = engine.keep(_SUMS, rows.group_by(list(keys)).aggregate(**sums))
    cluster_keys = tuple(name for name in keys if name not in {"group", "arm"})
    places = {measure: place for place, measure in enumerate(batch.measures)}
    return _Summed(table=kept, keys=cluster_keys, grids=grids, places=places)


def _largest_cluster(engine: Engine, table: Table, batch: _Batch) -> int:
    sizes = table.group_by([f"id:{name}" for name in batch.cluster]).aggregate(n=table.count())
    return int(engine.fetch(sizes.aggregate(most=sizes.n.max()))[0][0] or 1)


def _answer(
    engine: Engine, summed: _Summed, queries: tuple[ClusterQuery, ...]
) -> Mapping[ClusterQuery, ClusterPatterns]:
    """Answer queries that differ in the group's value alone."""
    first = queries[0]
    grids = summed.grids[first.measure]
    found: dict[str, list[_Pattern]] = {}
    for group, pattern in _collapsed(engine, summed, first):
        found.setdefault(group, []).append(pattern)
    return {query: _centred(found.get(query.value or "", []), grids) for query in queries}


def _collapsed(engine: Engine, summed: _Summed, query: ClusterQuery) -> Iterator[tuple[str, _Pattern]]:
    """Yield (group, pattern): clusters of equal sizes in both arms, with the sums and products of their sums."""
    place, grids = summed.places[query.measure], summed.grids[query.measure]
    sides = [(query.treated, "t"), (query.control, "c")]
    names = [f"{side}{component}" for _, side in sides for component in range(len(grids))]
    per_cluster = _side_by_side(summed, place, sides, len(grids))
    products = pairs_of(names, dict(zip(names, (*grids, *grids), strict=True)), "x")
    halved = with_halves(per_cluster, names if any(product.split for product in products) else ())
    sums: dict[str, Value] = {"clusters": halved.count(), **{f"{name}_total": halved[name].sum() for name in names}}
    for product in products:
        sums |= product.sums(halved)
    keys = ["group", "n_t", "n_c"]
    rows = engine.fetch(halved.group_by(keys).aggregate(**sums).order_by(keys))
    for group, n_treated, n_control, clusters, *rest in rows:
        totals, crosses = rest[: len(names)], rest[len(names) :]
        yield (
            group,
            _Pattern(
                clusters=clusters,
                sizes=(n_treated, n_control),
                totals=tuple(int(total) for total in totals),
                crosses=_totals_of(products, crosses),
            ),
        )


def _side_by_side(summed: _Summed, place: int, sides: Sequence[tuple[str, str]], k: int) -> Table:
    """Return one row per cluster × group with the sums of either arm, without clusters that neither arm has."""
    table = summed.table
    columns: dict[str, Value] = {}
    for arm, side in sides:
        mine = table.arm == arm
        columns[f"n_{side}"] = ibis.ifelse(mine, table[f"m{place}_n"], 0).sum().cast("int64")
        for component in range(k):
            total = ibis.ifelse(mine, table[f"m{place}_{component}_sum"].fill_null(0), 0)
            columns[f"{side}{component}"] = total.sum().cast("int64")
    wide = table.group_by([*summed.keys, "group"]).aggregate(**columns)
    return wide.filter(wide.n_t + wide.n_c > 0)


def _totals_of(products: tuple[Products, ...], summed: Sequence[int | None]) -> tuple[int, ...]:
    totals, rest = [], list(summed)
    for product in products:
        totals.append(product.total(rest[: len(product.names)]))
        rest = rest[len(product.names) :]
    return tuple(totals)


def _centred(found: Sequence[_Pattern], grids: tuple[Grid, ...]) -> ClusterPatterns:
    """Subtract the overall mean from every unit, which within a pattern is exact arithmetic on its sums."""
    k = len(grids)
    center = _center(found, k)
    total, cross = np.zeros((len(found), 2 * k)), np.zeros((len(found), 2 * k, 2 * k))
    for index, pattern in enumerate(found):
        shifts = [pattern.sizes[place // k] * center[place % k] for place in range(2 * k)]
        shift_of = [grids[place % k].shift for place in range(2 * k)]
        crosses = iter(pattern.crosses)
        for a in range(2 * k):
            total[index, a] = unscaled(pattern.totals[a] - pattern.clusters * shifts[a], shift_of[a])
            for b in range(a, 2 * k):
                moved = next(crosses) - shifts[a] * pattern.totals[b] - shifts[b] * pattern.totals[a]
                moved += pattern.clusters * shifts[a] * shifts[b]
                cross[index, a, b] = cross[index, b, a] = unscaled(moved, shift_of[a] + shift_of[b])
    return ClusterPatterns(
        clusters=np.array([pattern.clusters for pattern in found], dtype=np.int64),
        n_treated=np.array([pattern.sizes[0] for pattern in found], dtype=np.int64),
        n_control=np.array([pattern.sizes[1] for pattern in found], dtype=np.int64),
        total=total,
        cross=cross,
        center=np.array([unscaled(value, grid.shift) for value, grid in zip(center, grids, strict=True)]),
        clusters_treated=sum(pattern.clusters for pattern in found if pattern.sizes[0]),
        clusters_control=sum(pattern.clusters for pattern in found if pattern.sizes[1]),
    )


def _center(found: Sequence[_Pattern], k: int) -> tuple[int, ...]:
    """Return the overall means on the grid, with no more bits than a float keeps exactly."""
    units = sum(pattern.clusters * sum(pattern.sizes) for pattern in found)
    if not units:
        return (0,) * k
    means = (sum(pattern.totals[c] + pattern.totals[k + c] for pattern in found) // units for c in range(k))
    return tuple(_shortened(mean) for mean in means)


def _shortened(number: int) -> int:
    spare = max(number.bit_length() - _MANTISSA, 0)
    return (number >> spare) << spare
