"""Grown plans are valid and leave no key out; mutations do something, and leave what they are given alone."""

import copy
from pathlib import Path

import pytest
import yaml

from cxcausal.core.spec.load import load_experiment
from tests.fuzz.draw import rng_of
from tests.fuzz.growing import grown
from tests.fuzz.projects import dumped
from tests.fuzz.session import Workshop
from tests.fuzz.texts import MUTATIONS as OF_TEXTS
from tests.fuzz.trees import MUTATIONS as OF_TREES
from tests.fuzz.trees import keys_by_block, mutated, paths_of

MANY = 150
PLANS = [grown(rng_of("grown", 1, number)) for number in range(MANY)]


def test_grown_plans_are_valid_and_between_them_have_every_key(shop: Workshop) -> None:
    root: Path = shop.roots[0]
    path, used = root / "experiments" / "grown.yaml", set[object]()
    path.parent.mkdir(exist_ok=True)
    for plan in PLANS:
        path.write_bytes(dumped(plan))
        load_experiment(path, root=root)
        used |= {step for keys in paths_of(plan) for step in keys}
    path.unlink()
    assert {f"{block}.{key}" for block, key in keys_by_block() if key not in used} == set()


def test_a_mutated_plan_is_a_copy() -> None:
    before = copy.deepcopy(PLANS)
    for number in range(MANY):
        mutated(rng_of("copies", 1, number), PLANS[number % MANY], PLANS)
    assert before == PLANS


@pytest.mark.parametrize("name", OF_TREES)
def test_every_mutation_of_trees_changes_some_plans(name: str) -> None:
    changed = 0
    for number in range(20):
        tree = copy.deepcopy(PLANS[number])
        OF_TREES[name](rng_of(name, 1, number), tree)
        changed += repr(tree) != repr(PLANS[number])
    assert changed > 0


@pytest.mark.parametrize("name", OF_TEXTS)
def test_every_mutation_of_texts_changes_some_plans(name: str) -> None:
    texts = [yaml.safe_dump(PLANS[0]).encode(), "a: 'ä'\nb: [x, \"y\"]\n".encode()]
    made = {OF_TEXTS[name](rng_of(name, 1, number), texts[number % 2]) for number in range(40)}
    assert made - set(texts)
