"""A part of a filter written out again, and the parts that a filter is made of."""

from cxcausal.core.spec.filter_grammar import (
    Arithmetic,
    Column,
    Comparison,
    Expr,
    Literal,
    Logical,
    Membership,
    Negative,
    Not,
    NullTest,
)


def tests_of(expr: Expr) -> tuple[Expr, ...]:
    """Return the tests that `and` and `or` join, in their order; what `not` denies is one of them as a whole.

    Example:
        >>> from cxcausal.core.spec.filter_grammar import parse_filter
        >>> [written(test) for test in tests_of(parse_filter("a > 1 and (not b == 'x' or c)"))]
        ['a > 1', "not (b == 'x')", 'c']
    """
    if isinstance(expr, Logical):
        return tuple(test for operand in expr.operands for test in tests_of(operand))
    return (expr,)


def written(expr: Expr) -> str:
    """Return a filter as text of the language of filters.

    Example:
        >>> from cxcausal.core.spec.filter_grammar import parse_filter
        >>> written(parse_filter("`two words` not in ['it''s', 1] or -(a+2)*b>=true"))
        "`two words` not in ['it''s', 1] or -(a + 2) * b >= true"
    """
    if isinstance(expr, Column):
        return expr.name if expr.name.isidentifier() else f"`{expr.name}`"
    if isinstance(expr, Literal):
        return _literal(expr.value)
    if isinstance(expr, Negative | Not):
        return f"{'-' if isinstance(expr, Negative) else 'not '}{_inner(expr.operand)}"
    return _joined(expr)


def _joined(expr: Arithmetic | Comparison | Membership | NullTest | Logical) -> str:
    if isinstance(expr, Logical):
        parts = (_inner(one) if isinstance(one, Logical) else written(one) for one in expr.operands)
        return f" {expr.operator} ".join(parts)
    if isinstance(expr, Arithmetic | Comparison):
        inner = _factor if expr.operator in {"*", "/"} else written
        right = _inner(expr.right) if isinstance(expr.right, Arithmetic) else inner(expr.right)
        return f"{inner(expr.left)} {expr.operator} {right}"
    negated = "not " if expr.negated else ""
    if isinstance(expr, NullTest):
        return f"{_inner(expr.operand)} is {negated}null"
    return f"{_inner(expr.operand)} {negated}in [{', '.join(map(written, expr.values))}]"


def _factor(expr: Expr) -> str:
    return _inner(expr) if isinstance(expr, Arithmetic) and expr.operator in {"+", "-"} else written(expr)


def _inner(expr: Expr) -> str:
    return written(expr) if isinstance(expr, Column | Literal | Negative) else f"({written(expr)})"


def _literal(value: float | str | bool) -> str:  # noqa: FBT001 - true and false are values here
    if isinstance(value, bool):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value:.17g}"
