"""Trees of at most two questions that gain most on scores: found exactly, from sums over pairs of splits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Flags, Floats
from cxcausal.policy.splits import Feature, Split, condition_of

SEARCHED_AT_MOST = 200_000
"""Customers on whom a tree is searched; of more, an even part."""
DEPTHS = (0, 1, 2)
LEAST_SHARE, LEAST_UNITS = 0.02, 50
"""Of customers in a leaf."""


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """Customers by their answers, and the arm for them.

    Attributes:
        path: splits with the answer. arm: its place.
    """

    path: tuple[tuple[Split, bool], ...]
    arm: int

    def holds(self, columns: Mapping[str, Any], n: int) -> Flags:
        """Return who belongs here, shape (n,)."""
        found = np.ones(n, dtype=bool)
        for split, answer in self.path:
            found &= split.holds(columns[split.column]) == answer
        return found

    @property
    def condition(self) -> str:
        """The path in the plan's words."""
        return condition_of(self.path)


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Leaves that part all customers among them."""

    leaves: tuple[Leaf, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it asks for."""
        return tuple(dict.fromkeys(split.column for leaf in self.leaves for split, _ in leaf.path))

    def leaf_of(self, columns: Mapping[str, Any], n: int) -> Places:
        """Return the place of every customer's leaf, shape (n,)."""
        found = np.zeros(n, dtype=np.intp)
        for place, leaf in enumerate(self.leaves):
            found[leaf.holds(columns, n)] = place
        return found

    def best(self, columns: Mapping[str, Any], n: int) -> Places:
        """Return the place of every customer's arm, shape (n,)."""
        return np.array([leaf.arm for leaf in self.leaves], dtype=np.intp)[self.leaf_of(columns, n)]


def tree_of(values: Floats, features: tuple[Feature, ...]) -> Tree:
    """Return the tree that gains most; how deep it goes is decided on halves that each judge the other's tree.

    Args:
        values: what each arm gains for every customer, shape (m, arms), the control's 0.
        features: columns cut.
    """
    step = -(-len(values) // SEARCHED_AT_MOST)
    chosen = np.arange(0, len(values), step)
    values, features = values[chosen], tuple(feature.of(chosen) for feature in features)
    halves = [np.flatnonzero(np.arange(len(values)) % 2 == half) for half in (0, 1)]
    worth = np.zeros(len(DEPTHS))
    for learn, judge in (halves, halves[::-1]):
        sums = _sums(values[learn], tuple(feature.of(learn) for feature in features))
        for place, depth in enumerate(DEPTHS):
            tree = _deepest(sums, values[learn], features, depth)
            arms = _assigned(tree, features, judge)
            worth[place] += values[judge, arms].sum()
    return _merged(_deepest(_sums(values, features), values, features, DEPTHS[int(np.argmax(worth))]))


def _assigned(tree: Tree, features: tuple[Feature, ...], units: Places) -> Places:
    where = {
        split: (feature, row) for feature in features for split, row in zip(feature.splits, feature.yes, strict=True)
    }
    found = np.zeros(len(units), dtype=np.intp)
    for leaf in tree.leaves:
        inside = np.ones(len(units), dtype=bool)
        for split, answer in leaf.path:
            feature, row = where[split]
            inside &= row[feature.codes[units]] == answer
        found[inside] = leaf.arm
    return found


def _sums(values: Floats, features: tuple[Feature, ...]) -> Floats:
    """Return sums of values, and counts, of who answers yes to two splits, shape (splits, splits, arms + 1)."""
    offsets = np.cumsum([0, *(len(feature.splits) for feature in features)])
    full = np.column_stack([values, np.ones(len(values))])
    found = np.zeros((offsets[-1], offsets[-1], full.shape[1]))
    for a, b in combinations_with_replacement(range(len(features)), 2):
        one, other = features[a], features[b]
        shape = (one.yes.shape[1], other.yes.shape[1])
        cell = one.codes * shape[1] + other.codes
        for column in range(1, full.shape[1]):
            table = np.bincount(cell, weights=full[:, column], minlength=shape[0] * shape[1]).reshape(shape)
            both = one.yes.astype(np.float64) @ table @ other.yes.T.astype(np.float64)
            found[offsets[a] : offsets[a + 1], offsets[b] : offsets[b + 1], column] = both
            found[offsets[b] : offsets[b + 1], offsets[a] : offsets[a + 1], column] = both.T
    return found


def _deepest(sums: Floats, values: Floats, features: tuple[Feature, ...], depth: int) -> Tree:
    splits = [split for feature in features for split in feature.splits]
    total = np.append(values.sum(axis=0), len(values))
    trunk = Tree(leaves=(Leaf(path=(), arm=int(np.argmax(total[:-1]))),))
    if depth == 0 or not splits:
        return trunk
    least = max(LEAST_UNITS, LEAST_SHARE * len(values))
    yes = np.array([sums[place, place] for place in range(len(splits))])
    sides = (_Side(own=yes, inner=sums, least=least), _Side(own=total - yes, inner=yes[None] - sums, least=least))
    worth = [side.worth(deep=depth > 1) for side in sides]
    both = worth[0] + worth[1]
    root = int(np.argmax(both))
    if both[root] <= total[:-1].max():
        return trunk
    leaves = [leaf for side, answer in zip(sides, (True, False), strict=True)
              for leaf in side.leaves(root, splits, answer=answer, deep=depth > 1)]  # fmt: skip
    return Tree(leaves=tuple(leaves))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One answer to every root.

    Attributes:
        own: sums of who gave it, shape (roots, arms + 1).
        inner: sums of those among them who answer yes to a second split, shape (roots, splits, arms + 1).
    """

    own: Floats
    inner: Floats
    least: float

    def worth(self, *, deep: bool) -> Floats:
        """Return the best gain of this side below every root, shape (roots,); −∞ where too few are left."""
        single = np.where(self.own[:, -1] >= self.least, self.own[:, :-1].max(axis=1), -np.inf)
        return np.maximum(single, self._second().max(axis=1)) if deep else single

    def leaves(self, root: int, splits: list[Split], *, answer: bool, deep: bool) -> list[Leaf]:
        """Return the leaves of this side below one root."""
        path = ((splits[root], answer),)
        single = self.own[root, :-1]
        second = self._second(root)[0] if deep else np.full(len(splits), -np.inf)
        best = int(np.argmax(second))
        if second[best] <= single.max():
            return [Leaf(path=path, arm=int(np.argmax(single)))]
        yes = self.inner[root, best]
        return [
            Leaf(path=(*path, (splits[best], True)), arm=int(np.argmax(yes[:-1]))),
            Leaf(path=(*path, (splits[best], False)), arm=int(np.argmax((self.own[root] - yes)[:-1]))),
        ]

    def _second(self, root: int | None = None) -> Floats:
        rows = slice(None) if root is None else slice(root, root + 1)
        yes, own = self.inner[rows], self.own[rows, None, :]
        enough = np.minimum(yes[..., -1], (own - yes)[..., -1]) >= self.least
        return np.asarray(np.where(enough, yes[..., :-1].max(axis=-1) + (own - yes)[..., :-1].max(axis=-1), -np.inf))


def _merged(tree: Tree) -> Tree:
    """Return the tree without questions whose answers lead to one arm."""
    leaves = list(tree.leaves)
    for depth in (2, 1):
        at = 0
        while at + 1 < len(leaves):
            one, other = leaves[at], leaves[at + 1]
            kin = len(one.path) == len(other.path) == depth and one.path[:-1] == other.path[:-1]
            if kin and one.arm == other.arm:
                leaves[at : at + 2] = [replace(one, path=one.path[:-1])]
            else:
                at += 1
    return Tree(leaves=tuple(leaves))
