"""Causal forests: grown by EconML, kept as arrays, and asked without it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.formulas import Table

Whole = npt.NDArray[np.int32]
_LEAF = -1
_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """Trees over filled columns, one after another; all arrays but `starts` have one entry per node.

    Attributes:
        starts: place of every tree's root, shape (trees,).
        feature: column that a node splits on, −1 at leaves. threshold: up to which values go left.
        left, right: places of a node's children, counted from its tree's root.
        right_side: sums of the moments y·t and y, shape (nodes, 2). moments: those of t², t and 1, shape (nodes, 3):
            an effect is the slope that solves their sums over trees.
    """

    starts: Whole
    feature: Whole
    threshold: Floats
    left: Whole
    right: Whole
    right_side: Floats
    moments: Floats

    def of(self, table: Table) -> Floats:
        """Return the effects, shape (n,)."""
        found = np.empty(len(table.filled))
        for start in range(0, len(found), _AT_ONCE):
            found[start : start + _AT_ONCE] = self._effects(table.filled[start : start + _AT_ONCE])
        return found

    def _effects(self, filled: Floats) -> Floats:
        right_side, moments = np.zeros((len(filled), 2)), np.zeros((len(filled), 3))
        for start in self.starts:
            leaf = self._leaves(filled, int(start))
            right_side += self.right_side[leaf]
            moments += self.moments[leaf]
        square, cross, one = moments.T
        both = square * one - cross**2
        top = right_side[:, 0] * one - right_side[:, 1] * cross
        return np.asarray(np.divide(top, both, out=np.zeros_like(top), where=both > 0))

    def _leaves(self, filled: Floats, start: int) -> npt.NDArray[np.intp]:
        node = np.full(len(filled), start, dtype=np.intp)
        walking = np.flatnonzero(self.feature[node] != _LEAF)
        while walking.size:
            at = node[walking]
            left = filled[walking, self.feature[at]] <= self.threshold[at]
            node[walking] = start + np.where(left, self.left[at], self.right[at])
            walking = walking[self.feature[node[walking]] != _LEAF]
        return node


def forest_of(grown: Any) -> Forest:  # noqa: ANN401 - EconML's forest, which has no types
    """Return EconML's `grf.CausalForest` of one treatment with an intercept as arrays; it says the same to rounding."""
    trees = [each.tree_ for each in grown.estimators_]
    ends = np.cumsum([tree.node_count for tree in trees])
    joined = {
        name: np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("feature", "threshold", "children_left", "children_right", "precond", "jac")
    }
    leaf = joined["children_left"] < 0
    return Forest(
        starts=np.concatenate([[0], ends[:-1]]).astype(np.int32),
        feature=np.where(leaf, _LEAF, joined["feature"]).astype(np.int32),
        threshold=np.where(leaf, 0.0, joined["threshold"]),
        left=joined["children_left"].astype(np.int32),
        right=joined["children_right"].astype(np.int32),
        right_side=joined["precond"],
        moments=np.ascontiguousarray(joined["jac"][:, [0, 1, 3]]),
    )
