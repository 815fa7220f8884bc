"""More columns than a row of PostgreSQL can have: numbers leave the engine in arrays, and are laid out again here."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlglot.expressions as sge

from cxcausal.data.engine import Row

MOST_COLUMNS = 1_600
"""A row has at most 1,664."""


def packed(statement: sge.Expression, schema: Any) -> sge.Expression:  # noqa: ANN401 - Ibis's
    """Return a statement whose neighbouring numbers are arrays, where it has more columns than a row can have.

    Args:
        statement: a query; what it groups by stands first.
        schema: the types of its columns.
    """
    columns = statement.expressions
    if len(columns) <= MOST_COLUMNS:
        return statement
    group = statement.args.get("group")
    keys = len(group.expressions) if group is not None else 0
    kinds = [_kind(place, keys, kind) for place, kind in enumerate(schema.types)]
    runs = groupby(zip(columns, kinds, strict=True), key=lambda pair: pair[1])
    made: list[Any] = []
    for place, (kind, run) in enumerate(runs):
        values = [column for column, _ in run]
        made += values if kind.isdigit() else [_array(values, kind).as_(f"packed{place}", quoted=True)]
    statement.set("expressions", made)
    return statement


def unpacked(rows: list[Row]) -> list[Row]:
    """Return rows with the members of every array as columns of their own.

    Example:
        >>> unpacked([("call", [1, 2], 0.5)])
        [('call', 1, 2, 0.5)]
    """
    if not rows or not any(isinstance(value, list) for value in rows[0]):
        return rows
    return [tuple(_members(row)) for row in rows]


def _members(row: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in row:
        found.extend(value if isinstance(value, list) else (value,))
    return found


def _kind(place: int, keys: int, kind: Any) -> str:  # noqa: ANN401 - Ibis's
    """Return the type of the array that a column goes into; a number of its own where it stays alone."""
    if place < keys or not kind.is_numeric():
        return str(place)
    return "numeric" if kind.is_integer() else "double precision"


def _array(columns: Sequence[sge.Expression], kind: str) -> sge.Expression:
    values = [sge.cast(column.unalias(), kind, dialect="postgres") for column in columns]
    return sge.Array(expressions=values)
