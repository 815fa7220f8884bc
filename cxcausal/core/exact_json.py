"""Records to JSON and back without losing a bit: what a stopped run has found goes on in another process."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_KIND = "~"
_PLAIN = (str, bool, int, type(None))


class NotExact(TypeError):  # noqa: N818 - no failure: the value is made anew instead of being kept
    """A value that could not come back exactly as it is, or is too large to be kept."""


def to_json(value: object, *, most_bytes: int | None = None) -> dict[str, Any]:
    """Return records, tuples, maps, numbers and arrays as bare JSON, from which `from_json` makes the same again.

    Types come back as they were (a number of numpy is none of Python, and divides otherwise), maps keep their order,
    arrays their bytes, their strides (on which the order of a sum may depend), and that two records share one.

    Args:
        value: made of frozen records, tuples, lists, maps, text, numbers and arrays of numbers.
        most_bytes: of all arrays together.

    Raises:
        NotExact: it holds something else, or more.

    Example:
        >>> from_json(to_json({("gig", ()): (1, 0.1, float("inf"))}), {})
        {('gig', ()): (1, 0.1, inf)}
    """
    writer = _Writer(most_bytes)
    tree = writer.told(value)
    return {"tree": tree, "arrays": writer.arrays}


def from_json(told: Mapping[str, Any], kinds: Mapping[str, type]) -> Any:  # noqa: ANN401 - whatever was told
    """Return what `to_json` was given.

    Args:
        told: its result.
        kinds: name → class of the records that may be made; nothing else ever is.

    Raises:
        KeyError, TypeError, ValueError: this is not such a result, or of another version.
    """
    return _Reader(kinds, [_array(one) for one in told["arrays"]]).made(told["tree"])


class _Writer:
    """Walks a value once; arrays that are met again are told by number."""

    def __init__(self, most_bytes: int | None) -> None:
        self._left = most_bytes
        self._places: dict[int, int] = {}
        self._kept: list[object] = []  # so that no identity is taken by another object
        self.arrays: list[dict[str, Any]] = []

    def told(self, value: Any) -> Any:  # noqa: ANN401 - a tree of anything
        if type(value) in _PLAIN:
            return value
        if type(value) is float:
            return value if np.isfinite(value) else {_KIND: "float", "is": repr(value)}
        if isinstance(value, np.generic):
            return {_KIND: "scalar", "dtype": value.dtype.str, "is": repr(value.item())}
        if isinstance(value, np.ndarray):
            return {_KIND: "array", "at": self._array_at(value)}
        return self._of_several(value)

    def _of_several(self, value: Any) -> Any:  # noqa: ANN401 - what has parts
        if type(value) is tuple:
            return [self.told(item) for item in value]
        if type(value) is list:
            return {_KIND: "list", "items": [self.told(item) for item in value]}
        if isinstance(value, Mapping):
            return {_KIND: "map", "items": [[self.told(key), self.told(item)] for key, item in value.items()]}
        if is_dataclass(value) and not isinstance(value, type):
            return self._of_record(value)
        raise NotExact(f"a value of type {type(value).__name__} is not kept")

    def _of_record(self, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
        if not all(item.init and item.compare for item in fields(value)):
            raise NotExact(f"a {type(value).__name__} is more than its fields")
        return {_KIND: type(value).__name__, **{one.name: self.told(getattr(value, one.name)) for one in fields(value)}}

    def _array_at(self, array: "np.ndarray[Any, Any]") -> int:
        if id(array) not in self._places:
            self._kept.append(array)
            self._places[id(array)] = len(self.arrays)
            self.arrays.append(self._bytes_of(array))
        return self._places[id(array)]

    def _bytes_of(self, array: "np.ndarray[Any, Any]") -> dict[str, Any]:
        if array.dtype.kind not in "fiub" or _overlaps(array):
            raise NotExact("an array of this kind or layout is not kept")
        room = _room(array.shape, array.strides, array.itemsize)
        if self._left is not None:
            self._left -= room
            if self._left < 0:
                raise NotExact("the arrays are too large to be kept")
        content = b64encode(array.tobytes()).decode("ascii")
        shape, strides = list(array.shape), list(array.strides)
        return {"dtype": array.dtype.str, "shape": shape, "strides": strides, "bytes": content}


class _Reader:
    """Makes values of what a writer told."""

    def __init__(self, kinds: Mapping[str, type], arrays: "list[np.ndarray[Any, Any]]") -> None:
        self._kinds, self._arrays = kinds, arrays
        self._special: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "float": lambda told: float(told["is"]),
            "list": lambda told: [self.made(item) for item in told["items"]],
            "map": lambda told: {self.made(key): self.made(item) for key, item in told["items"]},
            "array": lambda told: self._arrays[told["at"]],
            "scalar": _scalar,
        }

    def made(self, told: Any) -> Any:  # noqa: ANN401 - a tree of anything
        if isinstance(told, list):
            return tuple(self.made(item) for item in told)
        if not isinstance(told, dict):
            return told
        if told[_KIND] in self._special:
            return self._special[told[_KIND]](told)
        content = {name: self.made(item) for name, item in told.items() if name != _KIND}
        return self._kinds[told[_KIND]](**content)


def _scalar(told: Mapping[str, Any]) -> Any:  # noqa: ANN401 - numpy's
    """Return one number of numpy."""
    kind = np.dtype(told["dtype"])
    spelled = {"True": 1, "False": 0}.get(told["is"], told["is"])
    return kind.type(int(spelled) if kind.kind in "iub" else float(spelled))


def _array(told: Mapping[str, Any]) -> "np.ndarray[Any, Any]":
    """Return one array with bytes of its own, so that it can be written to as the first one could."""
    kind, shape, strides = np.dtype(told["dtype"]), tuple(told["shape"]), tuple(told["strides"])
    content = np.frombuffer(b64decode(told["bytes"], validate=True), dtype=kind).reshape(shape)
    room = bytearray(_room(shape, strides, kind.itemsize))
    array: np.ndarray[Any, Any] = np.ndarray(shape, kind, room, strides=strides)
    array[...] = content
    return array


def _overlaps(array: "np.ndarray[Any, Any]") -> bool:
    """Tell whether a step of the array goes nowhere or backwards."""
    steps = zip(array.shape, array.strides, strict=True)
    return array.size > 0 and any(step <= 0 for length, step in steps if length > 1)


def _room(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> int:
    """Return the bytes from an array's first to the end of its last number."""
    if 0 in shape:
        return itemsize
    return itemsize + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))


def same_bits(one: object, other: object) -> bool:
    """Tell whether two values are equal in every bit and type, missing numbers and negative zeros among them.

    Example:
        >>> same_bits((0.0, 1), (-0.0, 1))
        False
    """
    return json.dumps(to_json(one)) == json.dumps(to_json(other))
