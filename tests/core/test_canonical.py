"""Equal meaning, equal bytes; no meaning, no bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxcausal.core.canonical import canonical_json, sha256_of

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé☃{}")
)
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abé"), inner), max_leaves=12)


@dataclass(frozen=True, kw_only=True)
class Row:
    point: float
    by: Mapping[tuple[str, str], int]


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ([float("nan"), float("inf"), -float("inf"), np.nan], "[null,null,null,null]"),
        ([0.1, 1.0, 1e-3, np.float64(0.1), np.int64(3)], "[0.1,1.0,0.001,0.1,3]"),
        (np.array([[1.5, 2.0]]), "[[1.5,2.0]]"),
        ({"name": "Zoë ☃"}, '{"name":"Zoë ☃"}'),
        (Row(point=2.0, by={("a", "b"): 1}), '{"by":{"[\\"a\\",\\"b\\"]":1},"point":2.0}'),
        ([date(2026, 1, 2), Fraction(1, 3), PurePosixPath("a/b"), Colour.RED], '["2026-01-02","1/3","a/b","red"]'),
        ({"s": frozenset({"b", "a"})}, '{"s":["a","b"]}'),
    ],
)
def test_spelling(value: object, expected: str) -> None:
    assert canonical_json(value) == expected.encode("utf-8")


def test_known_hash() -> None:
    """The SHA-256 of the two bytes `{}`, as any tool computes it."""
    assert sha256_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_the_order_of_keys_does_not_matter_but_the_order_of_lists_does() -> None:
    assert sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
    assert sha256_of([1, 2]) != sha256_of([2, 1])


@pytest.mark.parametrize("value", [object(), b"bytes", 1j, {1: "a", "1": "b"}])
def test_what_has_no_stable_spelling_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@given(TREES)
def test_reading_back_changes_nothing(tree: object) -> None:
    assert canonical_json(json.loads(canonical_json(tree))) == canonical_json(tree)
