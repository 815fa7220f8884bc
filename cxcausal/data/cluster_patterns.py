"""Patterns of clusters in exact arithmetic: summed columns are read, equal sizes are added up, and sums are centred."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import ClusterPatterns
from cxcausal.core.measure import Measure
from cxcausal.data.engine import Table, Value
from cxcausal.data.exact import Grid, Products, pairs_of, unscaled

_MANTISSA = 50


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums over clusters, on the grid: of each component, and of each product (the upper triangle)."""

    clusters: int
    totals: tuple[int, ...]
    crosses: tuple[int, ...]

    def plus(self, other: "Sums") -> "Sums":
        """Return the sums over both sets of clusters."""
        return Sums(
            clusters=self.clusters + other.clusters,
            totals=tuple(a + b for a, b in zip(self.totals, other.totals, strict=True)),
            crosses=tuple(a + b for a, b in zip(self.crosses, other.crosses, strict=True)),
        )


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Clusters of equal sizes (treated, control); components are the treated arm's, and then the control's."""

    sizes: tuple[int, int]
    sums: Sums


@dataclass(frozen=True, kw_only=True)
class Summed:
    """How the components of some measures are added up over clusters, and read from the rows of that query.

    Attributes:
        names: the columns of every measure's components, one row per cluster.
        grids: their grids.
    """

    names: Mapping[Measure, tuple[str, ...]]
    grids: Mapping[Measure, tuple[Grid, ...]]

    @property
    def split(self) -> tuple[str, ...]:
        """The columns of which the halves are needed."""
        products = (product for measure in self.names for product in self._products(measure) if product.split)
        return tuple(dict.fromkeys(name for product in products for name in (product.left, product.right)))

    def sums(self, table: Table) -> dict[str, Value]:
        """Return the aggregates, in the order that `read` reads."""
        found: dict[str, Value] = {"clusters": table.count()}
        for measure, names in self.names.items():
            found |= {f"{name}_total": table[name].sum() for name in names}
            for product in self._products(measure):
                found |= product.sums(table)
        return found

    def read(self, row: Sequence[int]) -> Mapping[Measure, Sums]:
        """Return the sums that one row of the aggregates holds."""
        clusters, *rest = row
        found = {}
        for measure, names in self.names.items():
            totals, rest = rest[: len(names)], rest[len(names) :]
            crosses = []
            for product in self._products(measure):
                crosses.append(product.total(rest[: len(product.names)]))
                rest = rest[len(product.names) :]
            found[measure] = Sums(clusters=clusters, totals=tuple(totals), crosses=tuple(crosses))
        return found

    def _products(self, measure: Measure) -> tuple[Products, ...]:
        names = self.names[measure]
        return pairs_of(names, dict(zip(names, self.grids[measure], strict=True)), f"{names[0]}_x")


def on_one_side(sums: Sums, size: int, side: int) -> Pattern:
    """Return clusters of one arm as a pattern: on side 0 of the treated, on side 1 of the control.

    Example:
        >>> pattern = on_one_side(Sums(clusters=2, totals=(5,), crosses=(13,)), 3, 1)
        >>> pattern.sizes, pattern.sums.totals, pattern.sums.crosses
        ((0, 3), (0, 5), (0, 0, 13))
    """
    k = len(sums.totals)
    mine = range(side * k, side * k + k)
    inside = iter(sums.crosses)
    crosses = tuple(next(inside) if a in mine and b in mine else 0 for a, b in _triangle(2 * k))
    none = (0,) * k
    return Pattern(
        sizes=(0, size) if side else (size, 0),
        sums=Sums(
            clusters=sums.clusters, totals=(*none, *sums.totals) if side else (*sums.totals, *none), crosses=crosses
        ),
    )


def centred(found: Iterable[Pattern], grids: tuple[Grid, ...]) -> ClusterPatterns:
    """Add up equal sizes, and subtract the overall mean from every unit: within a pattern, exact arithmetic on sums."""
    alike: dict[tuple[int, int], Sums] = {}
    for pattern in found:
        before = alike.get(pattern.sizes)
        alike[pattern.sizes] = pattern.sums if before is None else before.plus(pattern.sums)
    patterns = [Pattern(sizes=sizes, sums=alike[sizes]) for sizes in sorted(alike)]
    k = len(grids)
    center = _center(patterns, k)
    total, cross = np.zeros((len(patterns), 2 * k)), np.zeros((len(patterns), 2 * k, 2 * k))
    for index, pattern in enumerate(patterns):
        shifts = tuple(pattern.sizes[place // k] * center[place % k] for place in range(2 * k))
        _move(pattern.sums, shifts, (*grids, *grids), total[index], cross[index])
    return ClusterPatterns(
        clusters=np.array([pattern.sums.clusters for pattern in patterns], dtype=np.int64),
        n_treated=np.array([pattern.sizes[0] for pattern in patterns], dtype=np.int64),
        n_control=np.array([pattern.sizes[1] for pattern in patterns], dtype=np.int64),
        total=total,
        cross=cross,
        center=np.array([unscaled(value, grid.shift) for value, grid in zip(center, grids, strict=True)]),
        clusters_treated=sum(pattern.sums.clusters for pattern in patterns if pattern.sizes[0]),
        clusters_control=sum(pattern.sums.clusters for pattern in patterns if pattern.sizes[1]),
    )


def _move(sums: Sums, shifts: tuple[int, ...], grids: tuple[Grid, ...], total: np.ndarray, cross: np.ndarray) -> None:
    """Write the sums and products of clusters from which `shifts` are subtracted, each rounded once."""
    for a, shift in enumerate(shifts):
        total[a] = unscaled(sums.totals[a] - sums.clusters * shift, grids[a].shift)
    for (a, b), product in zip(_triangle(len(shifts)), sums.crosses, strict=True):
        moved = product - shifts[a] * sums.totals[b] - shifts[b] * sums.totals[a]
        moved += sums.clusters * shifts[a] * shifts[b]
        cross[a, b] = cross[b, a] = unscaled(moved, grids[a].shift + grids[b].shift)


def _triangle(size: int) -> Iterator[tuple[int, int]]:
    return ((a, b) for a in range(size) for b in range(a, size))


def _center(found: Sequence[Pattern], k: int) -> tuple[int, ...]:
    """Return the overall means on the grid, with no more bits than a float keeps exactly."""
    units = sum(pattern.sums.clusters * sum(pattern.sizes) for pattern in found)
    if not units:
        return (0,) * k
    totals = [pattern.sums.totals for pattern in found]
    means = (sum(mine[c] + mine[k + c] for mine in totals) // units for c in range(k))
    return tuple(_shortened(mean) for mean in means)


def _shortened(number: int) -> int:
    spare = max(number.bit_length() - _MANTISSA, 0)
    return (number >> spare) << spare
