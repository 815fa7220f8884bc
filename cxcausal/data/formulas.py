"""Computed columns: the plan's formulas over stored columns, which from then on are columns like any other."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from operator import add, mul, or_, sub

import ibis

from cxcausal.core.spec.filter_grammar import Arithmetic, Column, Expr, Literal, Negative
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Opened, Value
from cxcausal.data.rules import ValueRule

_OPERATORS = {"+": add, "-": sub, "*": mul}


def with_formulas(opened: Opened, reader: Reader, formulas: Mapping[str, Expr]) -> Opened:
    """Return the rows with the computed columns: missing where a column that a formula uses is.

    Args:
        opened: the stored rows.
        reader: reads their columns.
        formulas: by the name of the new column.
    """
    if not formulas:
        return opened
    table = opened.table.mutate(**{name: _value(expr, reader) for name, expr in formulas.items()})
    row, file = ((None if one is None else table[one.get_name()]) for one in (opened.row, opened.file))
    return replace(opened, table=table, row=row, file=file)


def formula_rules(reader: Reader, formulas: Mapping[str, Expr]) -> Iterator[ValueRule]:
    """Yield that no formula divides by zero."""
    for name, expr in formulas.items():
        divisors = [_value(divisor, reader) for divisor in _divisors(expr)]
        if divisors:
            yield ValueRule(
                column=name,
                code="D316",
                broken=reduce(or_, [(divisor == 0).fill_null(False) for divisor in divisors]),
                what="the formula divides by zero",
                mend="leave such rows out with data.filter, or map the 0 to null below data.columns",
            )


def _value(expr: Expr, reader: Reader) -> Value:
    """Return a formula's value per row; where it divides by zero, which a rule refuses, it is missing."""
    if isinstance(expr, Column):
        return reader.number(expr.name)
    if isinstance(expr, Literal):
        return ibis.literal(float(expr.value), "float64")
    if isinstance(expr, Negative):
        return -_value(expr.operand, reader)
    assert isinstance(expr, Arithmetic)  # noqa: S101 - formulas hold nothing else
    left, right = _value(expr.left, reader), _value(expr.right, reader)
    if expr.operator == "/":
        return left / ibis.ifelse(right == 0, None, right)
    return _OPERATORS[expr.operator](left, right)


def _divisors(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Negative):
        yield from _divisors(expr.operand)
    if isinstance(expr, Arithmetic):
        yield from _divisors(expr.left)
        yield from _divisors(expr.right)
        if expr.operator == "/":
            yield expr.right
