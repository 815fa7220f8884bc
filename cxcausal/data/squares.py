"""The second pass of a regression: residuals' squares and products over one less leverage, summed exactly per arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import ibis

from cxcausal.core.answers import Key
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import Grid, grid_for, on_grid, unscaled
from cxcausal.data.gram import Cell
from cxcausal.data.lines import Line, Spread

Pair = tuple[int, int]
"""Two components by their places, or one twice."""
_LINES = "regression_lines"
_FULL = 1e-9
"""A unit with no more than this left beside its leverage has no residual of its own."""


@dataclass(frozen=True, kw_only=True)
class Squares:
    """One arm: HC2 variances and covariances of adjusted means by pair of components, and the largest leverage."""

    products: Mapping[Pair, float]
    leverage: float


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The lines of all groups of one grouping, and the places of its columns among those of the cells."""

    places: tuple[int, ...]
    spreads: Mapping[Key, Spread]

    def key(self, cell: Cell) -> tuple[Key, str]:
        """Return the group that a cell belongs to, and its arm."""
        arm, *values = cell
        return tuple(values[place] for place in self.places), arm

    def line(self, cell: Cell) -> tuple[Line, tuple[int, ...]] | None:
        """Return the line of a cell's group and arm with the columns that it keeps, where one was fitted."""
        key, arm = self.key(cell)
        line = self.spreads[key].lines.get(arm)
        return None if line is None else (line, self.spreads[key].kept)

    @property
    def used(self) -> tuple[int, ...]:
        """The columns that any group keeps."""
        return tuple(sorted({at for spread in self.spreads.values() for at in spread.kept}))


@dataclass(frozen=True, kw_only=True)
class _Summed:
    """One grouping: the grids of the pairs, and per numbered cell the largest leverage and the sums on those grids."""

    grids: tuple[Grid, ...]
    cells: Mapping[int, tuple[float, tuple[int, ...]]]


def coefficients_of(k: int, components: int) -> int:
    """Return how many numbers a line has, for k columns and some components of measures.

    Example:
        >>> coefficients_of(1, 1)
        6
    """
    return 1 + components + k * (2 + components) + k * (k + 1) // 2


def squared(
    engine: Engine, rows: Table, groupings: Sequence[Grouping], cells: Sequence[Cell], pairs: Sequence[Pair]
) -> tuple[Mapping[Key, Mapping[str, Squares]], ...]:
    """Return, per grouping, group and arm, Σ w²e² / (1 − h): HC2 of the fitted means at the covariates' mean.

    Lines come to the units as a small table, one row per cell with the lines of all its groups, so that residual e,
    leverage h and weight w are expressions per unit
    (MacKinnon & White 1985, https://doi.org/10.1016/0304-4076(85)90158-7). They are computed twice, once for the
    largest part and once for the sum: that costs less than keeping a number per unit, and no memory.

    Args:
        engine: computes.
        rows: `arm`, the groups `g0`…, covariates `z0`… and components `y0`…, none of them null.
        groupings: the lines of every group's arms.
        cells: every arm with values of the groups that has rows.
        pairs: the components whose residuals e are multiplied, each with itself and with the others of its measure.
    """
    fitted = [cell for cell in cells if any(one.line(cell) for one in groupings)]
    if not fitted:
        return tuple({} for _ in groupings)
    keys = [name for name in rows.columns if name == "arm" or name.startswith("g")]
    told = {f"t{at}_": one for at, one in enumerate(groupings) if any(map(one.line, fitted))}
    lines = engine.load(_LINES, _columns(keys, told, fitted))
    sums = _summed(engine, _per_unit(rows.inner_join(lines, keys), told, pairs), tuple(told), pairs)
    engine.forget(_LINES)
    tables = {name: _told(grouping, fitted, sums[name], pairs) for name, grouping in told.items()}
    return tuple(tables.get(f"t{at}_", {}) for at in range(len(groupings)))


def _columns(
    keys: Sequence[str], told: Mapping[str, Grouping], cells: Sequence[Cell]
) -> dict[str, Sequence[str | float | None]]:
    """Return the lines of all groupings, one row per numbered cell; None where a cell's group has none."""
    columns: dict[str, Sequence[str | float | None]] = {"cell": range(len(cells))}
    columns |= {name: [cell[at] for cell in cells] for at, name in enumerate(keys)}
    for prefix, grouping in told.items():
        records = [_record(found, grouping.used) for found in map(grouping.line, cells)]
        names = next(tuple(record) for record in records if record)
        columns |= {f"{prefix}{name}": [one.get(name) for one in records] for name in names}
    return columns


def _record(found: tuple[Line, tuple[int, ...]] | None, used: Sequence[int]) -> dict[str, float]:
    """Return the numbers of a line; a column that its group dropped has zeros."""
    if found is None:
        return {}
    line, place = found[0], {at: place for place, at in enumerate(found[1])}
    record = {"each": 1 / line.n, **{f"mean{index}": float(mean) for index, mean in enumerate(line.means)}}
    for at in used:
        own = place.get(at)
        record[f"c{at}"] = 0.0 if own is None else float(line.center[own])
        record[f"w{at}"] = 0.0 if own is None else float(line.direction[own])
        for index in range(len(line.means)):
            record[f"b{index}_{at}"] = 0.0 if own is None else float(line.slopes[own, index])
        for other in (one for one in used if one <= at):
            empty = own is None or other not in place
            record[f"r{at}_{other}"] = 0.0 if empty else float(line.root[place[at], place[other]])
    return record


def _per_unit(joined: Table, told: Mapping[str, Grouping], pairs: Sequence[Pair]) -> Table:
    """Return per unit its cell, and per grouping the leverage and, per pair of components, w²e² / (1 − h)."""
    components = tuple(dict.fromkeys(one for one, _ in pairs))
    used = {prefix: grouping.used for prefix, grouping in told.items()}
    distances = {f"{t}d{at}": joined[f"z{at}"] - joined[f"{t}c{at}"] for t, own in used.items() for at in own}
    away = joined.mutate(**distances)
    staged: dict[str, Value] = {}
    for prefix, own in used.items():
        staged |= _staged(away, prefix, own, components)
    known = away.mutate(**staged)
    squares = {t: _sum([known[f"{t}v{at}"] * known[f"{t}v{at}"] for at in own]) for t, own in used.items()}
    known = known.mutate(**{f"{t}leverage": known[f"{t}each"] + square for t, square in squares.items()})
    parts = {f"{t}u{one}_{two}": _part(known, t, one, two) for t in told for one, two in pairs}
    return known.select("cell", *(f"{t}leverage" for t in told), **parts)


def _staged(away: Table, t: str, used: Sequence[int], components: Sequence[int]) -> dict[str, Value]:
    """Return a grouping's whitened distances, weight and residuals."""
    staged: dict[str, Value] = {
        f"{t}v{at}": _sum([away[f"{t}r{at}_{other}"] * away[f"{t}d{other}"] for other in used if other <= at])
        for at in used
    }
    staged[f"{t}weight"] = away[f"{t}each"] + _sum([away[f"{t}w{at}"] * away[f"{t}d{at}"] for at in used])
    for index in components:
        slopes = [away[f"{t}b{index}_{at}"] * away[f"{t}d{at}"] for at in used]
        staged[f"{t}e{index}"] = away[f"y{index}"] - (away[f"{t}mean{index}"] + _sum(slopes))
    return staged


def _part(known: Table, t: str, one: int, two: int) -> Value:
    weight, left = known[f"{t}weight"], 1 - known[f"{t}leverage"]
    return ibis.ifelse(left > _FULL, (weight * known[f"{t}e{one}"]) * (weight * known[f"{t}e{two}"]) / left, 0.0)


def _summed(engine: Engine, parts: Table, told: Sequence[str], pairs: Sequence[Pair]) -> dict[str, _Summed]:
    """Return every grouping's sums, taken in fixed point on grids as fine as its largest parts allow."""
    names = {f"{t}u{one}_{two}": one == two for t in told for one, two in pairs}
    sizes = {name: parts[name] if square else parts[name].abs() for name, square in names.items()}
    largest = engine.fetch(parts.aggregate(**{name: size.max() for name, size in sizes.items()}))[0]
    grids = {name: grid_for(part or 0.0, whole=False) for name, part in zip(names, largest, strict=True)}
    leverages = [f"{t}leverage" for t in told]
    whole = parts.select("cell", *leverages, **{name: on_grid(parts[name], grid) for name, grid in grids.items()})
    wanted = {name: whole[name].max() for name in leverages} | {name: whole[name].sum() for name in grids}
    rows = engine.fetch(whole.group_by("cell").aggregate(**wanted))
    found = {}
    for at, prefix in enumerate(told):
        first = 1 + len(told) + at * len(pairs)
        own = {row[0]: (row[1 + at], tuple(row[first : first + len(pairs)])) for row in sorted(rows)}
        mine = tuple(grid for name, grid in grids.items() if name.startswith(prefix))
        found[prefix] = _Summed(grids=mine, cells=own)
    return found


def _told(
    grouping: Grouping, cells: Sequence[Cell], summed: _Summed, pairs: Sequence[Pair]
) -> Mapping[Key, Mapping[str, Squares]]:
    """Add up the cells of every group's arms; each sum is rounded once."""
    found: dict[tuple[Key, str], list[tuple[float, tuple[int, ...]]]] = {}
    for number, own in summed.cells.items():
        if grouping.line(cells[number]):
            found.setdefault(grouping.key(cells[number]), []).append(own)
    told: dict[Key, dict[str, Squares]] = {}
    for (key, arm), parts in found.items():
        totals = (sum(column) for column in zip(*(sums for _, sums in parts), strict=True))
        rounded = (unscaled(total, grid.shift) for total, grid in zip(totals, summed.grids, strict=True))
        leverage = max(largest for largest, _ in parts)
        told.setdefault(key, {})[arm] = Squares(products=dict(zip(pairs, rounded, strict=True)), leverage=leverage)
    return told


def _sum(terms: Sequence[Value]) -> Value:
    return reduce(add, terms)
