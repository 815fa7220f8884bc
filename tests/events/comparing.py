"""The retailer's world through the product and through the slow twin, customer by customer and count by count."""

from collections import Counter
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from time import process_time
from typing import Any, cast

from cxcausal.core.answers import Flow
from cxcausal.core.entry import EventTable
from cxcausal.core.queries import FlowQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.engines import Session
from cxcausal.data.opening import open_dataset
from tests.events.retailer import COLUMNS, HOME, SOURCES, World
from tests.events.slow_twin import Shelves, Unit, exposed, row_of, shelves_of, units_of

EXPOSURE = {"source": "visits", "where": "page == 'offer'", "within": "14d"}
_TEXTS = {"last_shop"}
_PLAIN = {"proportion": ("returned", "came_back"), "mean": ("revenue", "first_amount", "refunds")}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What was compared, and what differed: (column, of how many customers), with no customer named."""

    units: int
    values: int
    differences: dict[str, int]
    product_seconds: float
    twin_seconds: float
    flow: Flow


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the twin says."""

    rows: dict[str, dict[str, Any]]
    later: int
    assigned: Counter[str]


def plan(*, exposure: bool, columns: dict[str, Any] | None = None) -> ExperimentSpec:
    """Return the plan over the retailer's tables; every column is a metric, a covariate or a segment."""
    made = columns or COLUMNS
    kinds = {name: kind for kind, names in _PLAIN.items() for name in names}
    outcomes = [name for name, column in made.items() if "window" not in column or name == "came_back"]
    metrics = [
        {
            "name": name.replace("_", "-"),
            "type": kinds.get(name, "count"),
            "column": name,
            "desired_direction": "increase",
            **({} if "window" in made[name] else {"window": {"start": "0d", "end": "28d"}}),
        }
        for name in outcomes
    ]
    events = {"columns": made, "sources": SOURCES, "repeated": "first", **({"exposure": EXPOSURE} if exposure else {})}
    treatment = {"column": "arm", "control": "none", "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2"}}}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "offer",
            "question": "Does a call before the season keep customers buying?",
            "owner": "a@example.com",
            "data": {
                "source": "data/assigned.parquet",
                "unit": "customer",
                "time_zero": "assigned_at",
                "observed_until": "until",
                "filter": "campaign == 'spring'",
                "events": events,
            },
            "design": {"type": "randomized", "treatment": treatment},
            "covariates": [name for name in made if name not in {*outcomes, *_TEXTS}],
            "segments": [name for name in made if name in _TEXTS],
            "metrics": {"success": metrics[:1], "secondary": metrics[1:]},
        }
    )


def expected(world: World, shelves: Shelves, *, exposure: bool) -> Expected:
    """Return what the twin says of every customer who is enrolled."""
    units, later = units_of(world)
    assigned = Counter(unit.arm for unit in units)
    chosen: list[Unit] = list(exposed(units, shelves)) if exposure else units
    return Expected(rows={unit.customer: row_of(unit, shelves) for unit in chosen}, later=later, assigned=assigned)


def compare(world: World, folder: Path, shelves: Shelves, *, exposure: bool) -> Compared:
    """Return the differences between the product and the twin over files that were written already."""
    started = process_time()
    twin = expected(world, shelves, exposure=exposure)
    between = process_time()
    spec = plan(exposure=exposure)
    with open_dataset(spec, folder, session=Session(timezone=HOME)) as dataset:
        flow = cast("Flow", dataset.answer((FlowQuery(),))[FlowQuery()])
        ended = process_time()
        units = dataset.units.table
        made = [f"text:{name}" if name in _TEXTS else f"number:{name}" for name in COLUMNS]
        found = dataset.engine.fetch(units.select("id:customer", "arm", "mature", *made))
    names = ["arm", "mature", *COLUMNS]
    differences: Counter[str] = Counter()
    seen = set()
    for customer, *values in found:
        seen.add(str(customer))
        row = twin.rows.get(str(customer))
        for name, value in zip(names, values, strict=True):
            differences[name] += row is None or not _same(value, row[name])
    differences["customers"] = len(seen ^ set(twin.rows))
    differences["flow"] = _flow_differences(flow, twin, exposure=exposure)
    return Compared(
        units=len(found),
        values=len(found) * len(names),
        differences={name: n for name, n in differences.items() if n},
        product_seconds=ended - between,
        twin_seconds=between - started,
        flow=flow,
    )


def tables_by_hand(world: World, shelves: Shelves) -> dict[str, EventTable]:
    """Return what the product should tell of each event table, counted row by row."""
    units, _ = units_of(world)
    arms: dict[str, str] = {}
    for row in world.assigned.to_dict("records"):
        if row["campaign"] == "spring":
            known = arms.get(str(row["customer"]))
            arms[str(row["customer"])] = row["arm"] if known is None else min(known, row["arm"])
    cut = max(unit.until for unit in units)
    orders = [one for versions in shelves.versions.values() for one in versions]
    rows = {
        "orders": [(one.customer, one.at, one.loaded) for one in orders],
        "returns": [(who, at, booked) for who, found in shelves.returns.items() for at, booked, _ in found],
        "contacts": [(who, at, at) for who, found in shelves.contacts.items() for at, _ in found],
        "visits": [(who, at, at) for who, found in shelves.visits.items() for at, _ in found],
    }
    missing = sum(one.amount is None for one in orders)
    values = {"orders": {"amount": missing}, "returns": {"refund": 0}}
    told = {}
    for name, events in rows.items():
        matched = Counter(arms[who] for who, _, _ in events if who in arms)
        told[name] = EventTable(
            name=name,
            rows=len(events),
            matched_by_arm={arm: matched[arm] for arm in ("none", "call")},
            after_end=sum(at > cut for _, at, _ in events),
            late=sum(loaded > cut >= at for _, at, loaded in events),
            without_value=values.get(name, {}),
            settles_after=5 if name == "orders" else 0,
            newest=f"{max(loaded for _, _, loaded in events):%Y-%m-%d}",
            before_arrival=sum((at - loaded).total_seconds() > 86_400 for _, at, loaded in events),
        )
    return told


def shelved(world: World) -> tuple[Shelves, float]:
    """Return the twin's shelves, and how many seconds of work they took."""
    started = process_time()
    return shelves_of(world), process_time() - started


def _flow_differences(flow: Flow, twin: Expected, *, exposure: bool) -> int:
    enrolled = Counter(row["arm"] for row in twin.rows.values())
    mature = Counter(row["arm"] for row in twin.rows.values() if row["mature"])
    entry = flow.entry
    assert entry is not None
    unexposed = {arm: twin.assigned[arm] - enrolled[arm] for arm in ("none", "call")}
    same = (
        dict(flow.enrolled_by_arm) == {arm: enrolled[arm] for arm in ("none", "call")},
        dict(flow.analysed_by_arm) == {arm: mature[arm] for arm in ("none", "call")},
        entry.later == twin.later,
        dict(entry.unexposed_by_arm) == (unexposed if exposure else {}),
    )
    return same.count(False)


def _same(value: Any, twin: Any) -> bool:
    if value is None or twin is None:
        return value is None and twin is None
    if isinstance(twin, float):
        return isclose(value, twin, rel_tol=1e-12, abs_tol=1e-9)
    return bool(value == twin)
