"""Mutations of a plan's tree: keys and values that are wrong in the ways in which people get them wrong."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from cxcausal.core.spec.models import ExperimentSpec
from tests.fuzz.draw import Rng, between, chance, pick
from tests.fuzz.filters import broken_filter, filter_text, formula_text
from tests.fuzz.values import DATES, DURATIONS, FRACTIONS, NUMBERS, TEXTS, WORDS, odd_value, typo

DAYS = frozenset({"start", "end", "within", "freshness", "max_age", "settles_after"})
"""Keys that hold a length of time."""
Path = tuple[str | int, ...]
_LARGEST = 12_000
"""Values that one mutation may add."""
Mutation = Callable[[Rng, Any], None]
"""Changes a tree in its place."""


def mutated(rng: Rng, tree: Any, others: Sequence[Any]) -> tuple[Any, tuple[str, ...]]:
    """Return a copy of a plan's tree with one to four mutations, and their names.

    Args:
        rng: draws them.
        tree: maps, lists and scalars.
        others: trees of other plans, of which parts may be grafted in.
    """
    tree, names = copy.deepcopy(tree), []
    for _ in range(pick(rng, (1, 1, 1, 2, 2, 3, 4))):
        name = pick(rng, (*MUTATIONS, "graft"))
        if name == "graft":
            _graft(rng, tree, pick(rng, others))
        else:
            MUTATIONS[name](rng, tree)
        names.append(name)
    return tree, tuple(names)


def paths_of(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything below the top."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(tree, dict):
        items = iter(tree.items())
    elif isinstance(tree, list):
        items = iter(enumerate(tree))
    for key, value in items:
        yield (*path, key)
        yield from paths_of(value, (*path, key))


def _size(tree: Any) -> int:
    return 1 + sum(1 for _ in paths_of(tree))


def every_key() -> tuple[str, ...]:
    """Return every key that any block of a plan has."""
    return tuple(dict.fromkeys(key for _, key in keys_by_block()))


def keys_by_block() -> tuple[tuple[str, str], ...]:
    """Return (block, key) for all blocks that a plan file can hold."""
    blocks: dict[str, type[BaseModel]] = {}
    _collect(ExperimentSpec, blocks)
    configured = {("ExperimentSpec", "value_model"), ("ExperimentSpec", "currency")}
    found = ((name, key) for name, block in blocks.items() for key in block.model_fields)
    return tuple(item for item in found if item not in configured and item[0] not in {"ValueModel", "Worth"})


def _collect(kind: Any, blocks: dict[str, type[BaseModel]]) -> None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind.__name__ not in blocks:
            blocks[kind.__name__] = kind
            for field in kind.model_fields.values():
                _collect(field.annotation, blocks)
        return
    for inner in get_args(kind):
        _collect(inner, blocks)


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _place(rng: Rng, tree: Any, wanted: Callable[[Any, str | int], bool] | None = None) -> tuple[Any, Any] | None:
    """Return the container and the key of something at random; None where nothing is as wanted."""
    found = [(_at(tree, path[:-1]), path[-1]) for path in paths_of(tree)]
    if wanted is not None:
        found = [(holder, key) for holder, key in found if wanted(holder[key], key)]
    return pick(rng, found) if found else None


def _replace(rng: Rng, tree: Any, value: Any, wanted: Callable[[Any, str | int], bool] | None = None) -> None:
    place = _place(rng, tree, wanted)
    if place is not None:
        place[0][place[1]] = value


def _is_scalar(value: Any, key: str | int) -> bool:
    return not isinstance(value, dict | list)


def _is_text(value: Any, key: str | int) -> bool:
    return isinstance(value, str)


def _is_number(value: Any, key: str | int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any, key: str | int) -> bool:
    return isinstance(value, list)


def _drop(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree)
    if place is not None:
        del place[0][place[1]]


def _rename(rng: Rng, tree: Any) -> None:
    found = [path for path in paths_of(tree) if isinstance(path[-1], str)]
    if found:
        path = pick(rng, found)
        holder, key = _at(tree, path[:-1]), str(path[-1])
        new = typo(rng, key) if chance(rng, 0.6) else pick(rng, (*TEXTS, *every_key()))
        changed = {(new if name == key else name): value for name, value in holder.items()}
        holder.clear()
        holder.update(changed)


def _swap(rng: Rng, tree: Any) -> None:
    one, two = _place(rng, tree, _is_scalar), _place(rng, tree, _is_scalar)
    if one is not None and two is not None:
        one[0][one[1]], two[0][two[1]] = two[0][two[1]], one[0][one[1]]


def _typo(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, _is_text)
    if place is not None:
        place[0][place[1]] = typo(rng, place[0][place[1]])


def _nest(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree)
    if place is None:
        return
    value, deep = place[0][place[1]], pick(rng, (1, 1, 2, 30))
    for _ in range(deep):
        value = [value] if chance(rng, 0.5) else {pick(rng, every_key()): value}
    place[0][place[1]] = value


def _unnest(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, lambda value, _: isinstance(value, dict | list) and bool(value))
    if place is not None:
        value = place[0][place[1]]
        place[0][place[1]] = pick(rng, list(value.values()) if isinstance(value, dict) else value)


def _list_for_map(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, lambda value, _: isinstance(value, dict))
    if place is not None:
        value = place[0][place[1]]
        place[0][place[1]] = [{key: item} for key, item in value.items()] if chance(rng, 0.5) else list(value)


def _lengthen(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, _is_list)
    if place is not None and place[0][place[1]]:
        items = place[0][place[1]]
        many = min(pick(rng, (2, 2, 40, 3000)), _LARGEST // _size(items))
        numbered = chance(rng, 0.5) and all(isinstance(item, str) for item in items)
        more = [f"{pick(rng, items)}{at}" for at in range(many)] if numbered else copy.deepcopy(items * many)
        place[0][place[1]] = [*items, *more]


def _many_keys(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, lambda value, _: isinstance(value, dict) and bool(value))
    if place is not None:
        value = place[0][place[1]]
        inner = pick(rng, list(value.values()))
        many = min(pick(rng, (1, 20, 400)), _LARGEST // _size(inner))
        value.update({f"k{at}": copy.deepcopy(inner) for at in range(many)})


def _add_key(rng: Rng, tree: Any) -> None:
    holders = [tree, *(_at(tree, path) for path in paths_of(tree))]
    holder = pick(rng, [one for one in holders if isinstance(one, dict)] or [tree])
    if isinstance(holder, dict):
        holder[pick(rng, every_key())] = odd_value(rng)


def _other_name(rng: Rng, tree: Any) -> None:
    """Let one text be another: a column in two roles, an arm that is a metric."""
    one, two = _place(rng, tree, _is_text), _place(rng, tree, _is_text)
    if one is not None and two is not None:
        one[0][one[1]] = two[0][two[1]]


def _filter(rng: Rng, tree: Any) -> None:
    names = [_at(tree, path) for path in paths_of(tree) if path[-1] in {"column", "unit", "numerator"}]
    columns = [name for name in names if isinstance(name, str) and name] or ["x"]
    text = filter_text(rng, columns) if chance(rng, 0.8) else formula_text(rng, columns)
    text = broken_filter(rng, text) if chance(rng, 0.6) else text
    block, key = pick(rng, (("data", "filter"), ("policy", "eligible")))
    if isinstance(tree, dict) and isinstance(tree.setdefault(block, {}), dict):
        tree[block][key] = text


def _formula(rng: Rng, tree: Any) -> None:
    text = formula_text(rng, ("spend", "orders", "revenue per order"))
    if isinstance(tree, dict) and isinstance(tree.get("data"), dict):
        columns = tree["data"].setdefault("columns", {})
        if isinstance(columns, dict):
            columns["made"] = {"formula": broken_filter(rng, text) if chance(rng, 0.5) else text}


def _graft(rng: Rng, tree: Any, other: Any) -> None:
    """Put a part of another plan where this one has something under the same key, or anywhere."""
    path = pick(rng, list(paths_of(other)))
    value = copy.deepcopy(_at(other, path))
    same = None if isinstance(path[-1], int) else _place(rng, tree, lambda _, key: key == path[-1])
    place = same or _place(rng, tree)
    if place is not None:
        place[0][place[1]] = value


def _reorder(rng: Rng, tree: Any) -> None:
    place = _place(rng, tree, lambda value, _: isinstance(value, dict | list))
    if place is not None:
        value = place[0][place[1]]
        items = list(value.items()) if isinstance(value, dict) else value
        mixed = [items[int(at)] for at in rng.permutation(len(items))]
        place[0][place[1]] = dict(mixed) if isinstance(value, dict) else mixed


MUTATIONS: Mapping[str, Mutation] = {
    "drop": _drop,
    "rename": _rename,
    "swap": _swap,
    "typo": _typo,
    "nest": _nest,
    "unnest": _unnest,
    "list for map": _list_for_map,
    "lengthen": _lengthen,
    "many keys": _many_keys,
    "add key": _add_key,
    "other name": _other_name,
    "filter": _filter,
    "formula": _formula,
    "reorder": _reorder,
    "odd value": lambda rng, tree: _replace(rng, tree, odd_value(rng)),
    "odd scalar": lambda rng, tree: _replace(rng, tree, odd_value(rng), _is_scalar),
    "odd number": lambda rng, tree: _replace(rng, tree, pick(rng, NUMBERS), _is_number),
    "near number": lambda rng, tree: _replace(rng, tree, float(rng.normal(0, 2)), _is_number),
    "small number": lambda rng, tree: _replace(rng, tree, between(rng, 0, 12), _is_number),
    "odd text": lambda rng, tree: _replace(rng, tree, pick(rng, TEXTS), _is_text),
    "odd word": lambda rng, tree: _replace(rng, tree, pick(rng, WORDS), _is_text),
    "duration": lambda rng, tree: _replace(
        rng,
        tree,
        pick(rng, DURATIONS),
        lambda _, key: key in DAYS,
    ),
    "share": lambda rng, tree: _replace(rng, tree, pick(rng, FRACTIONS), lambda _, key: key == "share"),
    "date": lambda rng, tree: _replace(
        rng, tree, pick(rng, DATES), lambda _, key: key in {"date", "from", "observed_until", "time_zero", "looks"}
    ),
    "no value": lambda rng, tree: _replace(rng, tree, None),
}
