"""What differs between two plans, or any two trees of plain values, by dotted key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key whose value differs: `added`, `removed` or `changed`; first and second are None where it is absent."""

    key: str
    kind: str
    first: Any = None
    second: Any = None


def tree_changes(first: object, second: object) -> tuple[Change, ...]:
    """Return every leaf that differs, in alphabetical order of the keys.

    Lists of maps that all have a `name` are compared by that name, so that a metric put before another changes nothing
    but its own keys; other lists are compared as a whole.

    Args:
        first: a tree of maps, lists, text, numbers and truths.
        second: the tree that it is compared with.

    Example:
        >>> found = tree_changes({"a": {"x": 1}, "b": [{"name": "c", "mde": 1}]}, {"b": [{"name": "c", "mde": 2}]})
        >>> [(change.key, change.kind, change.first, change.second) for change in found]
        [('a.x', 'removed', 1, None), ('b[c].mde', 'changed', 1, 2)]
    """
    before, after = dict(_leaves(first, "")), dict(_leaves(second, ""))
    return tuple(
        Change(key=key, kind=_kind(key, before, after), first=before.get(key), second=after.get(key))
        for key in sorted({*before, *after})
        if not _same(before.get(key, _ABSENT), after.get(key, _ABSENT))
    )


def _leaves(tree: object, key: str) -> Iterator[tuple[str, Any]]:
    """Yield every value that has no parts, with its key; an empty map is one."""
    parts = _named(tree)
    if parts is None:
        yield key, tree
        return
    for name, part in parts.items():
        yield from _leaves(part, _joined(key, name))


def _kind(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return "added" if key not in before else "removed" if key not in after else "changed"


def _named(tree: object) -> dict[str, Any] | None:
    """Return the parts of a map, or of a list of named maps by name; None for a leaf."""
    if isinstance(tree, Mapping) and tree:
        return {str(name): value for name, value in tree.items()}
    if isinstance(tree, Sequence) and not isinstance(tree, str) and tree:
        names = [item.get("name") if isinstance(item, Mapping) else None for item in tree]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {f"[{name}]": item for name, item in zip(names, tree, strict=True)}
    return None


def _same(first: object, second: object) -> bool:
    """Tell whether two leaves are the same; 1 and true are not."""
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def _joined(key: str, name: str) -> str:
    return f"{key}{name}" if not key or name.startswith("[") else f"{key}.{name}"
