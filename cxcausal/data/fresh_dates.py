"""Dates that stand as text in fresh customers: they are compared as text, which is right for ISO dates alone."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.spec.filter_grammar import Column, Comparison, Expr, Literal
from cxcausal.core.wording import counted
from cxcausal.data.engine import Engine, Table
from cxcausal.data.roles import is_date

_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"


def dated_columns(tree: Expr | None) -> tuple[str, ...]:
    """Return the columns that a condition compares with a date.

    Example:
        >>> from cxcausal.core.spec.filter_grammar import parse_filter
        >>> dated_columns(parse_filter("tier == 'gold' and joined < '2026-03-29'"))
        ('joined',)
    """
    return tuple(dict.fromkeys(_dated(tree)))


def refuse_other_dates(engine: Engine, table: Table, label: str, names: tuple[str, ...]) -> None:
    """Refuse texts in a column of dates that are no ISO dates, or have a time zone.

    Raises:
        DataError: there are some; no value is told.
    """
    problems = []
    for name in names:
        if not table[name].type().is_string():
            continue
        text = table[name].strip().nullif("")
        others = table.filter(~text.re_search(_ISO))
        n = int(engine.fetch(others.aggregate(n=others.count()))[0][0])
        if n:
            what = f"{counted(n, 'value')} not written like 2026-01-31 or 2026-01-31 09:30, and compared with a date"
            mend = "write dates so, in the time zone of the project, or store the column as a time"
            problems.append(Problem(where=f"{label} column {name}", code="D655", what=what, mend=mend))
    if problems:
        raise DataError(problems)


def _dated(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a condition
    if isinstance(part, Comparison):
        for one, other in ((part.left, part.right), (part.right, part.left)):
            if isinstance(one, Column) and isinstance(other, Literal) and is_date(str(other.value)):
                yield one.name
    elif isinstance(part, tuple):
        for each in part:
            yield from _dated(each)
    elif is_dataclass(part):
        for own in fields(part):
            yield from _dated(getattr(part, own.name))
