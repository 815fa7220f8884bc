"""What comes back from JSON is the same in every bit, type and layout, or it is not kept at all."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxcausal.core.exact_json import NotExact, from_json, same_bits, to_json

NUMBERS = st.floats() | st.integers() | st.booleans() | st.none() | st.text("aé~")
TREES = st.recursive(
    NUMBERS | st.floats(width=64).map(np.float64),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text("ab~") | st.tuples(), inner),
    max_leaves=15,
)


@dataclass(frozen=True, kw_only=True)
class Sums:
    n: Any
    d: Any


@dataclass(frozen=True, kw_only=True)
class Remembering:
    n: int
    memo: dict[object, Any] = field(default_factory=dict, compare=False)


def back(value: object) -> Any:
    """Return what another process would read."""
    return from_json(json.loads(json.dumps(to_json(value))), {"Sums": Sums})


@given(TREES)
def test_every_tree_comes_back(tree: object) -> None:
    assert same_bits(back(tree), tree)
    assert repr(back(tree)) == repr(tree)


@pytest.mark.parametrize(
    "value",
    [np.float64(-0.0), np.float64("nan"), np.float32(0.1), np.int64(-3), np.bool_(True), np.uint8(200)],
)
def test_numbers_of_numpy_stay_numbers_of_numpy(value: Any) -> None:
    assert type(back(value)) is type(value)
    assert back(value).tobytes() == value.tobytes()


WHOLE = np.array([[1.0, -0.0, np.nan], [np.inf, 1e-320, 0.1]])
LAYOUTS = {
    "by row": WHOLE,
    "by column": np.asfortranarray(WHOLE),
    "a column": WHOLE[:, 1],
    "every other": np.arange(10)[::2],
    "turned": np.arange(24, dtype=np.int32).reshape(2, 3, 4).transpose(2, 0, 1),
    "empty": np.zeros((0, 3)),
    "none": np.array(0.25),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_arrays_keep_bytes_and_layout(name: str) -> None:
    array = LAYOUTS[name]
    found = back(array)
    assert (found.dtype, found.shape, found.strides) == (array.dtype, array.shape, array.strides)
    assert found.tobytes() == array.tobytes()
    found[...] = 2


def test_what_was_shared_is_shared() -> None:
    n = np.arange(3.0)
    one, two, three = back((Sums(n=n, d=1), Sums(n=n, d=2), Sums(n=n.copy(), d=3)))
    assert one.n is two.n
    assert three.n is not one.n


def test_the_order_of_maps_is_kept() -> None:
    assert list(back({"b": 1, "a": 2})) == ["b", "a"]


@pytest.mark.parametrize("value", [np.arange(9.0)[::-1], np.array(["text"]), {1, 2}, object(), 1j])
def test_what_could_not_come_back_exactly_is_refused(value: object) -> None:
    with pytest.raises(NotExact):
        to_json(value)


def test_what_is_too_large_is_refused() -> None:
    shared = np.zeros(10)
    to_json((shared, shared), most_bytes=80)
    with pytest.raises(NotExact):
        to_json((shared, shared.copy()), most_bytes=80)


def test_a_record_that_is_more_than_its_fields_is_refused() -> None:
    with pytest.raises(NotExact):
        to_json(Remembering(n=1))


def test_no_class_is_made_but_those_that_are_named() -> None:
    with pytest.raises(KeyError):
        from_json(to_json(Sums(n=1, d=2)), {})
