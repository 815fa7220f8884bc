"""A resolved plan as YAML that can be read back, each line with the file and line that its value came from."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cxcausal.core.spec.nodes import Path, dotted
from cxcausal.core.spec.resolve import Resolved

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_DAYS = frozenset({"freshness", "max_age", "settles_after", "within"})
"""Keys, beside those of windows, that are lengths of time."""
_CONFIGURED = ("value_model", "currency")
"""Keys of a resolved plan that stand in the configuration, and are told as comments."""


def explained(resolved: Resolved) -> str:
    """Return the resolved plan as commented YAML; reading it back gives the same plan."""
    plan = _with_removals(resolved.plan, resolved.removed)
    lines = {key: tuple(_lines(resolved, (key,), value, 0)) for key, value in plan.items()}
    head = [f"# {resolved.spec.id}, resolved; sha256 {resolved.plan_hash}"]
    head.extend(f"# note: {note}" for note in resolved.notes)
    body = [line for key in plan if key not in _CONFIGURED for line in lines[key]]
    tail = [line for key in _CONFIGURED if key in plan for line in lines[key]]
    return "\n".join([*head, *body, "# from the configuration:", *(f"#   {line}" for line in tail), ""])


def _with_removals(plan: dict[str, Any], removed: Iterable[Path]) -> dict[str, Any]:
    """Return a plan that also says what it takes out of the defaults: null, without which they would come back."""
    for path in removed:
        block = plan
        for step in path[:-1]:
            block = block.setdefault(str(step), {})
        block[str(path[-1])] = None
    return plan


def _lines(resolved: Resolved, path: Path, value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - bare content
    """Yield the lines of one key and what is below it."""
    indent, key = "  " * depth, _scalar(str(path[-1]), path)
    if isinstance(value, dict) and value:
        yield f"{indent}{key}:"
        for name, child in value.items():
            yield from _lines(resolved, (*path, name), child, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        yield f"{indent}{key}:"
        for at, item in enumerate(value):
            yield from _item(resolved, (*path, at), item, depth + 1)
    elif isinstance(value, str) and "\n" in value and value.replace("\n", "").isprintable():
        yield f"{indent}{key}: |-  # from {_source(resolved, path, value)}"
        yield from (f"{indent}  {line}" for line in value.split("\n"))
    else:
        yield f"{indent}{key}: {_flow(value, path)}  # from {_source(resolved, path, value)}"


def _item(resolved: Resolved, path: Path, item: dict[str, Any], depth: int) -> Iterator[str]:
    """Yield the lines of a map in a list; its first key carries the dash."""
    lines = [line for name, child in item.items() for line in _lines(resolved, (*path, name), child, depth + 1)]
    indent = "  " * depth
    yield f"{indent}- {lines[0].lstrip()}"
    yield from lines[1:]


def _source(resolved: Resolved, path: Path, value: Any) -> str:  # noqa: ANN401 - see _lines
    if path in resolved.removed:
        return resolved.removed[path]
    while isinstance(value, list) and value:
        path, value = (*path, 0), value[0]
    return resolved.provenance.get(dotted(path), "built-in default")


def _flow(value: Any, path: Path) -> str:  # noqa: ANN401 - see _lines
    if isinstance(value, list):
        return f"[{', '.join(_flow(item, path) for item in value)}]"
    return _scalar(value, path)


def _scalar(value: Any, path: Path) -> str:  # noqa: ANN401 - see _lines
    """Return a scalar as its field would write it: days with their unit, text in quotes where it needs them."""
    if isinstance(value, int) and not isinstance(value, bool) and (path[-2:-1] == ("window",) or path[-1] in _DAYS):
        return f"{value}d"
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return "".join(map(_sign, json.dumps(value, ensure_ascii=False)))


def _sign(sign: str) -> str:
    """Return a sign as it may stand between double quotes: escaped where a plan may not hold it, or nobody sees it."""
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"
