"""Strict YAML: nothing is guessed, nothing is followed, and every limit holds."""

import time

import pytest

from cxcausal.core.spec.nodes import content
from cxcausal.core.spec.scalars import Plain
from cxcausal.core.spec.yaml_loader import MAX_BYTES, MAX_NODES, parse_yaml


def _codes(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [problem.code for problem in parse_yaml(data, "x.yaml").problems]


@pytest.mark.parametrize("scalar", ["NO", "on", "010", "1e-3", "12:30:00", "2026-01-31", "0x1F", "1_000", ".inf"])
def test_unquoted_scalars_keep_their_spelling(scalar: str) -> None:
    node = parse_yaml(f"a: {scalar}\nb: '{scalar}'\n".encode(), "x.yaml").node
    assert node is not None
    plain, quoted = node.items["a"].value, node.items["b"].value
    assert (plain, type(plain)) == (scalar, Plain)
    assert (quoted, type(quoted)) == (scalar, str)


def test_nulls_are_empty_tilde_and_null_alone() -> None:
    node = parse_yaml(b"a:\nb: ~\nc: null\nd: 'null'\ne: NULL\nf: ''\n", "x.yaml").node
    assert node is not None
    assert content(node) == {"a": None, "b": None, "c": None, "d": "null", "e": "NULL", "f": ""}


def test_places_count_from_one_and_in_characters() -> None:
    node = parse_yaml("é: {ü: 'x', b: 3}\n".encode(), "x.yaml").node
    assert node is not None
    inner = node.items["é"].items["b"]
    assert (str(inner.key), str(inner.place)) == ("x.yaml:1:13", "x.yaml:1:16")


def test_every_structural_problem_is_told_and_the_rest_is_read() -> None:
    text = "a: 1\na: 2\nb: !x 3\nc: &d 4\ne: *d\n<<: 5\nf: {g, h: 1}\ni: 6\n"
    reading = parse_yaml(text.encode(), "x.yaml")
    assert [problem.code for problem in reading.problems] == ["P107", "P109", "P110", "P110", "P111", "P116"]
    assert reading.complete
    assert reading.node is not None
    assert content(reading.node)["a"] == "1"
    assert content(reading.node)["i"] == "6"


def test_a_byte_order_mark_and_windows_lines_are_fine() -> None:
    reading = parse_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "x.yaml")
    assert reading.problems == ()
    assert reading.node is not None
    assert str(reading.node.items["b"].place) == "x.yaml:2:4"


@pytest.mark.parametrize("text", ["a: x\ty", "a: \x01", "a: \x7f", "\ta: 1"])
def test_signs_that_nobody_sees_are_refused(text: str) -> None:
    assert set(_codes(text)) <= {"P105", "P106"}
    assert _codes(text)


def test_utf16_is_refused() -> None:
    assert _codes("a: 1".encode("utf-16")) == ["P101"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: " + "[" * 21 + "]" * 21, "P113"),
        ("a: " + "{b: " * 100_000, "P113"),
        ("a: " + "[" * 400_000, "P113"),
        ("a: [" + "1," * MAX_NODES + "]", "P114"),
        ("a: " + "x" * MAX_BYTES, "P102"),
        ("a: &a [1]\n" + "b: [*a, *a]\n" * 20_000, "P110"),
    ],
)
def test_no_document_exhausts_the_machine(text: str, code: str) -> None:
    start = time.perf_counter()
    assert code in _codes(text)
    assert time.perf_counter() - start < 2


def test_twenty_levels_are_fine() -> None:
    assert _codes("a: " + "[" * 19 + "]" * 19) == []
