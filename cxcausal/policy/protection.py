"""How the recommended rule treats the levels of protected columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats, Text
from cxcausal.core.small_cells import is_small
from cxcausal.core.whom import ProtectedGroup, Told
from cxcausal.policy.groups import LEAST_OF_ARM, levels_of
from cxcausal.policy.worth import Judging, Part


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A rule on the customers judged: the chance that each is contacted, and what each gains, shape (m,)."""

    contacted: Floats
    gains: Floats
    judging: Judging


def protected_groups(
    columns: Mapping[str, Text], units: Places, rule: Judged, alpha: float
) -> tuple[tuple[ProtectedGroup, ...], tuple[str, ...]]:
    """Return every level's share of contacted customers and its gain, and sentences about levels not told.

    Intervals hold together for the levels of a column. Levels of fewer than ten customers are not told.

    Args:
        columns: protected ones over all rows.
        units: places of the customers judged.
        rule: on them.
        alpha: error level.
    """
    weight = rule.judging.weight
    found: list[ProtectedGroup] = []
    notes = []
    for name, column in columns.items():
        levels = levels_of(column, units)
        told = [(level, inside) for level, inside in levels if not is_small(int(inside.sum()))]
        judged = [(level, inside) for level, inside in told if inside.sum() >= 2 * LEAST_OF_ARM]
        family = [Part(values=rule.gains, weight=weight * inside) for _, inside in judged]
        own = dict(
            zip([level for level, _ in judged], rule.judging.together(family, alpha) if family else (), strict=True)
        )
        for level, inside in told:
            group = ProtectedGroup(
                column=name,
                level=level,
                n=int(inside.sum()),
                share=float(np.average(inside, weights=weight)),
                contacted=float(np.average(rule.contacted[inside], weights=weight[inside])),
                gain=own.get(level, Told()),
            )
            found.append(group)
        if len(told) < len(levels):
            notes.append(f"Levels of '{name}' with fewer than ten customers are not told.")
    return tuple(found), tuple(notes)
