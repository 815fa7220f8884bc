"""The JSON Schema for editors says what the models say, and describes every key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cxcausal.core.spec.checks import check_names, options_of
from cxcausal.core.spec.schema import plan_schema
from cxcausal.core.spec.sections import DESIGNS, plan_keys

CONFIGURED = {"value_model", "currency"}


def _properties(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        properties = value.get("properties", {})
        for name, entry in properties.items() if isinstance(properties, dict) else ():
            yield f"{path}.{name}", entry
        for key, child in value.items():
            yield from _properties(child, f"{path}/{key}")
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _properties(child, f"{path}/{at}")


def test_the_keys_are_those_of_a_plan() -> None:
    schema = plan_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert tuple(schema["properties"]) == plan_keys()
    assert not CONFIGURED & set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"schema_version", "id", "question", "owner", "data", "design", "metrics"}


def test_every_key_is_described() -> None:
    bare = [path for path, entry in _properties(plan_schema()) if not entry.get("description")]
    assert bare == []


def test_limits_are_spelled_as_in_json_schema() -> None:
    alpha = plan_schema()["$defs"]["Analysis"]["properties"]["alpha"]
    assert (alpha["exclusiveMinimum"], alpha["exclusiveMaximum"]) == (0, 1)


def test_a_metric_is_a_name_or_a_map() -> None:
    items = plan_schema()["$defs"]["Metrics"]["properties"]["success"]["items"]["anyOf"]
    assert [item.get("type", item.get("$ref")) for item in items] == ["string", "object", "#/$defs/Metric"]
    assert set(items[1]["properties"]) == {"name", "margin", "mde"}


def test_every_design_and_check_is_there() -> None:
    schema = plan_schema()
    assert {kind.__name__ for kind in DESIGNS.values()} <= set(schema["$defs"])
    checks = schema["properties"]["checks"]["properties"]
    assert set(checks) == set(check_names())
    assert set(checks["overlap"]["properties"]) == set(options_of("overlap"))


def test_references_lead_somewhere() -> None:
    schema = plan_schema()

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (item for key, item in value.items() if key == "$ref")
            for child in value.values():
                yield from references(child)
        elif isinstance(value, list):
            for child in value:
                yield from references(child)

    assert {name.removeprefix("#/$defs/") for name in references(schema)} <= set(schema["$defs"])


def test_contract_plans_use_keys_of_the_schema(shared_contract: Path) -> None:
    schema = plan_schema()
    for path in (shared_contract / "experiments").glob("*.yaml"):
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(plan) <= set(schema["properties"])
        assert set(schema["required"]) <= set(plan)
        assert set(plan["data"]) <= set(schema["$defs"]["Data"]["properties"])
