"""Filters by the grammar of the filter language, and filters that are nearly of it."""

from collections.abc import Sequence

from tests.fuzz.draw import Rng, between, chance, pick

_LITERALS = ("0", "3", "0.5", "1e-3", "9007199254740992", "'north'", '"it""s"', "'2026-10-01'", "''", "true")
_PIECES = (
    "=",
    "===",
    "&&",
    "|",
    "!",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'",
    '"',
    "`",
    ".",
    "and",
    "or not",
    "is",
    "is not null",
    "in",
    "not in []",
    "010",
    "9007199254740993",
    "1e22",
    "1e999",
    "1.",
    ".5",
    "0x1F",
    "f(x)",
    "__import__('os').system('touch fuzzed')",
    "x if y else z",
    "lambda: 0",
    "@x",
    "--",
    ";",
    "\n",
    "\t",
    "ä",
    "日本",
    "\u00a0",
    "- - - 1",
    "1 < 2 < 3",
    "/ 0",
)


def filter_text(rng: Rng, columns: Sequence[str], depth: int = 3) -> str:
    """Return a condition over columns; it is of the language, but may not fit the columns' types."""
    if depth > 0 and chance(rng, 0.5):
        inner = filter_text(rng, columns, depth - 1)
        return pick(
            rng, (f"not {inner}", f"({inner})", f"{inner} and {_test(rng, columns, depth)}", f"{inner} or {inner}")
        )
    return _test(rng, columns, depth)


def formula_text(rng: Rng, columns: Sequence[str], depth: int = 2) -> str:
    """Return arithmetic over columns and numbers."""
    return _sum(rng, columns, depth, numbers=("2", "0.5", "1e-3", "0"))


def broken_filter(rng: Rng, text: str) -> str:
    """Return a filter with something put in, taken out, doubled or nested far too often."""
    kind, at = between(rng, 0, 5), between(rng, 0, len(text))
    if kind == 0:
        return f"{text[:at]} {pick(rng, _PIECES)} {text[at:]}"
    if kind == 1:
        return text[:at]
    if kind == 2:
        return text[:at] + text[at + between(rng, 1, 5) :]
    if kind == 3:
        many = pick(rng, (30, 60, 3000))
        return "(" * many + text + ")" * (many - between(rng, 0, 1))
    if kind == 4:
        return pick(rng, (" and ", " or ", " + ", " ")).join([text] * pick(rng, (3, 150, 2000)))
    return text.replace(" ", "") if chance(rng, 0.5) else text.replace("==", "=")


def _test(rng: Rng, columns: Sequence[str], depth: int) -> str:
    """Return one comparison, membership or test for missing values."""
    values = ", ".join(_literal(rng) for _ in range(between(rng, 1, 4)))
    return pick(
        rng,
        (
            f"{_operand(rng, columns, depth)} {pick(rng, ('==', '!=', '<', '<=', '>', '>='))} {_literal(rng)}",
            f"{_operand(rng, columns, depth)} {pick(rng, ('in', 'not in'))} [{values}]",
            f"{_column(rng, columns)} {pick(rng, ('is null', 'is not null'))}",
            f"{_column(rng, columns)} == {_operand(rng, columns, depth)}",
        ),
    )


def _operand(rng: Rng, columns: Sequence[str], depth: int) -> str:
    return _column(rng, columns) if chance(rng, 0.7) else _sum(rng, columns, depth, numbers=("1", "2.5", "0"))


def _sum(rng: Rng, columns: Sequence[str], depth: int, numbers: Sequence[str]) -> str:
    if depth <= 0 or chance(rng, 0.4):
        return _column(rng, columns) if chance(rng, 0.7) else pick(rng, numbers)
    left, right = (_sum(rng, columns, depth - 1, numbers) for _ in range(2))
    whole = f"{left} {pick(rng, '+-*/')} {right}"
    return f"({whole})" if chance(rng, 0.4) else f"-{whole}" if chance(rng, 0.1) else whole


def _column(rng: Rng, columns: Sequence[str]) -> str:
    name = pick(rng, columns)
    return name if name.isidentifier() and chance(rng, 0.9) else f"`{name}`"


def _literal(rng: Rng) -> str:
    return f"-{pick(rng, ('1', '0.5'))}" if chance(rng, 0.1) else pick(rng, _LITERALS)
