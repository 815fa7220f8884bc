"""Columns made of event tables, against a slow twin that looks at every event of every unit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Flow, Moments, MomentTable
from cxcausal.core.errors import CxCausalError
from cxcausal.core.measures import measure_of
from cxcausal.core.queries import FlowQuery, MomentQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.opening import open_dataset

CUT = datetime.fromisoformat("2026-06-01")
START = datetime.fromisoformat("2026-03-01")
FIRST = datetime.fromisoformat("2026-01-15")
SOURCES: Mapping[str, Any] = {
    "orders": {
        "path": "data/orders.parquet",
        "unit": "customer",
        "time": "ordered_at",
        "recorded": "loaded_at",
        "key": "order_id",
        "removed": "cancelled",
        "settles_after": "3d",
    },
    "exits": {"path": "data/exits.csv", "unit": "customer", "time": "left_at"},
}
COLUMNS: Mapping[str, Any] = {
    "left": {"source": "exits", "aggregate": "any"},
    "spend": {"source": "orders", "aggregate": "sum", "value": "amount"},
    "orders": {"source": "orders", "aggregate": "count"},
    "large": {"source": "orders", "aggregate": "count", "where": "amount >= 50 and shop != 'kiosk'"},
    "shops": {"source": "orders", "aggregate": "distinct", "value": "shop"},
    "last_amount": {"source": "orders", "aggregate": "last", "value": "amount"},
    "spend_pre": {
        "source": "orders",
        "aggregate": "sum",
        "value": "amount",
        "window": {"start": "-28d", "end": "0d"},
    },
    "last_shop": {"source": "orders", "aggregate": "last", "value": "shop", "window": {"end": "0d"}},
}
METRICS = ("left", "spend", "orders", "large", "shops", "last_amount")


def plan(**events: Any) -> ExperimentSpec:
    window = {"start": "0d", "end": "28d"}
    metrics = [
        {
            "name": name.replace("_", "-"),
            "type": "proportion" if name == "left" else "mean",
            "column": name,
            "desired_direction": "increase",
            "window": window,
        }
        for name in METRICS
    ]
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "calls",
            "question": "Does a call keep customers?",
            "owner": "a@example.com",
            "data": {
                "source": "data/assigned.parquet",
                "unit": "customer",
                "time_zero": "assigned_at",
                "observed_until": "until",
                "events": {"columns": COLUMNS, "sources": SOURCES, **events},
            },
            "design": {
                "type": "randomized",
                "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "call": {}}},
            },
            "covariates": ["spend_pre"],
            "segments": ["last_shop"],
            "metrics": {"success": metrics[:1], "secondary": metrics[1:]},
        }
    )


def world(folder: Path, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Write assignments, orders with restated and late rows, and exits; some events are of nobody assigned."""
    rng = np.random.default_rng(seed)
    n = 400
    ids = [f"C{i:04d}" for i in range(n)]
    zero = [START + timedelta(hours=int(h)) for h in rng.integers(0, 24 * 75, n)]
    assigned = pd.DataFrame(
        {"customer": ids, "assigned_at": zero, "arm": rng.choice(["none", "call"], n), "until": [CUT] * n}
    )
    orders = []
    for number in range(6_000):
        at = FIRST + timedelta(minutes=int(rng.integers(0, 60 * 24 * 150)))
        loaded = at + timedelta(hours=int(rng.integers(0, 24 * 4)))
        row = {
            "customer": rng.choice([*ids, "X1", "X2"]),
            "order_id": number,
            "ordered_at": at,
            "loaded_at": loaded,
            "amount": float(np.round(rng.gamma(2, 20), 2)),
            "shop": rng.choice(["web", "kiosk", "phone"]),
            "cancelled": 0,
        }
        orders.append(row)
        if rng.random() < 0.15:  # restated, some of them after the data's end
            later = loaded + timedelta(days=int(rng.integers(1, 10)))
            changed = {"amount": row["amount"] + 5, "loaded_at": later, "cancelled": int(rng.random() < 0.3)}
            if rng.random() < 0.2:
                changed["customer"] = rng.choice(ids)
            orders.append({**row, **changed})
    exits = pd.DataFrame({"customer": rng.choice(ids, 150, replace=False)})
    exits["left_at"] = [(START + timedelta(hours=int(h))).isoformat() for h in rng.integers(0, 24 * 110, 150)]
    frames = {"assigned": assigned, "orders": pd.DataFrame(orders).sample(frac=1, random_state=3), "exits": exits}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    frames["assigned"].to_parquet(folder / "data" / "assigned.parquet")
    frames["orders"].to_parquet(folder / "data" / "orders.parquet")
    frames["exits"].to_csv(folder / "data" / "exits.csv", index=False)
    return frames


def _last_versions(orders: pd.DataFrame, moment: datetime = CUT) -> pd.DataFrame:
    arrived = orders[orders["loaded_at"] <= moment]
    last = arrived.sort_values(["loaded_at", "ordered_at"]).groupby("order_id").tail(1)
    return last[last["cancelled"] != 1]


def twin(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the flat table, one unit after the other."""
    orders, exits, rows = _last_versions(frames["orders"]), frames["exits"], []
    for unit in frames["assigned"].to_dict("records"):
        zero = unit["assigned_at"]
        mine = orders[(orders["customer"] == unit["customer"]) & (orders["ordered_at"] <= CUT)]
        inside = mine[(mine["ordered_at"] >= zero) & (mine["ordered_at"] < zero + timedelta(days=28))]
        known = _last_versions(frames["orders"], zero)
        before = known[(known["customer"] == unit["customer"]) & (known["ordered_at"] < zero)]
        recent = before[before["ordered_at"] >= zero - timedelta(days=28)]
        left = [datetime.fromisoformat(t) for t in exits.loc[exits["customer"] == unit["customer"], "left_at"]]
        rows.append(
            {
                **unit,
                "left": float(any(zero <= t < zero + timedelta(days=28) and t <= CUT for t in left)),
                "spend": inside["amount"].sum(),
                "orders": float(len(inside)),
                "large": float(((inside["amount"] >= 50) & (inside["shop"] != "kiosk")).sum()),
                "shops": float(inside["shop"].nunique()),
                "last_amount": inside.sort_values("ordered_at")["amount"].iloc[-1] if len(inside) else np.nan,
                "spend_pre": recent["amount"].sum(),
                "last_shop": before.sort_values("ordered_at")["shop"].iloc[-1] if len(before) else None,
                "mature": zero + timedelta(days=31) <= CUT,
            }
        )
    return pd.DataFrame(rows)


def test_every_aggregate_agrees_with_the_twin(tmp_path: Path) -> None:
    flat = twin(world(tmp_path))
    flat = flat[flat["mature"]]
    spec = plan()
    queries = {m.name: MomentQuery(measure=measure_of(m), by=("last_shop",)) for _, m in spec.metrics.with_roles()}
    with open_dataset(spec, tmp_path) as dataset:
        answers = dataset.answer((*queries.values(), FlowQuery()))
    flow = answers[FlowQuery()]
    assert isinstance(flow, Flow)
    assert (flow.rows, flow.analysed) == (400, len(flat))
    for metric, query in queries.items():
        table = cast("MomentTable", answers[query])
        for (arm, (shop,)), cell in table.items():
            mine = flat[(flat["arm"] == arm) & (flat["last_shop"].fillna("") == shop)][
                metric.replace("-", "_")
            ].dropna()
            assert cell.n == len(mine)
            if cell.n > 1:
                assert cell.mean[0] == pytest.approx(mine.mean(), rel=1e-12)
                assert cell.m2[0, 0] == pytest.approx(mine.var() * (cell.n - 1), rel=1e-9, abs=1e-9)


def _counts(spec: ExperimentSpec, folder: Path) -> tuple[Flow, dict[str, Moments]]:
    query = MomentQuery(measure=measure_of(spec.metrics.secondary[1]))
    with open_dataset(spec, folder) as dataset:
        answers = dataset.answer((query, FlowQuery()))
    table = cast("MomentTable", answers[query])
    return cast("Flow", answers[FlowQuery()]), {arm: cell for (arm, _), cell in table.items()}


def test_only_exposed_units_count_from_their_first_exposure_on(tmp_path: Path) -> None:
    frames = world(tmp_path)

    exposure = {"source": "orders", "where": "shop == 'web'", "within": "14d"}
    flow, cells = _counts(plan(exposure=exposure), tmp_path)
    orders = _last_versions(frames["orders"])
    expected: dict[str, list[float]] = {"none": [], "call": []}
    exposed = 0
    for unit in frames["assigned"].to_dict("records"):
        mine = orders[(orders["customer"] == unit["customer"]) & (orders["ordered_at"] <= CUT)]
        seen = mine[(mine["shop"] == "web") & (mine["ordered_at"] >= unit["assigned_at"])]["ordered_at"]
        if seen.empty or seen.min() >= unit["assigned_at"] + timedelta(days=14):
            continue
        exposed += 1
        first = seen.min()
        if first + timedelta(days=31) <= CUT:
            inside = (mine["ordered_at"] >= first) & (mine["ordered_at"] < first + timedelta(days=28))
            expected[unit["arm"]].append(float(inside.sum()))
    assert flow.enrolled == exposed
    for arm, values in expected.items():
        assert (cells[arm].n, cells[arm].mean[0]) == (len(values), pytest.approx(np.mean(values), rel=1e-12))


def test_a_unit_that_was_assigned_several_times_counts_from_its_first_time(tmp_path: Path) -> None:
    frames = world(tmp_path)
    again = frames["assigned"].head(50).copy()
    again["assigned_at"] += timedelta(days=3)
    again["arm"] = "call"
    pd.concat([again, frames["assigned"]]).to_parquet(tmp_path / "data" / "assigned.parquet")
    _, first = _counts(plan(repeated="first"), tmp_path)
    _, both = _counts(plan(), tmp_path)
    frames["assigned"].to_parquet(tmp_path / "data" / "assigned.parquet")
    _, once = _counts(plan(), tmp_path)
    assert {arm: cell.n for arm, cell in first.items()} == {arm: cell.n for arm, cell in once.items()}
    assert first["call"].mean[0] == once["call"].mean[0]
    assert both["call"].n > once["call"].n


def test_times_without_a_zone_are_of_the_tables_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assigned = {"customer": ["A", "B"], "assigned_at": ["2026-03-01T12:00:00Z"] * 2, "arm": ["none", "call"]}
    pd.DataFrame({**assigned, "until": ["2026-06-01"] * 2}).to_csv(tmp_path / "data" / "assigned.csv", index=False)
    orders = {"customer": ["A", "B"], "order_id": [1, 2], "amount": [1, 1], "shop": ["web"] * 2, "cancelled": [0, 0]}
    # Half an hour after time zero in New York, which is four and a half hours before it in UTC.
    times = {"ordered_at": ["2026-03-01T07:30:00", "2026-03-01T12:30:00+00:00"], "loaded_at": ["2026-03-02"] * 2}
    pd.DataFrame({**orders, **times}).to_csv(tmp_path / "data" / "orders.csv", index=False)
    pd.DataFrame({"customer": ["A"], "left_at": ["2026-03-04"]}).to_csv(tmp_path / "data" / "exits.csv", index=False)

    def first_orders(zone: str | None) -> float:
        source = {**SOURCES["orders"], "path": "data/orders.csv", **({} if zone is None else {"timezone": zone})}
        spec = plan(sources={**SOURCES, "orders": source})
        data = spec.data.model_copy(update={"source": "data/assigned.csv"})
        _, cells = _counts(spec.model_copy(update={"data": data}), tmp_path)
        return float(cells["none"].mean[0])

    assert (first_orders(None), first_orders("America/New_York")) == (0.0, 1.0)
    with pytest.raises(CxCausalError, match=r"P348.*no time zone 'Mars/Base'"):
        first_orders("Mars/Base")


def _exits(customers: list[Any], at: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"customer": customers, "left_at": at})


@pytest.mark.parametrize(
    ("exits", "source", "told"),
    [
        (_exits(["C0001", None], ["2026-03-04"] * 2), {}, r"exits.csv row 3 column customer D302.*the id is missing"),
        (_exits(["C0001"], ["4.3.2026"]), {}, r"exits.csv row 2 column left_at D313"),
        (_exits(["Z1"], ["2026-03-04"]), {}, r"D361 none of its ids"),
        (_exits(["C0001"], ["2026-03-04"]), {"freshness": "7d"}, r"D362 its newest row is of 2026-03-04"),
        (_exits(["C0001"], ["2026-03-04"]), {"unit": "costumer"}, r"D210.*did you mean 'customer'"),
    ],
)
def test_event_tables_that_would_mislead_are_refused(
    tmp_path: Path, exits: pd.DataFrame, source: dict[str, Any], told: str
) -> None:
    world(tmp_path)
    exits.to_csv(tmp_path / "data" / "exits.csv", index=False)
    spec = plan(sources={**SOURCES, "exits": {**SOURCES["exits"], **source}})
    with pytest.raises(CxCausalError, match=told):
        open_dataset(spec, tmp_path)


def test_padded_ids_do_not_silently_match_nobody(tmp_path: Path) -> None:
    frames = world(tmp_path)
    frames["assigned"]["customer"] = [int(name[1:]) for name in frames["assigned"]["customer"]]
    frames["assigned"].to_parquet(tmp_path / "data" / "assigned.parquet")
    frames["exits"]["customer"] = [name[1:] for name in frames["exits"]["customer"]]
    frames["exits"].to_csv(tmp_path / "data" / "exits.csv", index=False)
    with pytest.raises(CxCausalError, match=r"D360 ids are padded with zeros"):
        open_dataset(plan(), tmp_path)


def test_chunks_and_order_change_no_bit(tmp_path: Path) -> None:
    frames = world(tmp_path)
    _, before = _counts(plan(), tmp_path)
    frames["orders"].sample(frac=1, random_state=9).to_parquet(tmp_path / "data" / "orders.parquet", row_group_size=500)
    _, after = _counts(plan(), tmp_path)
    assert {arm: (c.n, c.mean.tobytes(), c.m2.tobytes()) for arm, c in before.items()} == {
        arm: (c.n, c.mean.tobytes(), c.m2.tobytes()) for arm, c in after.items()
    }
