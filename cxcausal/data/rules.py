"""What values must obey: all rules are counted in one pass, and broken ones located by row, never by value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import ibis

from cxcausal.core.errors import Problem
from cxcausal.core.signs import key_of
from cxcausal.data.columns import LARGEST_WHOLE, Reader, is_whole
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.misreadings import Misreading, mapped, of_numbers, of_times
from cxcausal.data.roles import NumberRule, Roles

_ROWS_NAMED = 5
_BEST_NPS = 10
_LARGEST_SINGLE = 2.0**24
_NOBODY = ("null", "(null)", "nan", "none", "n/a", "#n/a", "<na>", "\\n", "nil", "undefined")
_LONGEST_WORD = max(map(len, _NOBODY))
_LARGEST = 1e70
"""Beyond this, products of two values overflow when they are squared and added up."""
_LONG_AGO, _UNIX_ZERO = datetime(1950, 1, 1), datetime(1970, 1, 1)  # noqa: DTZ001 - local times of the project
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ValueRule:
    """A condition that no row may meet."""

    column: str
    code: str
    broken: Value
    what: str
    mend: str
    instead: tuple[Misreading, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The typed expressions that the rules speak of; `time_zero` and `observed_until` may be absent.

    `csv` says that the plan can tell how numbers are written.
    """

    reader: Reader
    roles: Roles
    numeric_covariates: tuple[str, ...]
    csv: bool = True
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
        if count and rule.instead:
            yield from _misread(engine, opened, rows, rule)
        elif count:
            yield _located(engine, opened, rows, rule, count)


def _misread(engine: Engine, opened: Opened, rows: Table, rule: ValueRule) -> Iterator[Problem]:
    """Yield one problem per shape of the broken values, and the rule's own for what is left."""
    left = rule.broken.fill_null(False)
    for shape in rule.instead:
        sign = left & shape.sign.fill_null(False)
        left = left & ~shape.sign.fill_null(False)
        mend = shape.mend
        if shape.words:
            picked = rows.filter(sign).select(word=shape.text).distinct().order_by("word")
            mend %= mapped(shape.words, [word for (word,) in engine.fetch(picked)])
        told = replace(rule, broken=sign, code=shape.code, what=shape.what, mend=mend, instead=())
        yield from broken_rules(engine, opened, rows, (told,))
    yield from broken_rules(engine, opened, rows, (replace(rule, broken=left, instead=()),))


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
    names = {str(file): name for file, name in opened.source.named_files}
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
        mend=f"give every row its arm, or leave such rows out with data.filter: say {_present(name)} below data",
    )


def _id_rules(reader: Reader, name: str) -> Iterator[ValueRule]:
    value = reader.table[name]
    yield ValueRule(
        column=name,
        code="D302",
        broken=reader.id(name).isnull(),
        what="the id is missing",
        mend=f"give every row its id, or leave such rows out with data.filter: say {_present(name)} below data",
    )
    if not _may_name(value.type()):
        yield ValueRule(
            column=name,
            code="D303",
            broken=value.notnull(),
            what="the column holds true and false, times, lists or records, and no ids",
            mend="name the column of ids, or store ids as text",
        )
    if value.type().is_string() and (name not in reader.declared or reader.declared[name].type != "text"):
        yield from _odd_id_rules(name, value)
    if value.type().is_floating() or (value.type().is_decimal() and value.type().scale):
        largest = LARGEST_WHOLE if str(value.type()) == "float64" else _LARGEST_SINGLE
        yield ValueRule(
            column=name,
            code="D303",
            broken=~is_whole(value.cast("float64")) | (value.cast("float64").abs() >= largest),
            what="the id is stored as a decimal number that can't hold it exactly",
            mend="store ids as text",
        )


def _present(name: str) -> str:
    """Return the filter that missing values don't pass."""
    return _filter(name, "!= ''")


def _filter(name: str, condition: str) -> str:
    """Return a filter over one column, as it stands in a plan."""
    column = name if name.isascii() and name.isidentifier() else f"`{name}`"
    return f'filter: "{column} {condition}"'


def _may_name(kind: Value) -> bool:
    """Tell whether values of a type can be ids."""
    return bool(kind.is_string() or kind.is_numeric() or kind.is_uuid() or kind.is_binary() or kind.is_null())


def _odd_id_rules(name: str, value: Value) -> Iterator[ValueRule]:
    """Yield that texts are ids, and not what a spreadsheet or a program left of one."""
    yield ValueRule(
        column=name,
        code="D321",
        broken=value.contains("E+") & value.re_search(r"^[0-9](\.[0-9]+)?E\+[0-9]+$"),
        what="the id is written as 1.23E+11, as spreadsheets do, and its digits are lost",
        mend="export it again with ids as text",
    )
    yield ValueRule(
        column=name,
        code="D322",
        broken=(value.length() <= _LONGEST_WORD) & value.lower().isin(_NOBODY),
        what="the id is a word for a missing value, such as NULL",
        mend="give every row its id, or leave such rows out with data.filter; "
        f"if it is an id, say columns: {{{key_of(name)}: {{type: text}}}} below data",
    )


def _readable_rules(terms: Terms) -> Iterator[ValueRule]:
    """Yield that numbers can be read and are finite: outcomes, numeric covariates, and what is declared one."""
    reader = terms.reader
    binary = {asked.column for asked in terms.roles.numbers if asked.rule == "binary"}
    for name in dict.fromkeys((*terms.roles.numeric, *terms.numeric_covariates, *reader.declared_numbers)):
        unreadable = reader.unreadable(name)
        if unreadable is not None:
            text = reader.stored_text(name)
            shapes = of_numbers(name, text, decimal=reader.decimal, csv=terms.csv, binary=name in binary)
            yield ValueRule(
                column=name,
                code="D305",
                broken=unreadable,
                what="the value is not a number",
                mend=f"say what it means, such as columns: {{{name}: {{map: {{NA: null}}}}}} below data, or correct it",
                instead=tuple(shapes),
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
            "map its values to 0 and 1, or to null, below data.columns",
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
            f"leave such rows out with data.filter: say {_filter(asked.column, '> 0')} below data",
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
        instead=tuple(of_times(reader.stored_text(name))),
    )


def _time_rules(terms: Terms) -> Iterator[ValueRule]:
    for name in terms.roles.times:
        yield ValueRule(
            column=name,
            code="D312",
            broken=~terms.reader.present(name),
            what="the time is missing",
            mend=f"fill it in, or leave such rows out with data.filter: say {_present(name)} below data",
        )
        yield _no_time(terms.reader, name)
        time, late = terms.reader.time(name), "> '1970-01-01'"
        yield ValueRule(
            column=name,
            code="D325",
            broken=(time < ibis.literal(_LONG_AGO)) | (time == ibis.literal(_UNIX_ZERO)),
            what="the time lies before 1950, or is 1970-01-01 00:00, as programs write a missing one",
            mend=f"fill it in, or leave such rows out with data.filter: say {_filter(name, late)} below data",
        )
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
