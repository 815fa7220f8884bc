"""Why a plan's condition holds for nobody: which test is at fault, what its column holds, and what would hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.small_cells import is_small
from cxcausal.core.spec.filter_grammar import Column, Comparison, Expr, Literal, Membership, columns_of
from cxcausal.core.spec.filter_words import tests_of, written
from cxcausal.core.wording import count, counted, listed
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.filters import FilterCompiler

_MEND = "a text is compared as it is spelled and a number without quotes; a missing value passes no comparison"
_WORDS = {"true": True, "false": False}
_FLIPPED = {True: "true", False: "false"}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition of the plan over rows.

    Attributes:
        key: of the plan. tree: what it says. effect: what is wrong where it holds for nobody.
        rows: those that it is asked of. compiler: over these rows.
    """

    key: str
    tree: Expr
    effect: str
    rows: Table
    compiler: FilterCompiler

    def problem(self, engine: Engine, label: str) -> Problem:
        """Return why it holds for nobody: counts of rows by test and by type, and no value of the data.

        Args:
            engine: counts.
            label: names the data.
        """
        rows = self._count(engine, None)
        tests = [test for test in dict.fromkeys(tests_of(self.tree)) if not self._count(engine, test)] if rows else []
        named = dict.fromkeys(name for test in tests for name in columns_of(test))
        told = (
            [f"of {counted(rows, 'row')} none has {listed([f'`{written(test)}`' for test in tests])}"] if tests else []
        )
        told += [f"'{name}' holds {self._kinds(engine, name)}" for name in named]
        hints = [hint for test in tests if (hint := self._hint(engine, test)) is not None]
        return Problem(
            where=label,
            code="D212",
            what="; ".join([f"{self.key} {self.effect}", *told]),
            mend="; ".join([*hints, f"check {self.key}", _MEND]),
        )

    def _count(self, engine: Engine, test: Expr | None) -> int:
        rows = self.rows if test is None else self.rows.filter(self.compiler.compile(test))
        return int(engine.fetch(rows.aggregate(n=rows.count()))[0][0])

    def _kinds(self, engine: Engine, name: str) -> str:
        """Return how many values of each type a column holds."""
        kinds = _kinds_of(replace(self.compiler.reader, table=self.rows), name)
        found = engine.fetch(self.rows.aggregate(**{f"k{at}": flags.sum() for at, flags in enumerate(kinds.values())}))[
            0
        ]
        told = [f"{_told(int(n))} {word}" for word, n in zip(kinds, found, strict=True) if n]
        column = self.compiler.reader.declared.get(name)
        after = " by the map of data.columns" if column is not None and column.map else ""
        return f"{listed(told)}{after}"

    def _hint(self, engine: Engine, test: Expr) -> str | None:
        """Return the first way of writing a test otherwise that holds for somebody."""
        for other in _otherwise(test):
            try:
                found = self._count(engine, other)
            except PlanError:
                continue
            if found:
                return f"`{written(other)}` holds for {_told(found)}"
        return None


def _kinds_of(reader: Reader, name: str) -> dict[str, Value]:
    """Return the kinds of a column's values, each with where it holds."""
    kind, there = reader.table[name].type(), reader.present(name)
    unreadable = reader.unreadable(name) if reader.holds_text(name) else None
    if unreadable is not None:
        odd = unreadable.fill_null(False)
        kinds = {"texts": there & odd, "texts that read as numbers": there & ~odd}
    elif reader.holds_numbers(name):
        there = reader.number(name).notnull()
        kinds = {"truth values" if kind.is_boolean() else "numbers": there}
    else:
        kinds = {"dates" if kind.is_date() or kind.is_timestamp() else "values": there}
    return kinds | {"missing values": ~there}


def _told(n: int) -> str:
    return "a few" if is_small(n) else count(n)


def _otherwise(test: Expr) -> Iterator[Expr]:
    """Yield an equality with the same value as another type."""
    if isinstance(test, Comparison) and isinstance(test.left, Column) and isinstance(test.right, Literal):
        for value in _other_types(test.right):
            yield replace(test, right=value)
    if isinstance(test, Membership):
        several = [next(_other_types(value), value) for value in test.values]
        yield replace(test, values=tuple(several))


def _other_types(literal: Literal) -> Iterator[Literal]:
    value = literal.value
    if not isinstance(value, str):
        yield Literal(value=_FLIPPED[value] if isinstance(value, bool) else f"{value:.17g}")
        return
    if value.strip().lower() in _WORDS:
        yield Literal(value=_WORDS[value.strip().lower()])
    try:
        yield Literal(value=float(value))
    except ValueError:
        return
