"""A few readable rules: a shallow tree over the plan's own columns, learned on scores."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from cxcausal.core.rows import Floats
from cxcausal.policy.best_arm import is_limited
from cxcausal.policy.seen import Chooser, Seen, Setting, one_hot
from cxcausal.policy.splits import columns_of, features_of
from cxcausal.policy.trees import Tree, tree_of


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Every customer gets the arm of their leaf."""

    tree: Tree

    def shares(self, seen: Seen) -> Floats:
        """Return the arms."""
        columns = columns_of(seen.setting.rows, self.tree.columns, seen.side.units)
        return one_hot(self.tree.best(columns, seen.m), len(seen.setting.rows.arms))


@dataclass(frozen=True, kw_only=True)
class ReadableRules:
    """The best tree of at most two questions, after what the limits make an arm cost."""

    name: str = "tree"
    label: str = "A few readable rules"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule where the plan has columns to ask for."""
        known = (*setting.rows.texts, *setting.rows.numbers)
        return (cls(),) if any(name in known for name in setting.modifiers) else ()

    def learn(self, seen: Seen) -> Chooser:
        """Return the tree that gains most on this side."""
        return Asking(tree=readable_tree(seen))


def readable_tree(seen: Seen) -> Tree:
    """Return the best tree on scores; where means are scarce, a contact must bring their price too."""
    limited = is_limited(seen.setting)
    if not limited:
        return gaining_tree(seen)
    return _of_offered(seen, seen.prices.net(seen.effects, seen.setting.spending.cost))


def gaining_tree(seen: Seen) -> Tree:
    """Return the best tree on scores, without limits."""
    return _of_offered(seen, seen.effects)


def parting_tree(seen: Seen, arm: int) -> Tree:
    """Return the tree that best parts those whom an arm is predicted to help from those whom it is to harm."""
    return _tree(seen, seen.side.gains[:, [0, arm]])


def _of_offered(seen: Seen, effects: Floats) -> Tree:
    """Return the best tree that gives only arms on offer."""
    offered = seen.setting.offered
    tree = _tree(seen, effects[:, offered])
    return replace(tree, leaves=tuple(replace(leaf, arm=offered[leaf.arm]) for leaf in tree.leaves))


def _tree(seen: Seen, effects: Floats) -> Tree:
    scale = seen.weight / np.mean(seen.weight)
    return tree_of(effects * scale[:, None], features_of(seen.setting.rows, seen.setting.modifiers, seen.side.units))
