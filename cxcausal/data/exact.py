"""Sums that don't depend on order: every value becomes a whole number on a common binary grid before it is added.

A component x with |x| ≤ B is rounded to q = round(x · 2^k), |q| ≤ 2^60, which keeps 53 significant bits of values near
B. Squares and products need twice the bits, so q is split into q = h · 2^30 + l with 0 ≤ l < 2^30, and the engine adds
h·h, h·l and l·l, none of which overflows 64 bits. All further arithmetic is on integers of any size: one pass is
enough, nothing cancels, and the results are the same to the bit for every order, chunk and number of threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import frexp

from cxcausal.data.engine import Table, Value

WORD = 60
HALF = 30
_MASK = (1 << HALF) - 1
_FINEST = 1_000


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How a component becomes whole numbers: q = round(x · 2^shift); `small` says that q · q fits a word."""

    shift: int
    small: bool


def grid_for(largest: float, *, whole: bool, added: int = 1) -> Grid:
    """Return the finest grid on which sums of `added` values of at most this size fit a word.

    Example:
        >>> grid_for(1.0, whole=True)
        Grid(shift=0, small=True)
        >>> grid_for(500.0, whole=False)
        Grid(shift=51, small=False)
    """
    bits = frexp(largest)[1] + max(added - 1, 0).bit_length()
    if whole and bits <= HALF:
        return Grid(shift=0, small=True)
    return Grid(shift=min(WORD - bits, _FINEST), small=False)


def on_grid(value: Value, grid: Grid) -> Value:
    """Return the whole number of a float expression; multiplying by a power of two is exact."""
    return (value if grid.shift == 0 else value * 2.0**grid.shift).cast("int64")


@dataclass(frozen=True, kw_only=True)
class Products:
    """Names of the summed columns that make up Σ q_a · q_b for one pair of components.

    Attributes:
        left, right: columns of whole numbers.
        prefix: of the summed columns.
        split: whether the halves are summed apart.
    """

    left: str
    right: str
    prefix: str
    split: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The summed columns, highest half first."""
        return tuple(f"{self.prefix}_{part}" for part in ("hh", "hl", "ll")) if self.split else (self.prefix,)

    def sums(self, table: Table) -> dict[str, Value]:
        """Return the sums to compute over a table that has the halves (see `with_halves`)."""
        if not self.split:
            return {self.prefix: (table[self.left] * table[self.right]).sum()}
        high, low = (table[f"{self.left}_h"], table[f"{self.left}_l"])
        other_high, other_low = (table[f"{self.right}_h"], table[f"{self.right}_l"])
        middle = high * low if self.left == self.right else high * other_low + low * other_high
        return dict(zip(self.names, ((high * other_high).sum(), middle.sum(), (low * other_low).sum()), strict=True))

    def total(self, summed: Sequence[int | None]) -> int:
        """Return Σ q_a · q_b from the summed columns, exactly."""
        if not self.split:
            return summed[0] or 0
        high, middle, low = (part or 0 for part in summed)
        doubled = 1 if self.left == self.right else 0
        return (high << WORD) + (middle << (HALF + doubled)) + low


def with_halves(table: Table, names: Sequence[str]) -> Table:
    """Return the table with the two halves of each named column of whole numbers."""
    halves: dict[str, Value] = {}
    for name in names:
        halves[f"{name}_h"] = table[name] >> HALF
        halves[f"{name}_l"] = table[name] & _MASK
    return table.mutate(**halves) if halves else table


def unscaled(total: int, shift: int, divisor: int = 1) -> float:
    """Return total / (divisor · 2^shift), rounded once.

    Example:
        >>> unscaled(3, 1, 2)
        0.75
    """
    return total / (divisor << shift) if shift >= 0 else (total << -shift) / divisor


def pairs_of(names: Sequence[str], grids: Mapping[str, Grid], prefix: str) -> tuple[Products, ...]:
    """Return the products of every pair of components, in the order of an upper triangle."""
    return tuple(
        Products(
            left=left,
            right=right,
            prefix=f"{prefix}_{first}_{first + offset}",
            split=not (grids[left].small and grids[right].small),
        )
        for first, left in enumerate(names)
        for offset, right in enumerate(names[first:])
    )
