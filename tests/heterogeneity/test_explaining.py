"""Drivers have the shares that they were given, noise has none, and the tree says what predictions say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cxcausal.core.held_out import Side
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.explaining import Shown, drivers_of
from cxcausal.heterogeneity.surrogate import Leaf, Split, leaves_of, lines_of

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Linear:
    """Predicts a weighted sum of its columns for every arm."""

    weights: Mapping[str, float]
    arms: int = 2

    def gains(self, columns: Columns) -> Floats:
        own = sum(weight * columns[name].astype(float) for name, weight in self.weights.items())
        return np.column_stack([np.zeros_like(own), *([own] * (self.arms - 1))])


def _shown(weights: Mapping[str, float], truth: Mapping[str, float], *, noise: float, n: int = 20_000) -> Shown:
    rng = np.random.default_rng(4)
    columns = {name: rng.normal(size=n) for name in ("a", "b", "c")}
    gain = Linear(truth).gains(columns)[:, 1] + noise * rng.normal(size=n)
    model = Linear(weights)
    scores, predicted = np.column_stack([np.zeros(n), gain]), model.gains(columns)
    return Shown(
        model=model, columns=columns, side=Side(units=np.arange(n), scores=scores, gains=predicted, means=predicted)
    )


def test_a_right_model_gives_each_driver_its_share_of_the_variance() -> None:
    weights = {"a": 2.0, "b": 1.0, "c": 0.0}
    drivers = drivers_of([_shown(weights, weights, noise=1.0)], seed=1)
    assert [driver.modifier for driver in drivers] == ["a", "b", "c"]
    assert [driver.importance for driver in drivers] == pytest.approx([0.8, 0.2, 0.0], abs=0.03)


def test_what_the_model_uses_in_vain_is_no_driver() -> None:
    drivers = drivers_of([_shown({"a": 1.0, "c": 0.2}, {"a": 1.0}, noise=0.5)], seed=1)
    assert drivers[0].modifier == "a"
    assert (drivers[0].importance or 0) > 0.95
    assert (drivers[1].importance or 0) < 0.05


def test_no_share_is_told_where_predictions_save_nothing() -> None:
    drivers = drivers_of([_shown({"a": 1.0}, {"a": -1.0}, noise=0.5)], seed=1)
    assert {driver.importance for driver in drivers} == {None}
    assert {driver.importance for driver in drivers_of([_shown({"a": 0.0}, {"a": 1.0}, noise=1.0)], seed=1)} == {None}


def test_shuffles_belong_to_the_name_and_the_seed() -> None:
    shown = _shown({"a": 1.0, "b": 1.0, "c": 0.0}, {"a": 1.0, "b": 1.0}, noise=1.0, n=500)
    fewer = Shown(model=Linear({"a": 1.0, "b": 1.0}), side=shown.side, columns={k: shown.columns[k] for k in "ba"})
    one, two, other = (drivers_of([each], seed=seed) for each, seed in ((shown, 1), (fewer, 1), (shown, 2)))
    assert set(two) <= set(one)
    assert set(one) != set(other)


def test_many_units_are_thinned_and_turns_are_summed() -> None:
    weights = {"a": 2.0, "b": 1.0, "c": 0.0}
    shown = _shown(weights, weights, noise=1.0, n=50_000)
    drivers = drivers_of([shown, _shown(weights, weights, noise=1.0, n=1_000)], seed=1)
    assert [driver.importance for driver in drivers] == pytest.approx([0.8, 0.2, 0.0], abs=0.03)


def test_the_tree_finds_the_steps_and_says_them_in_labels() -> None:
    rng = np.random.default_rng(5)
    tenure = rng.integers(1, 60, 4_000).astype(float)
    tenure[:400] = np.nan
    intent = rng.choice(np.array(["cancel", "bill", "other"], dtype=object), 4_000)
    gain = np.where(intent == "cancel", 0.2, 0.0) + np.where(tenure <= 12, 0.05, 0.0) * (intent == "cancel")
    leaves, told = leaves_of({"tenure": tenure, "intent": intent}, np.column_stack([gain, -gain]))
    lines = lines_of(leaves, ("Call", "Chat"), {"tenure": "Months with us", "intent": "Intent"})
    assert told > 0.97
    assert lines[0].startswith("Intent is cancel and Months with us at most 1")
    assert "Call +0.25, Chat -0.25" in lines[0]
    assert lines[-1].startswith("Intent is not cancel: Call +0, Chat +0 (")
    assert sum(leaf.share for leaf in leaves) == pytest.approx(1)


def test_a_missing_text_is_known_by_its_absence() -> None:
    plan = np.array(["basic", None, "gold", ""] * 250, dtype=object)
    gain = np.where(plan == "", 0.3, 0.0)[:, None]
    leaves, told = leaves_of({"plan": plan}, gain)
    assert told == pytest.approx(1)
    assert lines_of(leaves, ("Call",), {})[0] == "plan is unknown: Call +0.3 (25 % of customers)"


def test_a_constant_has_no_lines_and_few_are_no_group() -> None:
    ones = np.ones((1_000, 1))
    assert leaves_of({"a": np.arange(1_000.0)}, ones) == ((), 0.0)
    rare = (np.arange(1_000) < 10).astype(float)
    leaves, told = leaves_of({"a": rare}, rare[:, None])
    assert [leaf.answers for leaf in leaves] == [()]
    assert told == pytest.approx(0)
    assert lines_of(leaves, ("Call",), {})[0].startswith("Everybody: ")


def test_a_condition_keeps_the_tighter_bound_and_the_named_text() -> None:
    asked = ((Split(modifier="a", most=9.0), True), (Split(modifier="a", most=4.0), True))
    texts = ((Split(modifier="b", text="x"), False), (Split(modifier="b", text="y"), True))
    lines = lines_of(
        tuple(Leaf(answers=answers, share=0.1, gains=(0.5,)) for answers in (asked, texts)), ("Call",), {"a": "Age"}
    )
    assert lines == ("Age at most 4: Call +0.5 (10 % of customers)", "b is y: Call +0.5 (10 % of customers)")
