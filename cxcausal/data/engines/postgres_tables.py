"""Tables of PostgreSQL: found by name, and their columns brought to the few types that plans know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import Row, Table, Value
from cxcausal.data.engines.postgres_sql import float_of, text_of, whole_of
from cxcausal.data.sources import Source
from cxcausal.data.tables import nearest, require_columns

_NAMED_AT_MOST = 40
_INTEGERS = {"int2": dt.int16, "int4": dt.int32, "int8": dt.int64}
_FLOATS = {"float4": dt.float32, "float8": dt.float64}
_TIMES = {"date": dt.date, "timestamp": dt.timestamp, "timestamptz": dt.Timestamp(timezone="UTC")}
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "uuid", "char", "inet", "macaddr"})
_EXACT_DIGITS = 18
"""Decimals without a fraction and with no more digits fit a whole number of 64 bits."""

_FLOAT_DIGITS = 300
"""Decimals with no more digits are neither beyond all floats nor nearer to 0 than all of them."""
_CALENDAR = ("0001-01-02", "9999-12-30")
"""Times before and after, among them the infinite ones, count as missing."""

LISTED = """
SELECT n.nspname, c.relname, c.oid::bigint, pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
"""Schema, name, number and whether it is found without its schema, of every table and view."""
COLUMNS = """
SELECT a.attname, coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype),
  CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, coalesce(b.typcategory, t.typcategory)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
"""Name, type, kind of type, its modifier and its category, of every column; of a domain those that it stands for."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A column as the catalogue knows it."""

    name: str
    type: str
    kind: str
    modifier: int
    category: str

    @property
    def raw(self) -> dt.DataType | None:
        """The type that it is read with; None where it can't be read."""
        known: Mapping[str, dt.DataType] = {**_INTEGERS, **_FLOATS, **_TIMES, "bool": dt.boolean}
        if self.type in {"numeric", "money"}:
            return dt.decimal
        if self.type in _TEXTS or self.kind == "e":
            return dt.string
        return known.get(self.type) if self.category != "A" else None

    @property
    def digits(self) -> tuple[int, int] | None:
        """How many digits a decimal has in all and after the point; None for as many as it likes."""
        limited = self.type == "numeric" and self.modifier > 0
        return ((self.modifier - 4) >> 16, (self.modifier - 4) & 0x7FF) if limited else None


def found_table(listed: Sequence[Row], source: Source) -> tuple[str, str, int]:
    """Return schema, name and number of a table that the plan names with or without its schema.

    Args:
        listed: the rows of `LISTED`.
        source: names the table.

    Raises:
        PlanError: there is none.
    """
    for schema, name, oid, visible in listed:
        if source.table == f"{schema}.{name}" or (visible and source.table == name):
            return schema, name, oid
    names = tuple(name if visible else f"{schema}.{name}" for schema, name, _, visible in listed)
    near = nearest(str(source.table), tuple(f"{schema}.{name}" for schema, name, _, _ in listed) + names)
    shown = f"{', '.join(names[:_NAMED_AT_MOST])}{' and others' if len(names) > _NAMED_AT_MOST else ''}"
    mend = f"did you mean '{near}'?" if near else f"tables that this user can see: {shown or 'none'}"
    what = f"the database has no table '{source.table}'"
    raise PlanError(Problem(where="data.table", code="D107", what=what, mend=mend))


def readable(columns: Sequence[Stored], source: Source, data: Data, needed: tuple[str, ...]) -> tuple[Stored, ...]:
    """Return the needed columns.

    Raises:
        DataError: one is not there, or is of a type that no role can have.
    """
    require_columns(source.label, tuple(column.name for column in columns), needed, data)
    by_name = {column.name: column for column in columns}
    mine = tuple(by_name[name] for name in needed)
    problems = tuple(
        Problem(
            where=f"{source.label} column {column.name}",
            code="D215",
            what=f"the column is of the type {column.type}, which is neither number, text, truth nor time",
            mend="make a view that gives what the plan needs of it as a plain column, and name that view",
        )
        for column in mine
        if column.raw is None
    )
    if problems:
        raise DataError(problems)
    return mine


def table_of(backend: Any, schema: str, name: str, columns: Sequence[Stored]) -> Table:  # noqa: ANN401 - Ibis's
    """Return a table with these columns, brought to plain types."""
    kinds = ibis.schema({column.name: column.raw for column in columns})
    stored = ops.DatabaseTable(name, schema=kinds, source=backend, namespace=ops.Namespace(database=schema)).to_expr()
    return stored.select(**{column.name: _plain(stored[column.name], column) for column in columns})


def _plain(value: Value, column: Stored) -> Value:
    """Return text that is compared byte by byte, decimals as numbers, and no time that Python has no name for."""
    if column.raw == dt.string:
        return text_of(value)
    if column.raw in _TIMES.values():
        first, last = (ibis.literal(day).cast(str(column.raw)) for day in _CALENDAR)
        return ibis.ifelse(value.between(first, last), value, None)
    return _number(value, column.digits) if column.raw == dt.decimal else value


def _number(value: Value, digits: tuple[int, int] | None) -> Value:
    """Return a decimal as a whole number where its type holds nothing else, and as the nearest float otherwise."""
    if digits is not None and digits[0] <= _EXACT_DIGITS and digits[1] == 0:
        return whole_of(value)
    return float_of(value) if digits is None or digits[0] > _FLOAT_DIGITS else value.cast("float64")
