"""Plans over the small world: between them they use every type of metric and nearly every feature of data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.world import ARMS

_WINDOW = {"start": "0d", "end": "28d"}
_DATA = {"source": "data/units.csv", "unit": "customer"}


def _metric(name: str, kind: str, **more: Any) -> dict[str, Any]:
    columns = {} if kind == "ratio" else {"column": name}
    return {"name": name, "type": kind, "desired_direction": "increase", **columns, **more}


def _design(**more: Any) -> dict[str, Any]:
    arms: dict[str, dict[str, Any]] = {"none": {"share": "1/2"}, "gig": {"share": "1/4"}, "agent": {"share": "1/4"}}
    return {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": arms}, **more}


def _received() -> dict[str, Any]:
    design = _design(contrasts=[["gig", "agent"]])
    for arm in ("gig", "agent"):
        design["treatment"]["arms"][arm] |= {"unit_cost": 2, "cost_basis": "received"}
    return design | {"treatment": design["treatment"] | {"received": "reached"}}


def _ramped() -> dict[str, Any]:
    design = _design()
    splits = ({"none": "1/2", "gig": "1/4", "agent": "1/4"}, {"none": "1/3", "gig": "1/3", "agent": "1/3"})
    days = ("2026-01-01", "2026-02-01")
    epochs = [{"from": day, "shares": split} for day, split in zip(days, splits, strict=True)]
    return design | {"treatment": design["treatment"] | {"arms": {arm: {} for arm in ARMS}}, "epochs": epochs}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One plan over the small world.

    Attributes:
        name: what it is about.
        blocks: its own blocks of the plan.
        events: whether it reads orders as well.
        plain: a metric of all customers whose means the fuzzer adds up itself; None where weights or filters forbid.
    """

    name: str
    blocks: Mapping[str, Any] = field(default_factory=dict)
    events: bool = False
    plain: str | None = None

    def plan(self, **data: Any) -> dict[str, Any]:
        """Return the plan; `data` replaces keys of its data block."""
        usual: dict[str, Any] = {
            "schema_version": 1,
            "id": "fuzzed",
            "question": "Does it help?",
            "owner": "team@example.com",
            "retrospective": True,
            "design": _design(),
        }
        merged = usual | dict(self.blocks)
        return merged | {"data": _DATA | merged.get("data", {}) | data}


_ORDERS = {
    "path": "data/orders.csv",
    "unit": "who",
    "time": "at",
    "recorded": "loaded",
    "key": "order",
    "removed": "gone",
    "settles_after": "3d",
}
_MADE = {
    "ordered": {"source": "orders", "aggregate": "sum", "value": "amount"},
    "large": {"source": "orders", "aggregate": "any", "where": "amount >= 40 and shop != 'kiosk'"},
    "shops": {"source": "orders", "aggregate": "last", "value": "shop", "window": {"start": "-40d", "end": "0d"}},
}
RECIPES = (
    Recipe(name="a share", blocks={"metrics": {"success": [_metric("left", "proportion")]}}, plain="left"),
    Recipe(
        name="a mean in segments",
        blocks={"metrics": {"success": [_metric("spend", "mean", outliers="winsorize")]}, "segments": ["tier"]},
        plain="spend",
    ),
    Recipe(
        name="a map, a covariate and a text to adjust for",
        blocks={
            "data": {"columns": {"stayed": {"map": {"yes": 1, "no": 0, "": None}}, "age": {"type": "integer"}}},
            "metrics": {"success": [_metric("stayed", "proportion", covariate="before")]},
            "covariates": ["age", "region"],
        },
    ),
    Recipe(
        name="a ratio under a filter",
        blocks={
            "data": {"filter": "age >= 30 and region in ['north', 'west'] or spend is null"},
            "metrics": {"success": [_metric("aov", "ratio", numerator="spend", denominator="orders")]},
        },
    ),
    Recipe(
        name="surveys",
        blocks={
            "metrics": {
                "success": [_metric("score", "nps", response="answered")],
                "secondary": [_metric("csat", "ordinal", response="answered")],
            }
        },
    ),
    Recipe(
        name="households",
        blocks={
            "data": {"randomization_unit": "house", "cluster": ["house"]},
            "metrics": {"success": [_metric("calls", "count")]},
            "checks": {"mixed_assignment": {"on_breach": "warn"}},
        },
    ),
    Recipe(
        name="weights and strata",
        blocks={
            "data": {"weight": "weight"},
            "design": _design(strata=["region"]),
            "metrics": {"success": [_metric("spend", "mean")]},
        },
    ),
    Recipe(
        name="a window and looks",
        blocks={
            "data": {"time_zero": "entered", "observed_until": "seen"},
            "metrics": {"success": [_metric("left", "proportion", window=_WINDOW)]},
            "analysis": {"peeking": "group_sequential", "looks": ["2026-03-01", "2026-07-01"]},
        },
    ),
    Recipe(
        name="a quantile and a formula",
        blocks={
            "data": {"columns": {"gain": {"formula": "spend - before / 2", "unit": "EUR"}}},
            "metrics": {
                "success": [_metric("gain", "mean")],
                "secondary": [{**_metric("spend", "quantile", q=0.9), "name": "spend-p90"}],
            },
        },
    ),
    Recipe(
        name="delivery and money",
        blocks={
            "design": _received(),
            "metrics": {
                "success": [_metric("left", "proportion", money={"per_unit": 180})],
                "guardrails": [_metric("csat", "top_box", at_least=4, margin={"absolute": 0.05})],
            },
            "value": {"population": 1000},
        },
    ),
    Recipe(
        name="rows that are units",
        blocks={"data": {"unit": None}, "metrics": {"success": [_metric("spend", "mean")]}},
        plain="spend",
    ),
    Recipe(
        name="a ramp-up",
        blocks={
            "design": _ramped(),
            "data": {"time_zero": "entered"},
            "metrics": {"success": [_metric("left", "proportion")]},
        },
    ),
    Recipe(
        name="events",
        events=True,
        blocks={
            "data": {
                "time_zero": "entered",
                "observed_until": "seen",
                "events": {"sources": {"orders": _ORDERS}, "columns": _MADE},
            },
            "metrics": {
                "success": [_metric("large", "proportion", window=_WINDOW)],
                "secondary": [_metric("ordered", "mean", window=_WINDOW)],
            },
            "segments": ["shops"],
        },
    ),
)
