"""Stored values as text, numbers, ids, times and arms: one rule per role, the same for every kind of source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import ibis

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec.models import Column
from cxcausal.data.engine import Table, Value

NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
DECIMAL_COMMA = r"^[+-]?[0-9]+,[0-9]+$"
PADDED = r"^[+-]?0[0-9]"
_ISO_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$"
LARGEST_WHOLE = 2.0**53
_NUMBER_KEY = re.compile(NUMBER)
_BINARY_ARMS = frozenset({"0", "1"})


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Turns stored columns into typed expressions.

    Attributes:
        table: the stored rows.
        declared: `data.columns` of the plan.
        decimal: the decimal sign of numbers that are stored as text.
    """

    table: Table
    declared: Mapping[str, Column]
    decimal: str = "."

    @property
    def declared_numbers(self) -> tuple[str, ...]:
        """Columns that the plan declares to be numbers or booleans, and doesn't map to text."""
        kinds = {"number", "integer", "boolean"}
        return tuple(
            name for name, column in self.declared.items() if column.type in kinds and not self.maps_to_text(name)
        )

    def maps_to_text(self, name: str) -> bool:
        """Tell whether the column's map leads to something that is no number."""
        declared = self.declared.get(name)
        targets = () if declared is None or declared.map is None else declared.map.values()
        return any(target is not None and _finite(target) is None for target in targets)

    def present(self, name: str) -> Value:
        """Tell where a value is stored; an empty text is none."""
        column = self.table[name]
        return column.nullif("").notnull() if self.holds_text(name) else column.notnull()

    def text(self, name: str) -> Value:
        """Return values as canonical text after the column's map: whole numbers without `.0`, missing as null."""
        return _mapped(self.stored_text(name), self._map(name, number=False))

    def key(self, name: str) -> Value:
        """Return values as text for grouping: as `text`, with the empty text where missing."""
        if self.is_its_own_key(name):
            return self.table[name].fill_null("")
        return self.text(name).fill_null("")

    def is_its_own_key(self, name: str) -> bool:
        """Tell whether the stored text tells the same groups apart as `key` does, but for null and the empty text."""
        return self.holds_text(name) and not self._map(name, number=False)

    def stored_text(self, name: str) -> Value:
        """Return values as canonical text, before the column's map."""
        column = self.table[name]
        kind = column.type()
        if kind.is_string():
            return column.nullif("")
        if kind.is_decimal() and kind.scale == 0:
            return column.cast("string")
        if kind.is_floating() or kind.is_decimal():
            return _number_text(column.cast("float64"))
        return column.cast("string")

    def id(self, name: str) -> Value:
        """Return values for comparing identities; integers stay integers, for speed."""
        column = self.table[name]
        kind = column.type()
        if kind.is_string():
            return column.nullif("")
        return column if kind.is_integer() else self.stored_text(name)

    def number(self, name: str) -> Value:
        """Return values as floats after the column's map; null where missing or not a number.

        A key of the map that is a number means that number however it is written: `-999` is also `-999.0`.
        """
        plain = self._plain_number(name)
        mapping = self._map(name, number=True)
        if not mapping:
            return plain
        text = self.stored_text(name)
        keys = {key: plain == float(key) if _NUMBER_KEY.match(key) else text == key for key in mapping}
        cases = [(keys[key], ibis.literal(value, "float64")) for key, value in mapping.items()]
        return ibis.cases(*cases, else_=plain)

    def unreadable(self, name: str) -> Value | None:
        """Tell where a stored value is neither in the map nor a number; None where the type excludes it."""
        if self.holds_numbers(name):
            return None
        text = self.stored_text(name)
        known = tuple(self._map(name, number=True))
        return text.notnull() & self._plain_number(name).isnull() & (~text.isin(known) if known else True)

    def holds_text(self, name: str) -> bool:
        """Tell whether the store has text here, of which the role decides the type."""
        return bool(self.table[name].type().is_string())

    def holds_numbers(self, name: str) -> bool:
        """Tell whether the store has numbers or booleans here."""
        kind = self.table[name].type()
        return bool(kind.is_numeric() or kind.is_boolean())

    def time(self, name: str) -> Value:
        """Return values as local times of the project; null where missing or not an ISO date or time."""
        column = self.table[name]
        kind = column.type()
        if kind.is_date() or kind.is_timestamp():
            return column.cast("timestamp")
        text = column.cast("string")
        return ibis.ifelse(text.re_search(_ISO_TIME), text.try_cast("timestamp('UTC')").cast("timestamp"), None)

    def arm(self, name: str, arms: tuple[str, ...]) -> Value:
        """Return values as arm names; true, false, 1.0 and 0.0 are 1 and 0 where those are the arms."""
        text = self.text(name)
        if set(arms) != _BINARY_ARMS:
            return text
        low = text.lower()
        return ibis.cases((low.isin(["true", "1.0"]), "1"), (low.isin(["false", "0.0"]), "0"), else_=text)

    def arm_is_its_own_key(self, name: str, arms: tuple[str, ...]) -> bool:
        """Tell whether the stored text tells the same arms apart as `arm` does."""
        return self.is_its_own_key(name) and set(arms) != _BINARY_ARMS

    def _plain_number(self, name: str) -> Value:
        column = self.table[name]
        kind = column.type()
        if kind.is_floating():
            value = column.cast("float64")
            return ibis.ifelse(value.isnan(), None, value)
        if kind.is_numeric() or kind.is_boolean():
            return column.cast("float64")
        text, comma = column.cast("string"), self.decimal == ","
        point = text.replace(",", ".") if comma else text
        allowed = text.re_search(NUMBER.replace(r"\.", ",") if comma else NUMBER)
        low = text.lower()
        return ibis.cases(
            (allowed, point.try_cast("float64")),
            (low == "true", ibis.literal(1.0)),
            (low == "false", ibis.literal(0.0)),
            else_=ibis.null("float64"),
        )

    def _map(self, name: str, *, number: bool) -> Mapping[str, Any]:
        declared = self.declared.get(name)
        mapping = {} if declared is None or declared.map is None else declared.map
        read = _map_number if number else _map_text
        return {key: read(name, value) for key, value in mapping.items()}


def _mapped(text: Value, mapping: Mapping[str, str | None]) -> Value:
    if not mapping:
        return text
    return ibis.cases(*[(text == key, ibis.literal(value, "string")) for key, value in mapping.items()], else_=text)


def is_whole(value: Value) -> Value:
    """Tell where a float has no fraction; Ibis's `floor` would overflow on large ones."""
    return value % 1.0 == 0


def _number_text(value: Value) -> Value:
    whole = is_whole(value) & (value.abs() <= LARGEST_WHOLE)
    text = ibis.ifelse(whole, value.try_cast("int64").cast("string"), value.cast("string"))
    return ibis.ifelse(value.isnan(), None, text)


def _map_text(name: str, value: object) -> str | None:
    del name
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _map_number(name: str, value: object) -> float | None:
    number = _finite(value)
    if value is None or number is not None:
        return number
    what = f"the map of '{name}' leads to '{value}', and this column must be a number"
    mend = "map each value to a number, or to null where it means missing"
    raise PlanError(Problem(where=f"data.columns.{name}.map", code="D131", what=what, mend=mend))


def _finite(value: object) -> float | None:
    """Return what a map leads to as a number, None where it is none."""
    try:
        number = float(str(value)) if not isinstance(value, bool) else float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None
