"""The first pass of a regression: exact sums and products of its columns per cell, some hundreds to a statement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise

import numpy as np

from cxcausal.data.engine import Engine, Table
from cxcausal.data.exact import Grid, Products, on_grid, unscaled, with_halves
from cxcausal.data.lines import Sums

MOST_PAIRS = 200
"""Products in one statement: with more, what the engine holds of a chunk of rows leaves the processor's cache."""
_BLOCK = 14
Pair = tuple[int, int]
Cell = tuple[str, ...]
"""An arm and the values of the groups."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Exact sums over one cell, on the columns' grids: its units, every column's sum, and products of pairs."""

    n: int
    sums: Mapping[int, int]
    products: Mapping[Pair, int]

    def plus(self, other: "Totals") -> "Totals":
        """Return the sums over both cells."""
        return Totals(
            n=self.n + other.n,
            sums={at: total + other.sums[at] for at, total in self.sums.items()},
            products={pair: total + other.products[pair] for pair, total in self.products.items()},
        )

    def centred(self, grids: Sequence[Grid], k: int) -> Sums:
        """Return means and centred cross-products, each rounded once.

        Args:
            grids: of the columns.
            k: how many of them are covariates.
        """
        found = np.zeros((len(grids), len(grids)))
        for (left, right), product in self.products.items():
            exact = self.n * product - self.sums[left] * self.sums[right]
            found[left, right] = found[right, left] = unscaled(exact, grids[left].shift + grids[right].shift, self.n)
        mean = np.array([unscaled(self.sums[at], grid.shift, self.n) for at, grid in enumerate(grids)])
        return Sums(n=self.n, mean=mean, gram=found[:k, :k], cross=found[:k, k:])


def totals_of(
    engine: Engine, rows: Table, names: Sequence[str], grids: Sequence[Grid], k: int
) -> Mapping[Cell, Totals]:
    """Return the sums of every cell that has rows, sorted.

    Args:
        engine: computes.
        rows: `arm`, the groups `g0`…, and the columns, none of them null.
        names: the columns, the k covariates first.
        grids: of the columns.
        k: only products with a covariate are taken.
    """
    found: dict[Cell, Totals] = {}
    for tile in _tiles(k, len(names)):
        for cell, totals in _summed(engine, rows, names, grids, tile):
            before = found.get(cell)
            found[cell] = totals if before is None else _joined(before, totals)
    return dict(sorted(found.items()))


def pairs_of(k: int, width: int) -> tuple[Pair, ...]:
    """Return the pairs of covariates, and of covariates and other columns.

    Example:
        >>> pairs_of(2, 3)
        ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2))
    """
    return (*combinations_with_replacement(range(k), 2), *((z, y) for z in range(k) for y in range(k, width)))


@dataclass(frozen=True, kw_only=True)
class _Tile:
    """What one statement sums: columns, and products of pairs of columns."""

    sums: tuple[int, ...]
    pairs: tuple[Pair, ...]

    @property
    def columns(self) -> tuple[int, ...]:
        """All columns that it reads."""
        return tuple(sorted({*self.sums, *(at for pair in self.pairs for at in pair)}))


def _tiles(k: int, width: int) -> Iterator[_Tile]:
    """Yield one tile with everything, or blocks of columns against blocks of columns."""
    pairs = pairs_of(k, width)
    if len(pairs) <= MOST_PAIRS:
        yield _Tile(sums=tuple(range(width)), pairs=pairs)
        return
    edges = [*range(0, k, _BLOCK), *range(k, width, _BLOCK), width]
    blocks = [range(start, end) for start, end in pairwise(edges)]
    for place, block in enumerate(blocks):
        for other in blocks[: place + 1]:
            inside = tuple((z, at) for z in other for at in block if z < k and z <= at)
            own = tuple(block) if other is blocks[0] else ()
            if inside:
                yield _Tile(sums=own, pairs=inside)


def _summed(
    engine: Engine, rows: Table, names: Sequence[str], grids: Sequence[Grid], tile: _Tile
) -> Iterator[tuple[Cell, Totals]]:
    """Run one statement."""
    keys = [name for name in rows.columns if name == "arm" or name.startswith("g")]
    products = {pair: _product(pair, grids) for pair in tile.pairs}
    whole = rows.select(*keys, **{f"q{at}": on_grid(rows[names[at]], grids[at]) for at in tile.columns})
    halved = with_halves(whole, list(dict.fromkeys(name for one in products.values() for name in _halved(one))))
    wanted = {"n": halved.count(), **{f"q{at}_sum": halved[f"q{at}"].sum() for at in tile.sums}}
    for product in products.values():
        wanted |= product.sums(halved)
    for row in engine.fetch(halved.group_by(keys).aggregate(**wanted)):
        n, *numbers = row[len(keys) :]
        rest, crosses = numbers[len(tile.sums) :], {}
        for pair, product in products.items():
            crosses[pair] = product.total(rest[: len(product.names)])
            rest = rest[len(product.names) :]
        sums = dict(zip(tile.sums, numbers, strict=False))
        yield tuple(row[: len(keys)]), Totals(n=n, sums=sums, products=crosses)


def _product(pair: Pair, grids: Sequence[Grid]) -> Products:
    left, right = pair
    split = not (grids[left].small and grids[right].small)
    return Products(left=f"q{left}", right=f"q{right}", prefix=f"x{left}_{right}", split=split)


def _halved(product: Products) -> tuple[str, ...]:
    return (product.left, product.right) if product.split else ()


def _joined(mine: Totals, other: Totals) -> Totals:
    """Return what two statements say of the same cell."""
    return Totals(n=mine.n, sums={**mine.sums, **other.sums}, products={**mine.products, **other.products})
