"""The second pass of a regression: residuals' squares and products over one less leverage, summed exactly per arm."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import ibis

from cxcausal.core.answers import Key
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.exact import grid_for, on_grid, unscaled
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


def squared(
    engine: Engine, rows: Table, groups: Mapping[Key, Spread], pairs: Sequence[Pair]
) -> dict[Key, dict[str, Squares]]:
    """Return, per group and arm, Σ w²e² / (1 − h): HC2 of the fitted means at the covariates' mean.

    Lines come to the units as a small table, so that residual e, leverage h and weight w are expressions per unit
    (MacKinnon & White 1985, https://doi.org/10.1016/0304-4076(85)90158-7). They are computed twice, once for the
    largest part and once for the sum: that costs less than keeping a number per unit, and no memory.

    Args:
        engine: computes.
        rows: `arm`, the groups `g0`…, covariates `z0`… and components `y0`…, none of them null.
        groups: the lines of every group's arms.
        pairs: the components whose residuals e are multiplied, each with itself and with the others of its measure.
    """
    table = _lines(groups)
    if not table["arm"]:
        return {}
    keys = [name for name in rows.columns if name == "arm" or name.startswith("g")]
    lines = engine.load(_LINES, table)
    parts = _per_unit(rows.inner_join(lines, keys), pairs)
    places = [(key, arm) for key, spread in groups.items() for arm in spread.lines]
    found: dict[Key, dict[str, Squares]] = {}
    for line, squares in _summed(engine, parts, pairs):
        key, arm = places[line]
        found.setdefault(key, {})[arm] = squares
    engine.forget(_LINES)
    return found


def _lines(groups: Mapping[Key, Spread]) -> dict[str, list[str | float]]:
    """Return the lines as numbered rows, one per group and arm; a column that a group dropped has zeros."""
    used = sorted({at for spread in groups.values() for at in spread.kept})
    records = [
        _record(key, arm, line, {at: place for place, at in enumerate(spread.kept)}, used)
        for key, spread in groups.items()
        for arm, line in spread.lines.items()
    ]
    names = records[0] if records else {"arm": ""}
    places = range(len(records))
    return {"line": list(places), **{name: [record[name] for record in records] for name in names}}


def _record(key: Key, arm: str, line: Line, place: Mapping[int, int], used: Sequence[int]) -> dict[str, str | float]:
    record: dict[str, str | float] = {"arm": arm, **{f"g{index}": value for index, value in enumerate(key)}}
    record |= {"each": 1 / line.n, **{f"mean{index}": float(mean) for index, mean in enumerate(line.means)}}
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


def _per_unit(joined: Table, pairs: Sequence[Pair]) -> Table:
    """Return per unit its line, the leverage, and per pair of components w²e² / (1 − h)."""
    used = [int(name[1:]) for name in joined.columns if name.startswith("w")]
    away = joined.mutate(**{f"d{at}": joined[f"z{at}"] - joined[f"c{at}"] for at in used})
    staged: dict[str, Value] = {
        f"v{at}": _sum([away[f"r{at}_{other}"] * away[f"d{other}"] for other in used if other <= at]) for at in used
    }
    staged["weight"] = away.each + _sum([away[f"w{at}"] * away[f"d{at}"] for at in used])
    for index in dict.fromkeys(one for one, _ in pairs):
        fitted = away[f"mean{index}"] + _sum([away[f"b{index}_{at}"] * away[f"d{at}"] for at in used])
        staged[f"e{index}"] = away[f"y{index}"] - fitted
    known = away.mutate(**staged)
    known = known.mutate(leverage=known.each + _sum([known[f"v{at}"] * known[f"v{at}"] for at in used]))
    parts = {f"u{one}_{two}": _part(known, known[f"e{one}"], known[f"e{two}"]) for one, two in pairs}
    return known.select("line", "leverage", **parts)


def _part(known: Table, one: Value, two: Value) -> Value:
    left = 1 - known.leverage
    return ibis.ifelse(left > _FULL, (known.weight * one) * (known.weight * two) / left, 0.0)


def _summed(engine: Engine, parts: Table, pairs: Sequence[Pair]) -> Iterator[tuple[int, Squares]]:
    """Yield every line's sums, taken in fixed point on a grid as fine as the largest part allows."""
    names = [f"u{one}_{two}" for one, two in pairs]
    sizes = {
        name: parts[name] if one == two else parts[name].abs() for name, (one, two) in zip(names, pairs, strict=True)
    }
    largest = engine.fetch(parts.aggregate(**{name: size.max() for name, size in sizes.items()}))[0]
    grids = [grid_for(part or 0.0, whole=False) for part in largest]
    on_grids = {name: on_grid(parts[name], grid) for name, grid in zip(names, grids, strict=True)}
    whole = parts.select("line", "leverage", **on_grids)
    sums = {"leverage": whole.leverage.max(), **{name: whole[name].sum() for name in names}}
    for line, leverage, *totals in engine.fetch(whole.group_by("line").aggregate(**sums)):
        summed = (unscaled(total, grid.shift) for total, grid in zip(totals, grids, strict=True))
        yield line, Squares(products=dict(zip(pairs, summed, strict=True)), leverage=leverage)


def _sum(terms: Sequence[Value]) -> Value:
    return reduce(add, terms)
