"""The JSON Schema of plan files, made from the models, so that editors complete keys and mark wrong ones."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cxcausal.core.spec.checks import ON_BREACH, check_names, options_of
from cxcausal.core.spec.keys import DESCRIPTIONS
from cxcausal.core.spec.models import ExperimentSpec, Magnitude
from cxcausal.core.spec.sections import CONFIGURED, DESIGNS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]
_LIMITS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def plan_schema() -> Json:
    """Return the JSON Schema (draft 2020-12) of a plan file, every key with a description.

    Example:
        >>> plan_schema()["properties"]["question"]["description"]
        'The question in the words of the person who decides.'
    """
    schema = ExperimentSpec.model_json_schema(mode="validation")
    definitions: Json = schema["$defs"]
    for key in CONFIGURED:
        del schema["properties"][key]
    for name in ("ValueModel", "Worth"):
        del definitions[name]
    schema["properties"]["checks"] = _checks()
    _describe("ExperimentSpec", schema)
    for name, definition in definitions.items():
        _describe(name, definition)
    _short_metrics(definitions)
    definitions["Data"]["properties"]["cluster"] |= {"type": ["string", "array"]}
    return {"$schema": DIALECT, "title": "cxcausal plan", **_tidy(schema)}


def description(model: str, field: str) -> str:
    """Return the sentence about a model's field; fields of a common base are described there."""
    bases = [model]
    if model in {kind.__name__ for kind in DESIGNS.values()}:
        bases.append("Design")
    if model == "Worthwhile":
        bases.append("Magnitude")
    return next(DESCRIPTIONS[f"{base}.{field}"] for base in bases if f"{base}.{field}" in DESCRIPTIONS)


def described_fields(model: type[BaseModel]) -> Iterator[str]:
    """Yield the descriptions of all fields of a model."""
    for field in model.model_fields:
        yield description(model.__name__, field)


def _describe(model: str, schema: Json) -> None:
    for field, entry in schema.get("properties", {}).items():
        if model == "ExperimentSpec" or "description" not in entry:
            entry["description"] = description(model, field)


def _short_metrics(definitions: Json) -> None:
    """Let a metric be a name of the library, a name with its margin or MDE, or written out."""
    size = {"$ref": "#/$defs/Magnitude"}
    name = definitions["Metric"]["properties"]["name"]
    of_library: Json = {
        "type": "object",
        "description": "A metric of the library, with this plan's margin or MDE.",
        "properties": {
            "name": name,
            "margin": {**size, "description": DESCRIPTIONS["Metric.margin"]},
            "mde": {**size, "description": DESCRIPTIONS["Metric.mde"]},
        },
        "required": ["name"],
        "additionalProperties": False,
    }
    definitions.setdefault("Magnitude", Magnitude.model_json_schema())
    by_name = {"type": "string", "description": "A name of configs/metrics/."}
    for role in definitions["Metrics"]["properties"].values():
        role["items"] = {"anyOf": [by_name, of_library, {"$ref": "#/$defs/Metric"}]}


def _checks() -> Json:
    """Return the schema of the checks, each with its own options."""
    breach = {"enum": list(ON_BREACH), "description": "What a breach means: withhold the verdict, warn, or nothing."}
    properties = {}
    for name in check_names():
        options: Json = {key: {"description": f"The {key.replace('_', ' ')} of {name}."} for key in options_of(name)}
        options["on_breach"] = breach
        properties[name] = {
            "type": ["object", "null"],
            "description": f"Options of the check {name}.",
            "properties": options,
            "additionalProperties": False,
        }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _tidy(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop the titles that pydantic makes up from names, and spell limits as JSON Schema does."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    return {_LIMITS.get(key, key): item for key, item in kept.items()}
