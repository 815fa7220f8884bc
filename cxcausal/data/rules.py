"""What values must obey: all rules are counted in one pass, and broken ones located by row, never by value."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis

from cxcausal.core.errors import Problem
from cxcausal.data.columns import DECIMAL_COMMA, LARGEST_WHOLE, Reader, is_whole
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.roles import NumberRule, Roles

_ROWS_NAMED = 5
_BEST_NPS = 10
_LARGEST = 1e70
"""Beyond this, products of two values overflow when they are squared and added up."""
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ValueRule:
    """A condition that no row may meet."""

    column: str
    code: str
    broken: Value
    what: str
    mend: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The typed expressions that the rules speak of; `time_zero` and `observed_until` may be absent."""

    reader: Reader
    roles: Roles
    numeric_covariates: tuple[str, ...]
    time_zero: tuple[str, Value] | None = None
    observed_until: tuple[str, Value] | None = None


def broken_rules(engine: Engine, opened: Opened, rows: Table, rules: tuple[ValueRule, ...]) -> Iterator[Problem]:
    """Yield one problem per rule that some of the enrolled rows break.

    Args:
        engine: computes.
        opened: knows the numbers of rows.
        rows: the enrolled rows of the opened table.
        rules: in the order of the problems.
    """
    if not rules:
        return
    broken = rows.select(**{f"r{index}": rule.broken.fill_null(False) for index, rule in enumerate(rules)})
    found = engine.fetch(broken.aggregate(**{name: broken[name].sum() for name in broken.columns}))[0]
    for rule, count in zip(rules, found, strict=True):
        if count:
            yield _located(engine, opened, rows, rule, count)


def place_of(engine: Engine, opened: Opened, rows: Table, broken: Value) -> tuple[str, tuple[int, ...]]:
    """Return the file and the numbers of up to five of its rows that meet a condition; no number where unknown."""
    if opened.row is None:
        return opened.source.label, ()
    if opened.file is None:
        picked = rows.filter(broken).select(row=opened.row).order_by("row").limit(_ROWS_NAMED)
        return opened.source.label, tuple(row + opened.first_row for (row,) in engine.fetch(picked))
    return _place_in_several(engine, opened, rows, broken)


def _place_in_several(engine: Engine, opened: Opened, rows: Table, broken: Value) -> tuple[str, tuple[int, ...]]:
    """Locate rows of the first affected file; copied rows are numbered through all files, from each start."""
    starts = opened.table.group_by(name=opened.file).aggregate(start=opened.row.min() if opened.row is not None else 0)
    start_of: dict[str, int] = dict(engine.fetch(starts))
    picked = rows.filter(broken).select(name=opened.file, row=opened.row).order_by("name", "row").limit(_ROWS_NAMED)
    found = engine.fetch(picked)
    first = found[0][0]
    names = {str(file): name for file, name in zip(opened.source.files, opened.source.names, strict=True)}
    rows_of_first = tuple(row - start_of[name] + opened.first_row for name, row in found if name == first)
    return names.get(first, opened.source.label), rows_of_first


def _located(engine: Engine, opened: Opened, rows: Table, rule: ValueRule, count: int) -> Problem:
    label, numbers = place_of(engine, opened, rows, rule.broken)
    where = f"{label} row {numbers[0]} column {rule.column}" if numbers else f"{label} column {rule.column}"
    return Problem(where=where, code=rule.code, what=f"{rule.what} ({rows_told(count, numbers)})", mend=rule.mend)


def rows_told(count: int, numbers: tuple[int, ...]) -> str:
    """Return how many rows and which.

    Example:
        >>> rows_told(7, (3, 9)), rows_told(1, (3,))
        ('7 rows, among them 3, 9', 'row 3')
    """
    shown = ", ".join(str(number) for number in numbers)
    if not numbers:
        return f"{count} rows"
    if count == len(numbers):
        return f"row{'s' if count > 1 else ''} {shown}"
    return f"{count} rows, among them {shown}"


def rules_of(terms: Terms) -> tuple[ValueRule, ...]:
    """Return every rule that the plan sets for its columns."""
    return (
        *_arm_rules(terms),
        *(rule for name in terms.roles.ids for rule in _id_rules(terms.reader, name)),
        *_readable_rules(terms),
        *(rule for asked in terms.roles.numbers for rule in _range_rules(terms.reader, asked)),
        *_type_rules(terms),
        *_time_rules(terms),
    )


def entry_rules(terms: Terms) -> tuple[ValueRule, ...]:
    """Return the rules for who was assigned to what, and when."""
    ids = (rule for name in terms.roles.ids for rule in _id_rules(terms.reader, name))
    return (*_arm_rules(terms), *ids, *_time_rules(terms))


def _arm_rules(terms: Terms) -> Iterator[ValueRule]:
    name = terms.roles.arm
    yield ValueRule(
        column=name,
        code="D301",
        broken=terms.reader.text(name).isnull(),
        what="the arm is missing",
        mend="give every row its arm, or leave such rows out with data.filter",
    )


def _id_rules(reader: Reader, name: str) -> Iterator[ValueRule]:
    value = reader.table[name]
    yield ValueRule(
        column=name,
        code="D302",
        broken=reader.id(name).isnull(),
        what="the id is missing",
        mend="give every row its id, or leave such rows out with data.filter",
    )
    if value.type().is_floating():
        yield ValueRule(
            column=name,
            code="D303",
            broken=~is_whole(value) | (value.abs() > LARGEST_WHOLE),
            what="the id is stored as a decimal number that can't hold it exactly",
            mend="store ids as text",
        )


def _readable_rules(terms: Terms) -> Iterator[ValueRule]:
    """Yield that numbers can be read and are finite: outcomes, numeric covariates, and what is declared one."""
    reader = terms.reader
    binary = {asked.column for asked in terms.roles.numbers if asked.rule == "binary"}
    for name in dict.fromkeys((*terms.roles.numeric, *terms.numeric_covariates, *reader.declared_numbers)):
        words = '"yes": 1, "no": 0' if name in binary else "NA: null"
        unreadable = reader.unreadable(name)
        if unreadable is not None:
            comma = unreadable & reader.stored_text(name).re_search(DECIMAL_COMMA)
            yield ValueRule(
                column=name,
                code="D304",
                broken=comma,
                what="the numbers have a decimal comma",
                mend='say csv: {decimal: ","} below data',
            )
            yield ValueRule(
                column=name,
                code="D305",
                broken=unreadable & ~comma,
                what="the value is not a number",
                mend=f"say what it means, such as columns: {{{name}: {{map: {{{words}}}}}}} below data, or correct it",
            )
        yield ValueRule(
            column=name,
            code="D306",
            broken=reader.number(name).abs() > _LARGEST,
            what="the number is infinite, or too large to be squared",
            mend="correct it, or map it to null below data.columns",
        )


def _range_rules(reader: Reader, asked: NumberRule) -> Iterator[ValueRule]:
    value = reader.number(asked.column)
    ranges = {
        "binary": (
            (value != 0) & (value != 1),
            "D307",
            "must be 0 or 1",
            "map its values to 0 and 1 below data.columns",
        ),
        "nps": (
            (value < 0) | (value > _BEST_NPS) | (~is_whole(value)),
            "D308",
            "must be a whole number from 0 to 10",
            "map other answers to null below data.columns",
        ),
        "count": (
            (value < 0) | (~is_whole(value)),
            "D309",
            "must be a whole number, not negative",
            "use type: mean, or correct the column",
        ),
        "positive": (
            value.isnull() | (value <= 0),
            "D310",
            "must be present and greater than 0",
            "leave such rows out with data.filter",
        ),
        "not_negative": (
            value < 0,
            "D311",
            "must not be negative",
            "correct it, or set allow_negative: true below data.columns",
        ),
    }
    if asked.rule in ranges:
        broken, code, must, mend = ranges[asked.rule]
        what = f"the value {must} ({asked.because})"
        yield ValueRule(column=asked.column, code=code, broken=broken, what=what, mend=mend)


def _type_rules(terms: Terms) -> Iterator[ValueRule]:
    """Yield that declared types are kept; that numbers can be read is told apart from this."""
    reader = terms.reader
    for name in reader.declared_numbers:
        value, kind = reader.number(name), reader.declared[name].type
        if kind == "integer":
            what, mend = "the value is not a whole number", "correct it, or declare type: number"
            yield ValueRule(column=name, code="D318", broken=~is_whole(value), what=what, mend=mend)
        if kind == "boolean":
            what, mend = "the value is neither true nor false", "map it to 1, 0 or null below data.columns"
            yield ValueRule(column=name, code="D319", broken=(value != 0) & (value != 1), what=what, mend=mend)
    for name, column in reader.declared.items():
        if column.type in {"date", "datetime"} and name not in terms.roles.times:
            yield _no_time(reader, name)


def _no_time(reader: Reader, name: str) -> ValueRule:
    return ValueRule(
        column=name,
        code="D313",
        broken=reader.present(name) & reader.time(name).isnull(),
        what="the value is not a date or time",
        mend="write dates as 2026-01-31, or 2026-01-31 13:45:00",
    )


def _time_rules(terms: Terms) -> Iterator[ValueRule]:
    for name in terms.roles.times:
        yield ValueRule(
            column=name,
            code="D312",
            broken=~terms.reader.present(name),
            what="the time is missing",
            mend="fill it in, or leave such rows out",
        )
        yield _no_time(terms.reader, name)
    if terms.observed_until is not None and terms.observed_until[0] in terms.roles.times:
        name, end = terms.observed_until
        yield ValueRule(
            column=name,
            code="D317",
            broken=end > ibis.literal(_tomorrow()),
            what="the end of observation lies in the future",
            mend="give the day until which outcomes are known",
        )
    if terms.time_zero is not None and terms.observed_until is not None and terms.roles.times:
        (_, start), (_, end) = terms.time_zero, terms.observed_until
        yield ValueRule(
            column=terms.roles.times[0],
            code="D314",
            broken=start > end,
            what="time zero lies after the end of observation",
            mend="check data.time_zero and data.observed_until; a unit can't enter after it was last seen",
        )


def _tomorrow() -> datetime:
    """Return a moment that lies in the future whatever the zone and the clock of whoever wrote the data."""
    return datetime.now(UTC).replace(tzinfo=None) + _CLOCKS_DIFFER
