"""One way to turn a record into bytes, so that equal meaning gives an equal SHA-256 on every machine."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
_PLAIN = frozenset({str, int, bool, float, type(None)})


def canonical_json(value: object) -> bytes:
    """Return JSON with sorted keys, no white space, UTF-8, and null for numbers that are not finite.

    Frozen records, mappings, sequences, sets, dates, fractions, paths and numpy values are understood. A key that is
    not text becomes the canonical JSON of itself, so that answers keyed by (arm, group) can be stored.

    Raises:
        TypeError: a value of any other type, which would have no stable spelling.

    Example:
        >>> canonical_json({"b": float("nan"), "a": (1, 2.5)})
        b'{"a":[1,2.5],"b":null}'
    """
    return plain_json(json_ready(value))


def plain_json(value: Json) -> bytes:
    """Return the canonical JSON of what was read from JSON, in a fraction of the time.

    Raises:
        ValueError: a number that is not finite, which canonical JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def sha256_of(value: object) -> str:
    """Return the hexadecimal SHA-256 of the canonical JSON of `value`.

    Example:
        >>> sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def json_ready(value: object) -> Json:
    """Return `value` as the lists, dicts, text and numbers of JSON.

    Raises:
        TypeError: a value without a stable spelling, or two keys that would be spelled alike.

    Example:
        >>> json_ready({("gig", "north"): 3})
        {'["gig","north"]': 3}
    """
    if type(value) in _PLAIN:  # most of what is asked for, and soonest told
        return value if type(value) is not float or math.isfinite(value) else None  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: json_ready(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return _ready_mapping(value)
    if type(value).__module__ == "numpy":  # not imported here: it would cost every start
        return json_ready(value.tolist())  # type: ignore[attr-defined]
    if isinstance(value, AbstractSet):
        return sorted((json_ready(item) for item in value), key=canonical_json)
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
    return [json_ready(item) for item in value] if is_list else _ready_scalar(value)  # type: ignore[attr-defined]


def _ready_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a dict with text keys; refuse two keys that would fall together."""
    result = {_key(key): json_ready(item) for key, item in value.items()}
    if len(result) != len(value):
        raise TypeError("two keys of a mapping have the same canonical spelling")
    return result


def _key(key: object) -> str:
    """Return text as it is, anything else as its own canonical JSON."""
    if type(key) is str:
        return key
    spelled = json_ready(key)
    return spelled if isinstance(spelled, str) else canonical_json(spelled).decode("utf-8")


def _ready_scalar(value: object) -> str | int | float | bool | None:
    """Return one value of JSON; enums (also of text and numbers) count as their value."""
    if isinstance(value, Enum):
        return _ready_scalar(value.value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Fraction | Decimal | PurePath):
        return value.as_posix() if isinstance(value, PurePath) else str(value)
    raise TypeError(f"a value of type {type(value).__name__} has no canonical spelling")
