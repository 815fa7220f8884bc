"""The small language of filters and formulas: comparisons, `and or not`, arithmetic, columns, literals; never code.

    filter     = or ; or = and {"or" and} ; and = not {"and" not} ; not = ["not"] test
    test       = sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "[" literals "]" | "is" ["not"] "null"]
    sum        = product {("+" | "-") product} ; product = factor {("*" | "/") factor}
    factor     = ["-"] (number | text | "true" | "false" | column | "(" or ")")

    formula    = sum, of columns, numbers, + - * / and parentheses alone

A column is a name, or anything between backticks. Text stands in single or double quotes; a doubled quote is a quote.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal as OneOf

from cxcausal.core.spec.filter_tokens import (
    CLOSE_BACKTICK,
    CLOSE_QUOTE,
    FILTER_MEND,
    NUMBER_MEND,
    FilterError,
    Token,
    tokens_of,
)

__all__ = [
    "Arithmetic",
    "Column",
    "Comparison",
    "Expr",
    "FilterError",
    "Literal",
    "Logical",
    "Membership",
    "Negative",
    "Not",
    "NullTest",
    "columns_of",
    "parse_filter",
    "parse_formula",
]

Comparator = OneOf["==", "!=", "<", "<=", ">", ">="]
Operator = OneOf["+", "-", "*", "/"]

MAX_LENGTH = 20_000
MAX_DEPTH = 40
MAX_ARITHMETIC = 100
MAX_NUMBER = 2.0**53


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the data, by name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A number, a text, or true or false."""

    value: int | float | str | bool


@dataclass(frozen=True, kw_only=True)
class Negative:
    """Minus something."""

    operand: "Expr"


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """Two numbers made into one."""

    operator: Operator
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two values compared."""

    operator: Comparator
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Whether a value is, or with `negated` is not, one of some literals."""

    operand: "Expr"
    values: tuple[Literal, ...]
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class NullTest:
    """Whether a value is missing, or with `negated` is present."""

    operand: "Expr"
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class Logical:
    """All of the operands (`and`), or at least one of them (`or`); always two or more."""

    operator: OneOf["and", "or"]
    operands: tuple["Expr", ...]


@dataclass(frozen=True, kw_only=True)
class Not:
    """The opposite."""

    operand: "Expr"


Expr = Column | Literal | Negative | Arithmetic | Comparison | Membership | NullTest | Logical | Not


_COMPARATORS: dict[str, Comparator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FEWER = "use fewer parentheses"
_BEFORE = "compute the column before"
_SHARED_MENDS = frozenset({CLOSE_QUOTE, CLOSE_BACKTICK, NUMBER_MEND, _FEWER, _BEFORE})
_FORMULA_MEND = "a formula has columns, numbers, + - * / and parentheses only; put an odd name between backticks"


def parse_filter(text: str) -> Expr:
    """Return the tree of a filter.

    Raises:
        FilterError: the text is not a filter; the error knows the character.

    Example:
        >>> parse_filter("tenure >= 3 and region in ['north', 'south']").operator
        'and'
    """
    if len(text) > MAX_LENGTH:
        raise FilterError("the filter is too long", "prepare the rows before, or write several conditions shorter", 1)
    parser = _Parser(tokens_of(text))
    return parser.whole()


def parse_formula(text: str) -> Expr:
    """Return the tree of a formula: a number made of columns, numbers, `+ - * /` and parentheses.

    Raises:
        FilterError: the text is not a formula; the error knows the character.

    Example:
        >>> columns_of(parse_formula("(readk + mathk) / 2"))
        ('readk', 'mathk')
    """
    if len(text) > MAX_LENGTH:
        raise FilterError("the formula is too long", _BEFORE, 1)
    try:
        expr = _FormulaParser(tokens_of(text)).whole()
    except FilterError as error:
        what = error.what.replace("a filter", "a formula").replace("the filter", "the formula")
        raise FilterError(what, error.mend if error.mend in _SHARED_MENDS else _FORMULA_MEND, error.position) from None
    if not columns_of(expr):
        raise FilterError("the formula names no column", "name one, such as spend / 100", 1)
    return expr


def columns_of(expr: Expr) -> tuple[str, ...]:
    """Return the columns that a filter reads, each once, in order of appearance.

    Example:
        >>> columns_of(parse_filter("a + b > 3 or not (a is null)"))
        ('a', 'b')
    """
    return tuple(dict.fromkeys(_names(expr)))


def _names(expr: Expr) -> list[str]:
    if isinstance(expr, Column):
        return [expr.name]
    if isinstance(expr, Literal):
        return []
    if isinstance(expr, Arithmetic | Comparison):
        return _names(expr.left) + _names(expr.right)
    if isinstance(expr, Logical):
        return [name for operand in expr.operands for name in _names(operand)]
    return _names(expr.operand)


class _Parser:
    """Recursive descent over the tokens; one method per line of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._arithmetic = 0

    def whole(self) -> Expr:
        if self._next.kind == "end":
            raise FilterError("the filter is empty", "write a condition such as tenure >= 3, or leave filter out", 1)
        expr = _truth(self._any(), 1)
        if self._next.kind != "end":
            raise self._unexpected()
        return expr

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _took(self, kind: str) -> bool:
        if self._next.kind != kind:
            return False
        self._take()
        return True

    def _want(self, kind: str) -> None:
        if not self._took(kind):
            raise FilterError(f"'{self._next.text}' stands where '{kind}' is wanted", FILTER_MEND, self._next.position)

    def _unexpected(self) -> FilterError:
        token = self._next
        mends = {
            "(": "functions can't be called in a filter; compute the column before, or, where this is a column's name, "
            "put it between backticks",
            "null": "test for missing values with is null or is not null",
            "is": "is goes with null only; compare with ==",
        }
        mend = "compare two things at a time and join with and" if token.kind in _COMPARATORS else FILTER_MEND
        before = self._tokens[self._at - 1]
        if token.kind == before.kind == "name":
            mend = f"put a name of several words between backticks, such as `{before.text} {token.text}`; {mend}"
        return FilterError(f"'{token.text}' is not expected here", mends.get(token.kind, mend), token.position)

    def _any(self) -> Expr:
        return self._joined("or", self._all)

    def _joined(self, word: OneOf["and", "or"], part: Callable[[], Expr]) -> Expr:
        """Parse parts joined by one word; joined parts must be conditions, a single one need not be."""
        starts, parts = [self._next.position], [part()]
        while self._took(word):
            starts.append(self._next.position)
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return Logical(operator=word, operands=tuple(map(_truth, parts, starts)))

    def _all(self) -> Expr:
        return self._joined("and", self._not)

    def _not(self) -> Expr:
        if self._next.kind != "not":
            return self._test()
        self._take()
        start = self._next.position
        return Not(operand=_truth(self._deeper(self._not), start))

    def _test(self) -> Expr:
        left = self._sum()
        if self._next.kind in _COMPARATORS:
            operator = _COMPARATORS[self._take().kind]
            return Comparison(operator=operator, left=left, right=self._sum())
        if self._took("is"):
            negated = self._took("not")
            self._want("null")
            return NullTest(operand=left, negated=negated)
        negated = self._took("not")
        if negated and self._next.kind != "in":
            raise self._unexpected()
        if self._took("in"):
            return Membership(operand=left, values=self._values(), negated=negated)
        return left

    def _values(self) -> tuple[Literal, ...]:
        self._want("[")
        values = [self._literal()]
        while self._took(","):
            values.append(self._literal())
        self._want("]")
        return tuple(values)

    def _literal(self) -> Literal:
        negative = self._took("-")
        token = self._next
        if token.kind == "number":
            value = _number(self._take())
            return Literal(value=-value if negative else value)
        if negative or token.kind not in {"text", "true", "false"}:
            mend = "write numbers or quoted text between the brackets, such as in ['north', 'south']"
            raise FilterError(f"'{token.text}' is not a value", mend, token.position)
        return _constant(self._take())

    def _sum(self) -> Expr:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Expr:
        return self._chain(("*", "/"), self._factor)

    def _chain(self, operators: tuple[Operator, Operator], part: Callable[[], Expr]) -> Expr:
        expr = part()
        while self._next.kind in operators:
            token = self._take()
            self._arithmetic += 1
            if self._arithmetic > MAX_ARITHMETIC:
                raise FilterError("there is too much arithmetic", _BEFORE, token.position)
            operator = operators[0] if token.kind == operators[0] else operators[1]
            expr = Arithmetic(operator=operator, left=expr, right=part())
        return expr

    def _factor(self) -> Expr:
        token = self._next
        if token.kind == "-":
            self._take()
            return Negative(operand=self._deeper(self._factor))
        if token.kind == "(":
            self._take()
            expr = self._deeper(self._any)
            if not self._took(")"):
                raise self._unexpected()
            return expr
        if token.kind in {"name", "quoted"}:
            self._take()
            return Column(name=token.text.strip("`"))
        if token.kind in {"number", "text", "true", "false"}:
            return _constant(self._take())
        raise self._unexpected()

    def _deeper(self, part: Callable[[], Expr]) -> Expr:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError("the filter is nested too deeply", _FEWER, self._next.position)
        expr = part()
        self._depth -= 1
        return expr


class _FormulaParser(_Parser):
    """The same tokens, of which only a sum is taken: also between parentheses."""

    def whole(self) -> Expr:
        expr = self._sum()
        if self._next.kind != "end":
            raise self._unexpected()
        return expr

    def _any(self) -> Expr:
        return self._sum()

    def _factor(self) -> Expr:
        if self._next.kind in {"text", "true", "false"}:
            raise FilterError(f"{self._next.text} is not a number", _FORMULA_MEND, self._next.position)
        return super()._factor()


def _truth(expr: Expr, position: int) -> Expr:
    """Return a condition as it is; refuse what can only be a number or a text."""
    number = isinstance(expr, Negative | Arithmetic)
    if number or (isinstance(expr, Literal) and not isinstance(expr.value, bool)):
        raise FilterError("this is neither true nor false", "compare it, such as spend > 10", position)
    return expr


def _number(token: Token) -> int | float:
    value = float(token.text)
    if abs(value) > MAX_NUMBER:
        raise FilterError("this number is too large to be exact", "put an id in quotes", token.position)
    return int(token.text) if token.text.isdigit() else value


def _constant(token: Token) -> Literal:
    if token.kind == "number":
        return Literal(value=_number(token))
    if token.kind == "text":
        quote = token.text[0]
        return Literal(value=token.text[1:-1].replace(quote * 2, quote))
    return Literal(value=token.kind == "true")
