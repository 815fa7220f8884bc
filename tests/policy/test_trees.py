"""The exact tree against all trees tried one by one, and conditions that a reader can follow."""

from itertools import product

import numpy as np
import pytest

from cxcausal.core.rows import Floats, Rows, Text
from cxcausal.policy.splits import Split, columns_of, features_of
from cxcausal.policy.trees import LEAST_UNITS, Leaf, Tree, _deepest, _sums, tree_of


def _rows(n: int, rng: np.random.Generator) -> Rows:
    tenure = rng.integers(0, 60, n).astype(float)
    tenure[rng.random(n) < 0.05] = np.nan
    levels = ("", "cancel", "billing", "other")
    numbers = {"tenure": tenure, "risk": rng.random(n), "newcomer": (rng.random(n) < 0.3).astype(float)}
    texts = {"intent": Text(codes=rng.integers(0, 4, n).astype(np.int32), levels=levels)}
    arm, key = np.zeros(n, dtype=np.int8), np.arange(n, dtype=np.uint64)
    return Rows(arms=("none", "a", "b"), arm=arm, key=key, numbers=numbers, texts=texts, clusters={})


NAMES = ("tenure", "risk", "newcomer", "intent")


def _worth(values: Floats, groups: list[np.ndarray[tuple[int], np.dtype[np.bool_]]]) -> float:
    return float(sum(values[group].sum(axis=0).max() for group in groups))


def _every_tree(values: Floats, answers: list[np.ndarray[tuple[int], np.dtype[np.bool_]]]) -> float:
    """Return the most that any tree of two questions gains, by trying all of them."""
    least = max(LEAST_UNITS, 0.02 * len(values))
    best = values.sum(axis=0).max()
    for root in answers:
        below = []
        for side in (root, ~root):
            if side.sum() < least:
                break
            own = _worth(values, [side])
            for second in answers:
                parts = [side & second, side & ~second]
                if min(part.sum() for part in parts) >= least:
                    own = max(own, _worth(values, parts))
            below.append(own)
        else:
            best = max(best, sum(below))
    return float(best)


@pytest.mark.parametrize("seed", range(4))
def test_no_tree_gains_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = _rows(700, rng)
    units = np.arange(700)
    features = features_of(rows, NAMES, units)
    values = np.column_stack([np.zeros(700), rng.normal(-0.05, 1, 700), rng.normal(-0.1, 1.5, 700)])
    values[:, 1] += rows.numbers["risk"] > 0.6
    tree = _deepest(_sums(values, features), values, features, 2)
    columns = columns_of(rows, tree.columns, units)
    arms = tree.best(columns, 700)
    answers = [split.holds(columns_of(rows, NAMES, units)[split.column]) for each in features for split in each.splits]
    assert values[units, arms].sum() == pytest.approx(_every_tree(values, answers), abs=1e-9)
    leaves = np.bincount(tree.leaf_of(columns, 700))
    assert leaves.sum() == 700
    assert leaves.min() >= LEAST_UNITS


def test_bins_and_conditions_say_the_same() -> None:
    rows = _rows(900, np.random.default_rng(9))
    units = np.arange(900)
    raw = {**rows.numbers, "intent": np.array(rows.texts["intent"].levels, dtype=object)[rows.texts["intent"].codes]}
    for feature in features_of(rows, NAMES, units):
        for split, yes in zip(feature.splits, feature.yes, strict=True):
            column = columns_of(rows, NAMES, units)[split.column]
            assert (split.holds(column) == yes[feature.codes]).all()
            assert (split.holds(raw[split.column]) == yes[feature.codes]).all()


def test_cuts_are_round() -> None:
    rows = _rows(5_000, np.random.default_rng(10))
    risk = next(each for each in features_of(rows, ("risk",), np.arange(5_000)))
    assert all(round(float(split.value), 2) == split.value for split in risk.splits)
    tenure = next(each for each in features_of(rows, ("tenure",), np.arange(5_000)))
    assert all(float(split.value).is_integer() for split in tenure.splits if split.kind == "at_most")


def test_what_divides_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(11)
    rows = _rows(8_000, rng)
    cancels = rows.texts["intent"].codes == 1
    values = np.column_stack([np.zeros(8_000), np.where(cancels, 1.0, -1.0) + rng.normal(size=8_000)])
    tree = tree_of(values, features_of(rows, NAMES, np.arange(8_000)))
    assert {(leaf.condition, leaf.arm) for leaf in tree.leaves} == {
        ("intent is cancel", 1),
        ("intent is not cancel", 0),
    }
    noise = np.column_stack([np.zeros(8_000), 0.5 + rng.normal(size=8_000)])
    assert tree_of(noise, features_of(rows, NAMES, np.arange(8_000))).leaves[0] == Leaf(path=(), arm=1)


@pytest.mark.parametrize(
    ("split", "texts"),
    [
        (Split(column="tenure", kind="at_most", value=12.0), ("tenure ≤ 12", "tenure > 12")),
        (Split(column="spend", kind="at_most", value=0.25, holes=True), ("spend ≤ 0.25", "spend > 0.25 or missing")),
        (Split(column="intent", kind="is", value="cancel"), ("intent is cancel", "intent is not cancel")),
        (Split(column="intent", kind="is", value=""), ("intent is missing", "intent is known")),
        (Split(column="newcomer", kind="is", value=1.0), ("newcomer is 1", "newcomer is not 1")),
        (Split(column="tenure", kind="missing"), ("tenure is missing", "tenure is known")),
    ],
)
def test_conditions_read_well(split: Split, texts: tuple[str, str]) -> None:
    assert (split.text(yes=True), split.text(yes=False)) == texts


def test_columns_without_two_values_offer_nothing() -> None:
    rows = _rows(300, np.random.default_rng(12))
    flat = {"tenure": np.full(300, 3.0), "risk": np.full(300, np.nan)}
    texts = {"intent": Text(codes=np.zeros(300, dtype=np.int32), levels=("a", "b"))}
    still = Rows(arms=rows.arms, arm=rows.arm, key=rows.key, numbers=flat, texts=texts, clusters={})
    assert features_of(still, ("tenure", "risk", "intent", "unknown"), np.arange(300)) == ()
    values = np.column_stack([np.zeros(300), np.full(300, -1.0)])
    assert tree_of(values, ()) == Tree(leaves=(Leaf(path=(), arm=0),))


def test_huge_and_tiny_scales_are_cut_too() -> None:
    rng = np.random.default_rng(13)
    for scale, shift in product((1e-9, 1.0, 1e9), (0.0, 5.0)):
        rows = _rows(400, rng)
        values = scale * (rng.normal(size=400) + shift)
        wide = Rows(arms=rows.arms, arm=rows.arm, key=rows.key, numbers={"x": values}, texts={}, clusters={})
        (feature,) = features_of(wide, ("x",), np.arange(400))
        shares = [np.mean(split.holds(values)) for split in feature.splits]
        assert min(shares) > 0.01
        assert max(shares) < 0.99
        assert len(shares) >= 8
