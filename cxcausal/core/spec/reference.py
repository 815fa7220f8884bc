"""The reference of plan files as a page of Markdown, written from the same schema that editors use."""

from collections.abc import Iterator, Mapping
from typing import Any

from cxcausal.core.spec.schema import plan_schema

_PLAN = "The plan"


def plan_reference() -> str:
    """Return every block of a plan with its keys: what each takes, its default, and what it means."""
    schema = plan_schema()
    blocks = {_PLAN: schema, **schema["$defs"]}
    lines = [
        "# Plan files, key by key",
        "",
        "Written by `cxcausal schema --markdown`. A key in **bold** is required. `cxcausal new` writes a first plan,",
        "`validate` checks it, and `explain` shows it with every default.",
    ]
    for name, block in blocks.items():
        lines += _block(name, block)
    return "\n".join(lines) + "\n"


def _block(name: str, block: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## {name}", "")
    if block.get("description"):
        yield from (str(block["description"]), "")
    yield from ("| key | takes | default | meaning |", "|---|---|---|---|")
    required = block.get("required", ())
    for key, value in block.get("properties", {}).items():
        shown = f"**`{key}`**" if key in required else f"`{key}`"
        yield f"| {shown} | {_takes(value)} | {_default(value)} | {value.get('description', '')} |"


def _takes(value: Mapping[str, Any]) -> str:
    """Return what a key takes, in words; blocks are links.

    Example:
        >>> _takes({"type": "array", "items": {"type": "string"}})
        'list of string'
    """
    if "$ref" in value:
        name = str(value["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in value or "const" in value:
        return ", ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    choices = value.get("anyOf", value.get("oneOf"))
    if choices is not None:
        return " or ".join(dict.fromkeys(_takes(item) for item in choices if item.get("type") != "null"))
    return _takes_plainly(value)


def _takes_plainly(value: Mapping[str, Any]) -> str:
    kind = value.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_takes(value.get('items', {}))}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"map to {_takes(value['additionalProperties'])}"
    return {"object": "map"}.get(kind, str(value.get("format", kind)))


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{default}`"
