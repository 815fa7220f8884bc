"""The moments of truth: touchpoint or intent × segment, and the arm that gains most there, if any reliably does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxcausal.core.held_out import Side
from cxcausal.core.rows import Flags, Text
from cxcausal.core.small_cells import SMALLEST_CELL, is_small
from cxcausal.core.whom import Moment, MomentMap, Told
from cxcausal.policy.groups import LEAST_OF_ARM, enough, levels_of
from cxcausal.policy.seen import Setting
from cxcausal.policy.worth import Judging, Part

FIRST = ("touchpoint", "intent", "moment")
"""Words in a segment's name that make it the rows of the map."""
MOST_LEVELS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cell:
    row: str
    column: str
    inside: Flags


def crossed(segments: Mapping[str, Text]) -> tuple[str, ...]:
    """Return the one or two segments that are crossed: a touchpoint or intent first, else in the plan's order.

    Example:
        >>> empty = Text(codes=np.zeros(0, np.int32), levels=())
        >>> crossed({"tier": empty, "intent": empty, "region": empty})
        ('intent', 'tier')
    """
    first = [name for name in segments if any(word in name.lower() for word in FIRST)]
    return tuple(dict.fromkeys((*first[:1], *segments)))[:2]


def map_of(segments: Mapping[str, Text], side: Side, setting: Setting, alpha: float) -> MomentMap | None:
    """Return the map, with intervals that hold for all its cells and arms on offer together; None without any.

    Levels of fewer than ten customers have no row or column: their name would be told.
    """
    names = crossed(segments)
    if not names:
        return None
    cells = _cells([_named(segments[name], side) for name in names])
    arms, judging = setting.rows.arms, Judging.of(setting.rows, setting.weight, [side.units])
    asked = [(at, place) for at, cell in enumerate(cells) for place in setting.offered[1:]
             if enough(cell.inside, judging.arm, place)]  # fmt: skip
    family = [Part(values=side.scores[:, place] - side.scores[:, 0], weight=judging.weight * cells[at].inside)
              for at, place in asked]  # fmt: skip
    told = judging.together(family, alpha) if family else ()
    gains: list[dict[str, Told]] = [{} for _ in cells]
    for (at, place), one in zip(asked, told, strict=True):
        gains[at][arms[place]] = one
    offered = tuple(arms[place] for place in setting.offered)
    return MomentMap(
        rows=names[0],
        columns=names[1] if len(names) > 1 else "",
        cells=tuple(_moment(cell, own, offered) for cell, own in zip(cells, gains, strict=True)),
        level=1 - alpha,
    )


def _named(column: Text, side: Side) -> list[tuple[str, Flags]]:
    """Return the commonest levels that may be named."""
    levels = levels_of(column, side.units)[:MOST_LEVELS]
    return [(level, inside) for level, inside in levels if not is_small(int(inside.sum()))]


def _cells(levels: list[list[tuple[str, Flags]]]) -> list[_Cell]:
    across = levels[1] if len(levels) > 1 else [("", np.ones(1, dtype=bool))]
    return [_Cell(row=row, column=column, inside=one & other) for row, one in levels[0] for column, other in across]


def _moment(cell: _Cell, gains: Mapping[str, Told], arms: tuple[str, ...]) -> Moment:
    n = int(cell.inside.sum())
    if not gains:
        few = f"fewer than {SMALLEST_CELL}" if is_small(n) else f"fewer than {LEAST_OF_ARM} per arm"
        return Moment(row=cell.row, column=cell.column, n=0 if is_small(n) else n, reason=few if n else "nobody")
    return Moment(row=cell.row, column=cell.column, n=n, arm=_best(gains, arms), gains=dict(gains))


def _best(gains: Mapping[str, Told], arms: tuple[str, ...]) -> str | None:
    """Return the arm with the best gain among those that reliably gain; the control where every arm reliably loses."""
    good = [arm for arm in arms if arm in gains and (gains[arm].low or 0.0) > 0]
    if good:
        return max(good, key=lambda arm: gains[arm].point or 0.0)
    lost = [arm in gains and (gains[arm].high or 0.0) < 0 for arm in arms[1:]]
    return arms[0] if all(lost) else None
