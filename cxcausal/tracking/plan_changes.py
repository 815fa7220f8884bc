"""What differs between two resolved plans, by dotted key."""

from collections.abc import Iterator, Mapping
from typing import Any

from cxcausal.core.canonical import canonical_json
from cxcausal.core.record import Change
from cxcausal.tracking.redaction import without_secrets_in


def plan_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return every leaf that differs, in alphabetical order, secrets left out.

    Items of lists that have a `name` are compared by it, others by their place.

    Example:
        >>> plan_changes({"analysis": {"alpha": 0.05}}, {"analysis": {"alpha": 0.1}})
        (Change(key='analysis.alpha', before='0.05', after='0.1'),)
    """
    old, new = (dict(_leaves(without_secrets_in(plan), "")) for plan in (before, after))
    keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    return tuple(Change(key=key, before=old.get(key), after=new.get(key)) for key in keys)


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    """Yield the dotted key and the text of every leaf; empty maps and lists are leaves."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{place}.{_called(item, index)}")
    else:
        yield place, value if isinstance(value, str) else canonical_json(value).decode("utf-8")


def _called(item: object, index: int) -> str:
    """Return how an item of a list is told: by its name, where it has one."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return f"[{name}]" if isinstance(name, str) else f"[{index}]"
