"""Clusters: sums within each cluster stay in the engine, and only the patterns of their sizes leave it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import ibis

from cxcausal.core.answers import ClusterPatterns
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery
from cxcausal.data.cluster_patterns import Pattern, Summed, Sums, centred, on_one_side
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, on_grid, with_halves
from cxcausal.data.subjects import components_of, inclusion_of
from cxcausal.data.units import Units

_SUMS, _SPANNING = "cluster_sums", "spanning_clusters"
Names = tuple[str, ...]
Arms = tuple[str, str]
"""Treated, control."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Measures of which the same units count, so that the same clusters have the same sizes.

    Attributes:
        size: the column with the units that count, in a cluster and arm.
        components: the columns with the sums of each measure's components.
        grids: the grids of those components.
    """

    size: str
    components: Mapping[Measure, Names]
    grids: Mapping[Measure, tuple[Grid, ...]]

    @property
    def columns(self) -> Names:
        """The sums of every measure."""
        return tuple(chain.from_iterable(self.components.values()))


@dataclass(frozen=True, kw_only=True)
class _Collapsed:
    """Patterns of one block: of clusters within one arm by group and arm, and of all others by group and two arms."""

    lone: Mapping[tuple[str, str], Sequence[tuple[int, Mapping[Measure, Sums]]]]
    spanning: Mapping[tuple[str, Arms], Sequence[tuple[tuple[int, int], Mapping[Measure, Sums]]]]

    def patterns(self, query: ClusterQuery) -> Iterator[Pattern]:
        """Yield the patterns of a query, some of them perhaps with equal sizes."""
        group = query.value or ""
        for side, arm in enumerate((query.treated, query.control)):
            for size, sums in self.lone.get((group, arm), ()):
                yield on_one_side(sums[query.measure], size, side)
        for sizes, sums in self.spanning.get((group, (query.treated, query.control)), ()):
            yield Pattern(sizes=sizes, sums=sums[query.measure])


def patterns(engine: Engine, units: Units, queries: Sequence[ClusterQuery]) -> Mapping[ClusterQuery, ClusterPatterns]:
    """Answer every query, with one pass over the units per clustering and grouping.

    Most clusters lie within one arm: their sums are collapsed as they are, once for all contrasts. Only those with
    units in several arms are laid side by side, arm by arm, and collapsed for every contrast.
    """
    batches: dict[tuple[Names, str | None], list[ClusterQuery]] = {}
    for query in dict.fromkeys(queries):
        batches.setdefault((query.cluster, query.by), []).append(query)
    largest = {
        cluster: _largest_cluster(engine, units, cluster) for cluster in dict.fromkeys(key[0] for key in batches)
    }
    answers: dict[ClusterQuery, ClusterPatterns] = {}
    for (cluster, by), members in batches.items():
        blocks = _blocks(units, members, largest[cluster])
        table = engine.keep(_SUMS, _summed(units, cluster, by, blocks))
        found = _collapse(engine, table, blocks, tuple(dict.fromkeys((one.treated, one.control) for one in members)))
        for query in members:
            block = next(block for block in blocks if query.measure in block.components)
            answers[query] = centred(found[block.size].patterns(query), block.grids[query.measure])
        engine.forget(_SUMS)
    return answers


def _largest_cluster(engine: Engine, units: Units, cluster: Names) -> int:
    table = units.table.filter(units.table.mature)
    sizes = table.group_by([f"id:{name}" for name in cluster]).aggregate(n=table.count())
    return int(engine.fetch(sizes.aggregate(most=sizes.n.max()))[0][0] or 1)


def _blocks(units: Units, queries: Sequence[ClusterQuery], largest: int) -> tuple[_Block, ...]:
    """File the measures by what makes a unit count."""
    alike: dict[frozenset[tuple[str, str]], list[Measure]] = {}
    for measure in dict.fromkeys(query.measure for query in queries):
        alike.setdefault(inclusion_of(measure, units.numbers), []).append(measure)
    blocks = []
    for index, measures in enumerate(alike.values()):
        grids = {
            measure: tuple(part.grid(largest) for part in components_of(measure, units.table, units.numbers))
            for measure in measures
        }
        names = {
            measure: tuple(f"b{index}_{place}_{part}" for part in range(len(grids[measure])))
            for place, measure in enumerate(measures)
        }
        blocks.append(_Block(size=f"n{index}", components=names, grids=grids))
    return tuple(blocks)


def _summed(units: Units, cluster: Names, by: str | None, blocks: Sequence[_Block]) -> Table:
    """Return, per cluster × group × arm, the units that count and the sums of every component, on its grid."""
    table = units.table.filter(units.table.mature)
    keys = {f"k{index}": table[f"id:{name}"] for index, name in enumerate(cluster)}
    keys |= {"group": ibis.literal("") if by is None else table[f"text:{by}"], "arm": table.arm}
    values: dict[str, Value] = {}
    for block in blocks:
        for measure, names in block.components.items():
            parts = components_of(measure, table, units.numbers)
            values |= {
                name: on_grid(part.value, grid)
                for name, part, grid in zip(names, parts, block.grids[measure], strict=True)
            }
    rows = table.select(**keys, **values)
    sums = {block.size: rows[block.columns[0]].count() for block in blocks}
    sums |= {name: rows[name].sum().fill_null(0).cast("int64") for name in values}
    return rows.group_by(list(keys)).aggregate(**sums)


def _collapse(engine: Engine, table: Table, blocks: Sequence[_Block], pairs: Sequence[Arms]) -> dict[str, _Collapsed]:
    """Collapse the clusters of every block; a cluster spans arms if it has rows in several, counting or not."""
    keys = [name for name in table.columns if name.startswith("k") or name == "group"]
    per_cluster = table.group_by(keys).aggregate(arms=table.count())
    several = per_cluster.arms > 1
    some, others = engine.fetch(per_cluster.aggregate(some=several.any(), others=(~several).any()))[0]
    spanning = engine.keep(_SPANNING, per_cluster.filter(several).drop("arms")) if some and others else None
    lone = table if spanning is None else table.anti_join(spanning, keys)
    shared = table if spanning is None else table.semi_join(spanning, keys)
    found = {}
    for block in blocks:
        within = _within(engine, lone, block) if others else {}
        found[block.size] = _Collapsed(
            lone=within, spanning=_across(engine, shared, keys, block, pairs) if some else {}
        )
    if spanning is not None:
        engine.forget(_SPANNING)
    return found


def _within(
    engine: Engine, table: Table, block: _Block
) -> Mapping[tuple[str, str], Sequence[tuple[int, Mapping[Measure, Sums]]]]:
    """Collapse clusters within one arm by their size."""
    summed = Summed(names=block.components, grids=block.grids)
    counting = with_halves(table.filter(table[block.size] > 0), summed.split)
    keys = ["group", "arm", block.size]
    found: dict[tuple[str, str], list[tuple[int, Mapping[Measure, Sums]]]] = {}
    for group, arm, size, *rest in engine.fetch(counting.group_by(keys).aggregate(**summed.sums(counting))):
        found.setdefault((group, arm), []).append((size, summed.read(rest)))
    return found


def _across(
    engine: Engine, table: Table, keys: Sequence[str], block: _Block, pairs: Sequence[Arms]
) -> Mapping[tuple[str, Arms], Sequence[tuple[tuple[int, int], Mapping[Measure, Sums]]]]:
    """Collapse clusters that span arms by their two sizes, for every pair of arms at once."""
    names = {measure: _sides(columns) for measure, columns in block.components.items()}
    grids = {measure: (*mine, *mine) for measure, mine in block.grids.items()}
    summed = Summed(names=names, grids=grids)
    paired = with_halves(_side_by_side(table, keys, block, pairs), summed.split)
    groups = ["pair", "group", "n_t", "n_c"]
    found: dict[tuple[str, Arms], list[tuple[tuple[int, int], Mapping[Measure, Sums]]]] = {}
    for pair, group, n_t, n_c, *rest in engine.fetch(paired.group_by(groups).aggregate(**summed.sums(paired))):
        found.setdefault((group, pairs[pair]), []).append(((n_t, n_c), summed.read(rest)))
    return found


def _side_by_side(table: Table, keys: Sequence[str], block: _Block, pairs: Sequence[Arms]) -> Table:
    """Return one row per pair × cluster × group with the sums of both arms, where either has units that count."""
    arms = tuple(dict.fromkeys(chain.from_iterable(pairs)))
    columns = (block.size, *block.columns)
    # A cluster has one row per group and arm, so that the largest is the only one.
    per_arm = {
        f"{name}:{arm}": table[name].max(where=table.arm == arm).fill_null(0) for name in columns for arm in arms
    }
    wide = table.group_by(list(keys)).aggregate(**per_arm)
    wide = wide.mutate(pair=ibis.range(len(pairs)).unnest())
    chosen: dict[str, Value] = {"pair": wide.pair, "group": wide.group}
    for side, sign in enumerate("tc"):
        for name in columns:
            cases = [(wide.pair == index, wide[f"{name}:{pair[side]}"]) for index, pair in enumerate(pairs)]
            chosen[f"n_{sign}" if name == block.size else f"{sign}_{name}"] = ibis.cases(*cases)
    paired = wide.select(**chosen)
    return paired.filter(paired.n_t + paired.n_c > 0)


def _sides(columns: Names) -> Names:
    return tuple(f"{sign}_{name}" for sign in "tc" for name in columns)
