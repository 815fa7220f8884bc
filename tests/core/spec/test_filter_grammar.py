"""The language of filters: what it means, where it stops, and that it never runs anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxcausal.core.spec.filter_grammar import (
    Arithmetic,
    Column,
    Comparison,
    Expr,
    FilterError,
    Literal,
    Logical,
    Membership,
    Negative,
    Not,
    NullTest,
    columns_of,
    parse_filter,
    parse_formula,
)

A, B, C = Column(name="a"), Column(name="b"), Column(name="c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("not a", Not(operand=A)),
        ("a == 'it''s'", Comparison(operator="==", left=A, right=Literal(value="it's"))),
        ('a != "x"', Comparison(operator="!=", left=A, right=Literal(value="x"))),
        ("a >= 1e-3", Comparison(operator=">=", left=A, right=Literal(value=0.001))),
        ("a == true", Comparison(operator="==", left=A, right=Literal(value=True))),
        ("a in [1, -2.5, 'x']", Membership(operand=A, values=tuple(Literal(value=v) for v in (1, -2.5, "x")))),
        ("a not in ['x']", Membership(operand=A, values=(Literal(value="x"),), negated=True)),
        ("a is null", NullTest(operand=A)),
        ("a is not null", NullTest(operand=A, negated=True)),
        ("a or b and c", Logical(operator="or", operands=(A, Logical(operator="and", operands=(B, C))))),
        ("(a or b) and c", Logical(operator="and", operands=(Logical(operator="or", operands=(A, B)), C))),
        ("not a and b", Logical(operator="and", operands=(Not(operand=A), B))),
        ("a and b and c", Logical(operator="and", operands=(A, B, C))),
        ("`odd name` is null", NullTest(operand=Column(name="odd name"))),
    ],
)
def test_trees(text: str, tree: Expr) -> None:
    assert parse_filter(text) == tree


def test_arithmetic_binds_as_in_school() -> None:
    tree = parse_filter("a - b * 2 - c > 0")
    assert isinstance(tree, Comparison)
    product = Arithmetic(operator="*", left=B, right=Literal(value=2))
    assert tree.left == Arithmetic(operator="-", left=Arithmetic(operator="-", left=A, right=product), right=C)


def test_columns_in_order_once() -> None:
    assert columns_of(parse_filter("b > 1 and (a + b < 3 or not c is null) and a in [1]")) == ("b", "a", "c")


@pytest.mark.parametrize(
    ("text", "position", "mend"),
    [
        ("a = 1", 3, "=="),
        ("a == 1 & b", 8, "and"),
        ("abs(a) > 1", 4, "functions"),
        ("a.b > 1", 2, "backticks"),
        ("Umsatz vorher > 3", 8, "such as `Umsatz vorher`"),
        ("Alter (Jahre) > 3", 7, "backticks"),
        ("a == 010", 6, "leading zero"),
        ("a == 'x", 6, "close the quote"),
        ("1 < a < 3", 7, "join with and"),
        ("a == null", 6, "is null"),
        ("a in []", 7, "between the brackets"),
        ("a + 1", 1, "compare"),
        ("a and b + 1", 7, "compare"),
        ("a == 12345678901234567890", 6, "quotes"),
        ("  ", 1, "leave filter out"),
        ("lambda: 1", 7, "columns"),
        ("[x for x in a]", 1, "columns"),
        ("a; b", 2, "columns"),
        ("(" * 41 + "a" + ")" * 41, 42, "parentheses"),
        ("+".join(["a"] * 102) + " > 1", 202, "before"),
    ],
)
def test_what_is_not_a_filter(text: str, position: int, mend: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert (caught.value.position, mend in caught.value.mend) == (position, True), str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab'\"`()[]<>=!+-*/., 01eEinotandrsul\n\\_:;é", max_size=60))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    assert _kind(text) in {"filter", "error"}


def _kind(text: str) -> str:
    """Return what a text is; an error must know a place in it, and a filter reads columns that stand in it."""
    try:
        tree = parse_filter(text)
    except FilterError as error:
        return "error" if 1 <= error.position <= len(text) + 1 else "error elsewhere"
    return "filter" if all(name in text for name in columns_of(tree)) else "invented columns"


def test_a_formula_is_a_number() -> None:
    half = Arithmetic(operator="/", left=Arithmetic(operator="+", left=A, right=B), right=Literal(value=2))
    assert parse_formula("(a + b) / 2") == half
    assert parse_formula("-`odd name`") == Negative(operand=Column(name="odd name"))


@pytest.mark.parametrize(
    ("text", "position", "mend"),
    [
        ("a > 1", 3, "parentheses only"),
        ("(a > 1)", 4, "parentheses only"),
        ("a + 'x'", 5, "parentheses only"),
        ("a + true", 5, "parentheses only"),
        ("not a", 1, "parentheses only"),
        ("max(a)", 4, "parentheses only"),
        ("a + 010", 5, "leading zero"),
        ("a + `b", 5, "close the backtick"),
        ("a +", 4, "parentheses only"),
        ("1 + 2", 1, "spend / 100"),
        ("", 1, "parentheses only"),
    ],
)
def test_what_is_not_a_formula(text: str, position: int, mend: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_formula(text)
    assert (caught.value.position, mend in caught.value.mend) == (position, True), str(caught.value)
    assert "filter" not in str(caught.value)
