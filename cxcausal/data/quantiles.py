"""Values around a quantile: every cell is put in order inside the engine, and only a thin grid of ranks leaves it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nextafter

import ibis
import numpy as np

from cxcausal.core.answers import ClusterPatterns, Key, OrderStatistics, Quantiles
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, QuantileQuery, cluster_queries
from cxcausal.core.ranks import quantile_rank
from cxcausal.data.clusters import patterns
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.subjects import components_of
from cxcausal.data.units import Units

REACH = 6.0
"""How many standard deviations of the rank the grid reaches to either side."""
_CLUSTERED_REACH = 24.0
"""Clusters make ranks vary by more than a binomial does."""
_STEP = 0.05
_NEAR = 2.0
"""Ranks at most so far from n·q all leave the engine, so that the quantile's own rank is among them."""

_Place = tuple[str, str, Key]
"""Treated, control and group."""
_Cells = Mapping[tuple[str, Key], OrderStatistics]


def quantiles(engine: Engine, units: Units, queries: Sequence[QuantileQuery]) -> Mapping[QuantileQuery, Quantiles]:
    """Answer every query: one ordering per measure, quantile and grouping, and one pass more where units share a fate.

    Values of equal size have neighbouring ranks in any order, so that the answer depends on no order of the rows.
    """
    found = {query: _ordered(engine, units, query) for query in dict.fromkeys(queries)}
    asked = {query: tuple(_clustered(query, cells)) for query, cells in found.items()}
    answered = patterns(engine, units, [one for shares in asked.values() for share in shares for one in share.queries])
    return {query: Quantiles(cells=cells, shares=_shares(asked[query], answered)) for query, cells in found.items()}


@dataclass(frozen=True, kw_only=True)
class _Share:
    """The cluster queries behind one indicator in one place."""

    place: _Place
    by_names: Mapping[tuple[str, ...], ClusterQuery]

    @property
    def queries(self) -> Iterable[ClusterQuery]:
        """All of them."""
        return self.by_names.values()


def _ordered(engine: Engine, units: Units, query: QuantileQuery) -> _Cells:
    table = units.table.filter(units.table.mature)
    value = components_of(query.measure, table, units.numbers)[0].value
    groups = {f"g{index}": table[f"text:{name}"] for index, name in enumerate(query.by)}
    rows = table.select(arm=table.arm, **groups, y=value)
    rows = rows.filter(rows.y.notnull())
    keys = ["arm", *groups]
    order = ibis.window(group_by=keys, order_by="y")
    rows = rows.mutate(rank=ibis.row_number().over(order) + 1, n=rows.y.count().over(ibis.window(group_by=keys)))
    kept = rows.filter(_on_grid(rows, query.q, _CLUSTERED_REACH if query.cluster else REACH))
    cells: dict[tuple[str, Key], list[tuple[int, int, float]]] = {}
    for arm, *rest in engine.fetch(kept.select(*keys, "n", "rank", "y")):
        cells.setdefault((arm, tuple(rest[: len(groups)])), []).append(tuple(rest[len(groups) :]))
    return {key: _statistics(cells[key]) for key in sorted(cells)}


def _on_grid(rows: Table, q: float, reach: float) -> Value:
    """Tell which ranks lie next below a point of the grid, which are few however many units there are."""
    middle = rows.n * q
    step = (middle * (1 - q)).sqrt() * _STEP
    below, above = (rows["rank"] - middle) / step, (rows["rank"] + 1 - middle) / step
    inside = (below.abs() <= reach / _STEP) & (below.ceil() < above)
    return inside | ((rows["rank"] - middle).abs() <= _NEAR)


def _statistics(rows: Sequence[tuple[int, int, float]]) -> OrderStatistics:
    ordered = sorted(rows)
    ranks = np.array([rank for _, rank, _ in ordered], dtype=np.int64)
    return OrderStatistics(n=ordered[0][0], ranks=ranks, values=np.array([value for _, _, value in ordered]))


def _clustered(query: QuantileQuery, cells: _Cells) -> Iterator[_Share]:
    """Yield the cluster queries of a query's places in which both arms have units."""
    if not query.cluster:
        return
    at = {key: float(cell.values[cell.ranks == quantile_rank(cell.n, query.q)][0]) for key, cell in cells.items()}
    for group in dict.fromkeys(group for _, group in cells):
        cuts = {arm: cut for (arm, other), cut in at.items() if other == group}
        for treated, control in query.contrasts:
            if treated in cuts and control in cuts:
                for strict in (False, True):
                    measure = _above(query.measure, cuts, strict=strict)
                    named = cluster_queries(
                        measure,
                        query.cluster,
                        treated=treated,
                        control=control,
                        by=query.by[0] if query.by else None,
                        value=group[0] if group else None,
                    )
                    yield _Share(place=(treated, control, group), by_names=named)


def _above(measure: Measure, cuts: Mapping[str, float], *, strict: bool) -> Measure:
    """Return 1 where a value is at least its own arm's cut (or above it), else 0.

    A difference of two floats has the sign that it would have in exact arithmetic.
    """
    shifts = tuple((arm, -(nextafter(cut, inf) if strict else cut)) for arm, cut in cuts.items())
    return replace(measure, transform="top_box", at_least=0.0, arm_constant=shifts)


def _shares(
    asked: Sequence[_Share], answered: Mapping[ClusterQuery, ClusterPatterns]
) -> Mapping[_Place, tuple[Mapping[tuple[str, ...], ClusterPatterns], ...]]:
    found: dict[_Place, tuple[Mapping[tuple[str, ...], ClusterPatterns], ...]] = {}
    for share in asked:
        told = {names: answered[query] for names, query in share.by_names.items()}
        found[share.place] = (*found.get(share.place, ()), told)
    return found
