"""The plan's filter as an Ibis condition: numbers meet numbers, texts meet texts, and a missing value never passes."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import ibis

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec import filter_grammar as grammar
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Value
from cxcausal.data.roles import is_date

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


@dataclass(frozen=True, kw_only=True)
class _Operand:
    """A value in the forms it may be compared in; a form it can't take is None."""

    shown: str
    number: Value | None = None
    text: Value | None = None
    time: Value | None = None
    condition: Value | None = None


@dataclass(frozen=True, kw_only=True)
class FilterCompiler:
    """Compiles the tree of a filter over stored columns.

    Attributes:
        reader: gives the columns in their forms.
        numeric: columns stored as text of which every value is a number.
    """

    reader: Reader
    numeric: frozenset[str]

    def compile_at(self, key: str, expr: grammar.Expr) -> Value:
        """Return the condition that stands at a key of the plan, which the errors of `compile` then name."""
        try:
            return self.compile(expr)
        except PlanError as error:
            raise PlanError(replace(problem, where=key) for problem in error.problems) from None

    def compile(self, expr: grammar.Expr) -> Value:
        """Return the condition.

        Raises:
            PlanError: a number is compared with a text, or a value stands where a condition is wanted.
        """
        found = self._operand(expr)
        if found.condition is None:
            raise _mismatch(f"{found.shown} is neither true nor false", f"compare it, such as {found.shown} == 1")
        return found.condition

    def _operand(self, expr: grammar.Expr) -> _Operand:
        if isinstance(expr, grammar.Column):
            return self._column(expr.name)
        if isinstance(expr, grammar.Literal):
            return _constant(expr.value)
        if isinstance(expr, grammar.Negative):
            return _Operand(shown="the negative", number=-_number(self._operand(expr.operand)))
        if isinstance(expr, grammar.Arithmetic):
            return self._arithmetic(expr)
        return _Operand(shown="the condition", condition=self._condition(expr))

    def _condition(self, expr: grammar.Expr) -> Value:
        if isinstance(expr, grammar.Comparison):
            return _compared(expr.operator, self._operand(expr.left), self._operand(expr.right))
        if isinstance(expr, grammar.Membership):
            return self._membership(expr)
        if isinstance(expr, grammar.NullTest):
            return self._null_test(expr)
        if isinstance(expr, grammar.Not):
            return ~self.compile(expr.operand)
        assert isinstance(expr, grammar.Logical)  # noqa: S101 - the last kind of condition
        join = operator.and_ if expr.operator == "and" else operator.or_
        return reduce(join, [self.compile(operand) for operand in expr.operands])

    def _column(self, name: str) -> _Operand:
        kind = self.reader.table[name].type()
        shown = f"the column '{name}' ({self._kind(name)})"
        if kind.is_date() or kind.is_timestamp():
            return _Operand(shown=shown, time=self.reader.time(name))
        worded = self.reader.maps_to_text(name)
        numbers = (self.reader.holds_numbers(name) or name in self.numeric) and not worded
        texts = self.reader.holds_text(name) or worded
        return _Operand(
            shown=shown,
            number=self.reader.number(name) if numbers else None,
            text=self.reader.text(name) if texts else None,
            condition=self.reader.number(name) == 1 if kind.is_boolean() else None,
        )

    def _kind(self, name: str) -> str:
        """Return the words for what a column holds."""
        kind = self.reader.table[name].type()
        if self.reader.maps_to_text(name):
            return "text, by its map"
        if kind.is_boolean() or kind.is_date() or kind.is_timestamp():
            return "true and false" if kind.is_boolean() else "dates"
        if self.reader.holds_text(name):
            return "numbers as text" if name in self.numeric else "text"
        return "numbers" if self.reader.holds_numbers(name) else "no values"

    def _arithmetic(self, expr: grammar.Arithmetic) -> _Operand:
        left, right = _number(self._operand(expr.left)), _number(self._operand(expr.right))
        if expr.operator == "/":
            return _Operand(shown="the quotient", number=left / ibis.ifelse(right == 0, None, right))
        return _Operand(shown="the result", number=_OPERATORS[expr.operator](left, right))

    def _membership(self, expr: grammar.Membership) -> Value:
        operand = self._operand(expr.operand)
        tests = [_compared("==", operand, _constant(value.value)) for value in expr.values]
        found = reduce(operator.or_, tests)
        return ~found if expr.negated else found

    def _null_test(self, expr: grammar.NullTest) -> Value:
        value = self._value(expr.operand)
        return value.notnull() if expr.negated else value.isnull()

    def _value(self, expr: grammar.Expr) -> Value:
        """Return a value in whatever form it has; a column without any value has no type, and so no form."""
        operand = self._operand(expr)
        forms = (operand.text, operand.number, operand.time, operand.condition)
        found = next((form for form in forms if form is not None), None)
        if found is None and isinstance(expr, grammar.Column):
            return self.reader.table[expr.name]
        if found is None:
            raise _mismatch(f"{operand.shown} has no value", "name a column")
        return found


def _constant(value: float | str | bool) -> _Operand:  # noqa: FBT001 - true and false are values here
    shown = f"'{value}'" if isinstance(value, str) else str(value).lower()
    if isinstance(value, bool):
        return _Operand(shown=shown, number=ibis.literal(float(value)), condition=ibis.literal(value))
    if isinstance(value, str):
        time = ibis.literal(value).cast("timestamp") if is_date(value) else None
        return _Operand(shown=shown, text=ibis.literal(value), time=time)
    return _Operand(shown=shown, number=ibis.literal(float(value), "float64"))


def _compared(sign: str, left: _Operand, right: _Operand) -> Value:
    for form in ("number", "text", "time", "condition"):
        one, other = getattr(left, form), getattr(right, form)
        if one is not None and other is not None:
            return _OPERATORS[sign](one, other)
    mend = "compare numbers with numbers, and text with text in quotes; a date is written as '2026-01-31'"
    raise _mismatch(f"{left.shown} can't be compared with {right.shown}", mend)


def _number(operand: _Operand) -> Value:
    if operand.number is None:
        raise _mismatch(f"{operand.shown} is not a number, and is used as one", "use a numeric column here")
    return operand.number


def _mismatch(what: str, mend: str) -> PlanError:
    return PlanError(Problem(where="data.filter", code="D132", what=what, mend=mend))
