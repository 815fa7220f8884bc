"""Records out of JSON: what `canonical_json` wrote becomes the frozen record that it was."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def record_from(kind: type[T], content: Mapping[str, Any]) -> T:
    """Return a record of `kind`; keys that it does not have are left out, fields that are absent keep their default.

    Args:
        kind: a dataclass whose fields are scalars, records, maps and tuples.
        content: what was read.

    Raises:
        TypeError: a field without a default is absent.

    Example:
        >>> from cxcausal.core.results import Range
        >>> record_from(Range, {"point": 1.5, "low": None, "unknown": 0})
        Range(point=1.5, low=None, high=None)
    """
    known: Any = kind
    return kind(**{name: _value(hint, content[name]) for name, hint in _hints(known) if name in content})


@cache
def _hints(kind: Any) -> tuple[tuple[str, Any], ...]:  # noqa: ANN401 - a dataclass
    """Return the fields of a record with their types."""
    hints = get_type_hints(kind)
    return tuple((item.name, hints[item.name]) for item in fields(kind))


def _value(hint: Any, value: Any) -> Any:  # noqa: ANN401 - a type of any kind, and any JSON value
    """Return a value as its type has it."""
    if value is None or isinstance(value, str | int | float):
        return value
    kind, inner = get_origin(hint), get_args(hint)
    if kind in {Union, UnionType}:
        return _value(next(one for one in inner if one is not NoneType), value)
    if is_dataclass(hint) and isinstance(hint, type):
        return record_from(hint, value)
    if kind is tuple:
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_value(one, item) for one, item in zip(kinds, value, strict=True))
    if isinstance(value, Mapping) and len(inner) == 2:  # noqa: PLR2004 - key and value
        return {key: _value(inner[1], item) for key, item in value.items()}
    return value
