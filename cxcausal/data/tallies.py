"""Exact sums of one group of units: read from the engine's row, added to others, and turned into moments."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cxcausal.core.answers import Moments
from cxcausal.data.engine import Table, Value
from cxcausal.data.exact import Grid, Products, on_grid, pairs_of, unscaled
from cxcausal.data.subjects import Component


@dataclass(kw_only=True)
class Tally:
    """Exact sums that add up over groups without rounding.

    Attributes:
        units: all units of the group.
        n: those that count, with a value.
        events: those with a value other than zero.
        sums: Σ q per component, on its grid.
        crosses: Σ q_a · q_b, the upper triangle.
        low: the smallest value of the first component.
        high: the largest.
    """

    units: int = 0
    n: int = 0
    events: int = 0
    sums: list[int] = field(default_factory=list)
    crosses: list[int] = field(default_factory=list)
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, other: "Tally") -> None:
        """Add another group's sums to these."""
        self.units += other.units
        self.n += other.n
        self.events += other.events
        self.sums = _added(self.sums, other.sums)
        self.crosses = _added(self.crosses, other.crosses)
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)


@dataclass(frozen=True, kw_only=True)
class Summand:
    """How the components of one subject are named in a grouped query, and how its tally is read from a row of it.

    Attributes:
        prefix: of the names.
        grids: of the components.
        products: of every pair of components.
        complete: every unit counts.
        signs: the one component is −1, 0 or 1, so that its sum and that of its squares say all of it.
    """

    prefix: str
    grids: tuple[Grid, ...]
    products: tuple[Products, ...]
    complete: bool
    signs: bool

    @property
    def components(self) -> tuple[str, ...]:
        """The columns of whole numbers, one per component."""
        return tuple(f"{self.prefix}_q{component}" for component in range(len(self.grids)))

    @property
    def split(self) -> tuple[str, ...]:
        """The columns of which the halves are needed."""
        return tuple(name for product in self.products if product.split for name in (product.left, product.right))

    @property
    def own(self) -> tuple[str, ...]:
        """What is asked of the first component as it is."""
        return (*(() if self.complete else ("n",)), *(() if self.signs else ("events", "low", "high")))

    @property
    def width(self) -> int:
        """How many columns `sums` computes."""
        return len(self.own) + len(self.grids) + sum(len(product.names) for product in self.products)

    def values(self, parts: Sequence[Component]) -> dict[str, Value]:
        """Return the expressions per unit: the first component as it is, and all of them on their grids."""
        on_grids = (on_grid(part.value, grid) for part, grid in zip(parts, self.grids, strict=True))
        return {f"{self.prefix}_value": parts[0].value, **dict(zip(self.components, on_grids, strict=True))}

    def sums(self, table: Table) -> dict[str, Value]:
        """Return the aggregates, in the order that `tally` reads."""
        value = table[f"{self.prefix}_value"]
        known = {"n": value.count, "events": (value != 0).sum, "low": value.min, "high": value.max}
        named = {f"{self.prefix}_{name}": known[name]() for name in self.own}
        named |= {f"{name}_sum": table[name].sum() for name in self.components}
        for product in self.products:
            named |= product.sums(table)
        return named

    def tally(self, row: Sequence[int | None], units: int) -> Tally:
        """Return the sums that one row holds."""
        own, rest = dict(zip(self.own, row, strict=False)), row[len(self.own) :]
        sums, rest = [total or 0 for total in rest[: len(self.grids)]], rest[len(self.grids) :]
        crosses = []
        for product in self.products:
            crosses.append(product.total(rest[: len(product.names)]))
            rest = rest[len(product.names) :]
        n = units if self.complete else own["n"] or 0
        if self.signs:
            return _of_signs(units, n, sums[0], crosses[0])
        low, high = own["low"], own["high"]
        return Tally(
            units=units,
            n=n,
            events=own["events"] or 0,
            sums=sums,
            crosses=crosses,
            low=float("inf") if low is None else low,
            high=float("-inf") if high is None else high,
        )


def _of_signs(units: int, n: int, total: int, squares: int) -> Tally:
    """Return the tally of values that are −1, 0 or 1: their squares count those that aren't 0."""
    found = {-1.0: (squares - total) // 2, 0.0: n - squares, 1.0: (squares + total) // 2}
    present = [value for value, count in found.items() if count] or [float("inf"), float("-inf")]
    low, high = present[0], present[-1]
    return Tally(units=units, n=n, events=squares, sums=[total], crosses=[squares], low=low, high=high)


def summand_of(prefix: str, parts: Sequence[Component], *, complete: bool) -> Summand:
    """Return the summand of a subject's components; `complete` where every unit counts."""
    grids = tuple(part.grid() for part in parts)
    names = [f"{prefix}_q{component}" for component in range(len(parts))]
    products = pairs_of(names, dict(zip(names, grids, strict=True)), f"{prefix}_x")
    signs = len(parts) == 1 and parts[0].whole and parts[0].largest <= 1
    return Summand(prefix=prefix, grids=grids, products=products, complete=complete, signs=signs)


def _added(mine: list[int], others: list[int]) -> list[int]:
    return [a + b for a, b in zip(mine, others, strict=True)] if mine else list(others)


def moments_of(cell: Tally, grids: Sequence[Grid]) -> Moments:
    """Return count, means and centred cross-products, each rounded once."""
    k = len(grids)
    mean, m2 = np.full(k, np.nan), np.zeros((k, k))
    if cell.n == 0:
        return Moments(n=0, mean=mean, m2=m2)
    places = [(a, b) for a in range(k) for b in range(a, k)]
    for (a, b), cross in zip(places, cell.crosses, strict=True):
        centred = cell.n * cross - cell.sums[a] * cell.sums[b]
        m2[a, b] = m2[b, a] = unscaled(centred, grids[a].shift + grids[b].shift, cell.n)
    mean[:] = [unscaled(total, grid.shift, cell.n) for total, grid in zip(cell.sums, grids, strict=True)]
    return Moments(n=cell.n, mean=mean, m2=m2, events=cell.events, low=cell.low, high=cell.high)
