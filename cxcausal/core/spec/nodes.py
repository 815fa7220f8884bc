"""A YAML document as a tree of values that know where they stand, and the walks and merges over it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document to a value."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file as the user knows it, a line and a column, both counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        """Return `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One value: a scalar, a list of nodes or a map of nodes, with its place and the place of its key."""

    value: Any
    place: Place
    key: Place | None = None

    @property
    def items(self) -> Mapping[str, "Node"]:
        """The entries of a map; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> Sequence["Node"]:
        """The elements of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something wrong with a plan, at a path of its tree; the place is looked up when it is told."""

    path: Path
    code: str
    what: str
    mend: str
    at: Literal["key", "value"] = "value"


def content(node: Node) -> Any:  # noqa: ANN401 - whatever the document holds
    """Return the bare dicts, lists and scalars of a tree."""
    if isinstance(node.value, dict):
        return {key: content(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [content(child) for child in node.value]
    return node.value


def find(node: Node, path: Path) -> Node | None:
    """Return the node at a path, or None."""
    for step in path:
        below = node.items.get(step) if isinstance(step, str) else None
        if isinstance(step, int) and isinstance(node.value, list) and step < len(node.value):
            below = node.value[step]
        if below is None:
            return None
        node = below
    return node


def locate(node: Node, path: Path, at: Literal["key", "value"] = "value") -> Place:
    """Return the place of a path's key or value, or of the key of its nearest ancestor that exists."""
    while path and find(node, path) is None:
        path, at = path[:-1], "key"
    found = find(node, path) or node
    return found.key if at == "key" and found.key is not None else found.place


def with_child(node: Node, path: Path, child: Node | None) -> Node:
    """Return the tree with one node of a map put in, replaced, or taken out (None); maps on the way are made."""
    step, rest = str(path[0]), path[1:]
    items = dict(node.items)
    below = items.get(step, Node(value={}, place=node.place))
    made = with_child(below, rest, child) if rest else child
    if made is None:
        items.pop(step, None)
    else:
        items[step] = made
    return Node(value=items, place=node.place, key=node.key)


def merge(base: Node, over: Node, path: Path = ()) -> Node:
    """Lay one document over another: maps merge, everything else replaces, and null removes what was there.

    A null with nothing to remove stays, and so does one in a value map, where it means "missing".
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    items = dict(base.value)
    for key, node in over.value.items():
        if node.value is None and key in items and not is_value_map(path):
            del items[key]
        else:
            items[key] = merge(items[key], node, (*path, key)) if key in items else node
    return Node(value=items, place=over.place, key=over.key)


def removed(base: Node, over: Node, path: Path = ()) -> Iterator[tuple[Path, Place]]:
    """Yield what `merge` takes out of the lower document: its path, and the place of the null that does it."""
    for key, node in over.items.items():
        below = base.items.get(key)
        if below is not None and node.value is None and not is_value_map(path):
            yield (*path, key), node.place
        elif below is not None:
            yield from removed(below, node, (*path, key))


def without_nulls(node: Node, path: Path = ()) -> Node:
    """Return the tree without empty entries of maps, but for arms (told elsewhere) and value maps."""
    if isinstance(node.value, list):
        elements = [without_nulls(child, (*path, at)) for at, child in enumerate(node.value)]
        return Node(value=elements, place=node.place, key=node.key)
    if not isinstance(node.value, dict):
        return node
    kept = is_value_map(path) or path == ("design", "treatment", "arms")
    items = {
        key: without_nulls(child, (*path, key)) for key, child in node.value.items() if kept or child.value is not None
    }
    return Node(value=items, place=node.place, key=node.key)


def is_value_map(path: Path) -> bool:
    """Return whether a path is that of `data.columns.<name>.map`."""
    return len(path) == 4 and path[:2] == ("data", "columns") and path[3] == "map"  # noqa: PLR2004 - its four steps


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any bare document
    """Yield (path, scalar) for every scalar, and for every empty list and map, of bare content."""
    entries: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, Mapping):
        entries = iter(value.items())
    elif isinstance(value, list | tuple):
        entries = iter(enumerate(value))
    empty = True
    for step, child in entries:
        empty = False
        yield from leaves(child, (*path, step))
    if empty:
        yield path, value


def dotted(path: Path) -> str:
    """Return a path as users write it.

    Example:
        >>> dotted(("metrics", "success", 0, "mde"))
        'metrics.success[0].mde'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
