"""Canaries: ids, addresses and secrets of nobody, and where in a project they are found again."""

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from urllib.parse import quote

PASSWORD = "Zq7-pa55-kanari-41"  # noqa: S105 - of nobody
TOKEN = "tok-kanari-9f31c7e2"  # noqa: S105 - of nobody
SHAPES = ("uuid", "zeros", "mail", "phone", "iban")
PRIVATE = frozenset({"kept", "sources", "key"})
"""Below a run's private folder, or the project's: kept for reruns, never shown, named by the documentation."""
_ENOUGH = 40
"""Units of each shape that are looked for: all are alike."""


def ids(shape: str, count: int) -> list[str]:
    """Return ids of one shape, none of which can occur by chance."""
    draw = Random(f"canary {shape}")  # noqa: S311 - names of nobody
    return [_MAKERS[shape](draw) for _ in range(count)]


def everybody(per_shape: int) -> list[str]:
    """Return ids of all shapes, in one list."""
    return [one for shape in SHAPES for one in ids(shape, per_shape)]


_MAKERS = {
    "uuid": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "zeros": lambda draw: f"000{draw.randrange(10**11, 10**12)}",
    "mail": lambda draw: f"kanari.{draw.randrange(10**8)}@nobody.example",
    "phone": lambda draw: f"+4930{draw.randrange(10**8, 10**9)}",
    "iban": lambda draw: f"DE{draw.randrange(10**19, 10**20)}",
}


def needles(values: list[str]) -> dict[str, bytes]:
    """Return each value, and what can be had of it without a key, as bytes to be looked for."""
    found: dict[str, bytes] = {}
    for value in values:
        raw = value.encode()
        found[value] = raw
        found[f"{value} quoted"] = quote(value, safe="").encode()
        found[f"{value} base64"] = base64.b64encode(raw).rstrip(b"=")[:-1]
        for name in ("md5", "sha1", "sha256"):
            found[f"{value} {name}"] = hashlib.new(name, raw).hexdigest().encode()
    return found


def hits(places: Mapping[str, bytes], values: list[str]) -> list[str]:
    """Return where any of the values can be found."""
    sought = needles(values)
    return [f"{place}: {name}" for place, content in places.items() for name, raw in sought.items() if raw in content]


def of_each_shape(per_shape: int) -> list[str]:
    """Return the first ids of every shape."""
    return [one for shape in SHAPES for one in ids(shape, min(per_shape, _ENOUGH))]


def files_below(root: Path, *parts: str) -> dict[str, bytes]:
    """Return every file of the record by its path, but for what is private by design."""
    return {str(path.relative_to(root)): path.read_bytes() for path in _files(root, parts)}


def _files(root: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    for part in parts:
        for path in sorted((root / part).rglob("*")):
            if path.is_file() and not PRIVATE & set(path.relative_to(root).parts):
                yield path
