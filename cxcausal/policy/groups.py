"""Groups whom contact reliably harms or helps: declared segments, and leaves of a tree learned on other customers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import HeldOut, Places, Side
from cxcausal.core.rows import Flags, Text
from cxcausal.core.whom import GroupEffect, Rule, Told
from cxcausal.policy.question import Question
from cxcausal.policy.readable import gaining_tree, parting_tree, readable_tree
from cxcausal.policy.seen import Seen, Setting
from cxcausal.policy.splits import columns_of
from cxcausal.policy.trees import Tree
from cxcausal.policy.worth import NOTHING, Judging, Part

LEAST_OF_ARM = 20
"""Customers of the arm, and of the control, from which a group's gain is told."""
MOST_LEVELS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Customers of one kind among m, by name, and the place of the arm that it is asked about; 0 for every arm."""

    name: str
    inside: Flags
    arm: int = 0


def declared_groups(segments: Mapping[str, Text], side: Side) -> Iterator[Group]:
    """Yield the levels of declared segments, the commonest `MOST_LEVELS` of each."""
    for name, column in segments.items():
        for level, inside in levels_of(column, side.units)[:MOST_LEVELS]:
            yield Group(name=f"{name}: {level or 'missing'}", inside=inside)


def levels_of(column: Text, units: Places) -> list[tuple[str, Flags]]:
    """Return the levels that occur, the commonest first, with who is in each, shape (m,)."""
    codes = column.codes[units]
    counts = np.bincount(codes, minlength=len(column.levels))
    order = [int(place) for place in np.argsort(-counts, kind="stable") if counts[place]]
    return [(column.levels[place], codes == place) for place in order]


def enough(inside: Flags, arm: npt.NDArray[np.int8], place: int) -> bool:
    """Return whether both the arm and the control have customers enough in a group."""
    return min(int(np.sum(inside & (arm == place))), int(np.sum(inside & (arm == 0)))) >= LEAST_OF_ARM


def group_effects(
    groups: Sequence[Group], side: Side, setting: Setting, alpha: float, *, declared: bool
) -> tuple[GroupEffect, ...]:
    """Return every group's gain under every arm on offer, with intervals that hold for all of them together."""
    arms, judging = setting.rows.arms, Judging.of(setting.rows, setting.weight, [side.units])
    asked = [(group, place) for group in groups for place in setting.offered[1:]
             if group.arm in {0, place} and enough(group.inside, judging.arm, place)]  # fmt: skip
    if not asked:
        return ()
    family = [Part(values=side.scores[:, place] - side.scores[:, 0], weight=judging.weight * group.inside)
              for group, place in asked]  # fmt: skip
    whole = judging.weight.sum()
    return tuple(
        GroupEffect(
            name=group.name,
            arm=arms[place],
            n=int(group.inside.sum()),
            share=float(part.weight.sum() / whole),
            gain=told,
            declared=declared,
            harmed=told.high is not None and told.high < 0,
            helped=told.low is not None and told.low > 0,
        )
        for (group, place), part, told in zip(asked, family, judging.together(family, alpha), strict=True)
    )


def discovered(held: HeldOut, setting: Setting, question: Question) -> tuple[tuple[Rule, ...], tuple[GroupEffect, ...]]:
    """Return the readable rules of the first half of the customers with what they gain on the second, and groups.

    The rules' intervals hold for all of them together; so do those of the groups. Where means are scarce, the rules
    mind what they are worth. The groups of an arm are the leaves of the tree that gains most on scores, and of the one
    that best parts those whom it is predicted to help from those whom it is predicted to harm: predictions are far less
    noisy, so that small groups are found, and scores know what predictions smooth away.
    """
    learned, seen = setting.seen(held.half.learned), setting.seen(held.half.judged)
    return _rules(readable_tree(learned), seen, question.alpha), _groups(learned, seen, question.alpha / 2)


def _rules(tree: Tree, seen: Seen, alpha: float) -> tuple[Rule, ...]:
    setting = seen.setting
    leaf = tree.leaf_of(columns_of(setting.rows, tree.columns, seen.side.units), seen.m)
    judging = Judging.of(setting.rows, setting.weight, [seen.side.units])
    inside = [leaf == place for place in range(len(tree.leaves))]
    told = [place for place, each in enumerate(tree.leaves)
            if each.arm and enough(inside[place], judging.arm, each.arm)]  # fmt: skip
    family = [
        Part(values=seen.effects[:, tree.leaves[place].arm], weight=judging.weight * inside[place]) for place in told
    ]
    gains = dict(zip(told, judging.together(family, alpha) if family else (), strict=True))
    return tuple(
        Rule(
            condition=each.condition,
            arm=setting.rows.arms[each.arm],
            share=float(np.average(inside[place], weights=judging.weight)),
            gain=gains.get(place, Told() if each.arm else NOTHING),
        )
        for place, each in enumerate(tree.leaves)
    )


def _groups(learned: Seen, seen: Seen, alpha: float) -> tuple[GroupEffect, ...]:
    arms = seen.setting.offered[1:]
    trees = [(0, gaining_tree(learned)), *((arm, parting_tree(learned, arm)) for arm in arms)]
    found: dict[tuple[str, int], Group] = {}
    for arm, tree in trees:
        for group in _leaves(tree, seen, arm):
            if (group.name, 0) not in found:
                found[group.name, arm] = group
    return group_effects(tuple(found.values()), seen.side, seen.setting, alpha, declared=False)


def _leaves(tree: Tree, seen: Seen, arm: int) -> Iterator[Group]:
    """Yield the leaves of a tree, asked about one arm or all; none where it is one."""
    if len(tree.leaves) > 1:
        leaf = tree.leaf_of(columns_of(seen.setting.rows, tree.columns, seen.side.units), seen.m)
        yield from (Group(name=each.condition, inside=leaf == at, arm=arm) for at, each in enumerate(tree.leaves))
