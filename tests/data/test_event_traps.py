"""What event tables hold that would quietly change an answer: each told, refused, or counted as it should be."""

from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from cxcausal.core.answers import Flow
from cxcausal.core.entry import Entry
from cxcausal.core.errors import CxCausalError
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.queries import FlowQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.event_values import shifts
from cxcausal.data.opening import open_dataset

ORDERS = {"path": "data/orders.parquet", "unit": "customer", "time": "at"}
SPEND = {"source": "orders", "aggregate": "sum", "value": "amount"}


def plan(columns: dict[str, Any], *, source: dict[str, Any] | None = None, **changes: Any) -> ExperimentSpec:
    """Return a plan whose first metric is `spend`, over 10 days; other columns are covariates where they are over."""
    events = {"columns": {"spend": SPEND, **columns}, "sources": {"orders": {**ORDERS, **(source or {})}}}
    metric = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
    before = [name for name, one in columns.items() if one["window"]["end"] == "0d"]
    others = [{**metric, "name": name, "column": name} for name in columns if name not in before]
    data = {"source": "data/assigned.parquet", "unit": "customer", "time_zero": "zero", "observed_until": "until"}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "calls",
            "question": "Does a call keep customers?",
            "owner": "a@example.com",
            "data": {**data, **changes.pop("data", {}), "events": {**events, **changes.pop("events", {})}},
            "design": {
                "type": "randomized",
                "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "call": {}}},
            },
            "covariates": before,
            "metrics": {"success": [{**metric, "window": {"start": "0d", "end": "10d"}}], "secondary": others},
            **changes,
        }
    )


def assigned(customers: list[Any], **columns: Any) -> pd.DataFrame:
    n = len(customers)
    given = {"zero": ["2026-03-10"] * n, "until": ["2026-05-01"] * n, "arm": ["none", "call"] * n}
    given |= columns
    return pd.DataFrame({"customer": customers, **{name: values[:n] for name, values in given.items()}})


def orders(*rows: tuple[Any, ...], names: str = "customer at amount") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=names.split())


def made(
    folder: Path, spec: ExperimentSpec, people: pd.DataFrame, events: pd.DataFrame, *names: str
) -> tuple[list[tuple[Any, ...]], Flow]:
    """Return the named columns of every unit by id, and the flow."""
    (folder / "data").mkdir(exist_ok=True)
    people.to_parquet(folder / "data/assigned.parquet")
    events.to_parquet(folder / "data/orders.parquet")
    with open_dataset(spec, folder) as dataset:
        table = dataset.units.table
        prefixed = [next(one for one in table.columns if one.partition(":")[2] == name) for name in names]
        rows = dataset.engine.fetch(table.order_by("id:customer", "time_zero").select(*prefixed))
        return rows, cast("Flow", dataset.answer((FlowQuery(),))[FlowQuery()])


def entry(flow: Flow) -> Entry:
    assert flow.entry is not None
    return flow.entry


def test_a_covariate_is_as_it_was_known_at_time_zero(tmp_path: Path) -> None:
    before = {"aggregate": "last", "value": "tier", "source": "orders", "window": {"end": "0d"}}
    history = orders(
        ("A", "2026-01-01", "2026-01-01", "silver"),
        ("A", "2026-03-01", "2026-03-20", "gold"),  # from before time zero, and known only afterwards
        ("A", "2026-04-01", "2026-04-01", "left"),  # the newest
        ("B", "2026-02-01", "2026-03-10", "gold"),  # known at that very moment
        names="customer at booked tier",
    )
    spec = plan({"tier": before}, source={"recorded": "booked"}, segments=["tier"], covariates=[])
    spec = spec.model_copy(update={"metrics": _counted(spec)})
    found, _ = made(tmp_path, spec, assigned(["A", "B"]), history, "tier")
    assert found == [("silver",), ("gold",)]


def _counted(spec: ExperimentSpec) -> Any:
    """Return the metrics over a count of events, which have no amounts here."""
    events = spec.data.events
    assert events is not None
    columns = {
        **events.columns,
        "spend": events.columns["spend"].model_copy(update={"aggregate": "count", "value": None}),
    }
    object.__setattr__(spec.data, "events", events.model_copy(update={"columns": columns}))
    return spec.metrics


def test_a_restated_row_is_known_to_each_customer_when_their_observation_ended(tmp_path: Path) -> None:
    spec = plan({}, source={"recorded": "booked", "key": "number", "removed": "gone"})
    people = assigned(["A", "B", "C"], until=["2026-03-25", "2026-05-01", "2026-05-01"])
    versions = orders(
        (1, "A", "2026-03-12", "2026-03-13", 10.0, 0),
        (1, "A", "2026-03-12", "2026-04-01", 70.0, 0),  # after A was last seen
        (2, "B", "2026-03-12", "2026-03-13", 10.0, 0),
        (2, "B", "2026-03-12", "2026-04-01", 70.0, 0),
        (3, "A", "2026-03-12", "2026-03-13", 5.0, 0),
        (3, "C", "2026-03-12", "2026-04-01", 5.0, 0),  # was C's after all
        (4, "B", "2026-03-12", "2026-03-13", 1.0, 0),
        (4, "B", "2026-03-12", "2026-03-14", 1.0, 1),  # taken back
        (4, "B", "2026-03-12", "2026-03-15", 2.0, 0),  # and yet it happened
        names="number customer at booked amount gone",
    )
    found, _ = made(tmp_path, spec, people, versions, "spend")
    assert found == [(15.0,), (72.0,), (5.0,)]


@pytest.mark.parametrize(("whole", "text"), [("customer", "unit"), ("unit", "customer")])
def test_ids_are_matched_whether_they_are_numbers_or_text(tmp_path: Path, whole: str, text: str) -> None:
    people, events = assigned([7, 12]), orders((7, "2026-03-11", 1.0), (12, "2026-03-11", 2.0), (70, "2026-03-11", 4.0))
    events = events.rename(columns={"customer": "unit"})
    for frame in (people, events):
        if text in frame.columns:
            frame[text] = frame[text].astype(str)
    found, flow = made(tmp_path, plan({}, source={"unit": "unit"}), people, events, "spend")
    assert whole in {*people.columns, *events.columns}
    assert sorted(found) == [(1.0,), (2.0,)]
    assert dict(entry(flow).tables[0].matched_by_arm) == {"none": 1, "call": 1}


@pytest.mark.parametrize("odd", ["7.0", "+7", " 7", "07", "7e0"])
def test_a_text_that_reads_like_a_number_is_not_that_customer(tmp_path: Path, odd: str) -> None:
    people, events = assigned([odd, "12"]), orders((7, "2026-03-11", 1.0), (12, "2026-03-11", 2.0))
    if odd == "07":
        with pytest.raises(CxCausalError, match=r"D360 ids are padded with zeros"):
            made(tmp_path, plan({}), people, events, "spend")
        return
    found, flow = made(tmp_path, plan({}), people, events, "spend")
    assert sorted(found) == [(0.0,), (2.0,)]
    assert sum(entry(flow).tables[0].matched_by_arm.values()) == 1


def test_neither_a_machine_nor_a_huge_amount_takes_digits_from_others(tmp_path: Path) -> None:
    robot = pd.DataFrame({"customer": "R", "at": "2026-03-11", "amount": [0.1] * 1_000_000})
    few = orders(
        ("A", "2026-03-11", 0.1), ("A", "2026-03-12", 0.2), ("B", "2026-03-11", 1e15), ("B", "2026-03-12", -1e15)
    )
    more = orders(("B", "2026-03-12", 0.01), ("C", "2026-03-11", 1e-7), ("C", "2026-03-12", None))
    events = pd.concat([robot, few, more])
    found, flow = made(tmp_path, plan({}), assigned(["A", "B", "C", "R"]), events, "spend")
    assert [row[0] for row in found] == pytest.approx([0.3, 0.01, 1e-7, 100_000.0], rel=1e-9)
    assert dict(entry(flow).tables[0].without_value) == {"amount": 1}


def test_grids_leave_room_for_every_row_in_a_word() -> None:
    for largest, smallest, rows in ((1e15, 1e-7, 10**9), (0.01, 0.01, 1), (5e307, 1e-5, 10**6), (1e-300, 1e-300, 1)):
        found = shifts(largest, smallest, rows, whole=False)
        assert largest * 2.0 ** found[0] * rows <= 2.0**61
        assert all(2.0 ** (fine - coarse - 1) * rows <= 2.0**61 for coarse, fine in pairwise(found))
        assert smallest * 2.0 ** found[-1] >= 2.0**52 or found[-1] == 1_000


def test_the_filter_comes_before_the_first_assignment_is_taken(tmp_path: Path) -> None:
    people = assigned(["A", "A", "A", "B"], zero=["2026-02-10", "2026-03-20", "2026-03-10", "2026-03-10"])
    people = people.assign(arm=["call", "call", "none", "call"], campaign=["winter", "spring", "spring", "spring"])
    events = orders(
        ("A", "2026-02-11", 1.0), ("A", "2026-03-11", 2.0), ("A", "2026-03-21", 4.0), ("B", "2026-03-11", 8.0)
    )
    before = {**SPEND, "window": {"start": "-30d", "end": "0d"}}
    spec = plan(
        {"before": before}, data={"filter": "campaign == 'spring' and before < 5"}, events={"repeated": "first"}
    )
    found, flow = made(tmp_path, spec, people, events, "spend", "before")
    assert found == [(2.0, 1.0), (8.0, 0.0)]
    assert (flow.rows, flow.filtered_out, entry(flow).later, flow.enrolled) == (4, 1, 1, 2)
    assert dict(flow.enrolled_by_arm) == {"none": 1, "call": 1}


def test_rows_that_do_not_count_are_counted(tmp_path: Path) -> None:
    events = orders(
        ("A", "2026-03-11", "2026-03-11", 1.0),
        ("A", "2026-03-12", "2026-05-02", 1.0),  # arrived after the end
        ("A", "2026-05-03", "2026-05-03", 1.0),  # happened after it
        ("A", "2026-03-13", "2026-03-01", 1.0),  # known before it happened
        ("X", "2026-03-11", "2026-03-11", 1.0),
        names="customer at booked amount",
    )
    found, flow = made(tmp_path, plan({}, source={"recorded": "booked"}), assigned(["A", "B"]), events, "spend")
    (told,) = entry(flow).tables
    assert found == [(2.0,), (0.0,)]
    assert (told.rows, told.after_end, told.late, told.before_arrival) == (5, 1, 1, 1)
    assert (dict(told.matched_by_arm), told.newest) == ({"none": 4, "call": 0}, "2026-05-03")


def test_settling_and_a_columns_own_window_delay_maturity(tmp_path: Path) -> None:
    people = assigned(["A", "B", "C"], until=["2026-03-20", "2026-04-18", "2026-04-19"])
    late = {**SPEND, "window": {"start": "0d", "end": "30d"}}
    spec = plan({"late": late}, source={"settles_after": "10d"})
    _, flow = made(tmp_path, spec, people, orders(("A", "2026-03-11", 1.0)), "spend")
    assert (days_to_mature(spec), flow.days_to_mature, flow.matures_on) == (40, 40, "2026-04-19")
    assert (flow.analysed, flow.immature) == (1, 2)


def test_what_was_known_at_time_zero_needs_no_settling_where_arrivals_are_known() -> None:
    before = {**SPEND, "window": {"start": "-30d", "end": "0d"}}
    unknown = plan({"before": before}, source={"settles_after": "14d"})
    events = {**unknown.data.events.model_dump()} if unknown.data.events else {}
    columns = {name: column for name, column in events["columns"].items() if name == "before"}
    assert days_to_mature(unknown) == 24
    for recorded, days in ((None, 14), ("booked", 10)):
        source = unknown.data.events.sources["orders"].model_copy(update={"recorded": recorded})  # type: ignore[union-attr]
        kept = unknown.data.events.model_copy(update={"sources": {"orders": source}})  # type: ignore[union-attr]
        only = kept.model_copy(update={"columns": {name: kept.columns[name] for name in columns}})
        spec = unknown.model_copy(update={"data": unknown.data.model_copy(update={"events": only})})
        assert days_to_mature(spec) == days


@pytest.mark.parametrize(
    ("people", "events", "told"),
    [
        (assigned(["A", "B"], zero=[None, "2026-03-10"]), orders(("A", "2026-03-11", 1.0)), r"row 1 column zero D312"),
        (assigned(["A", None]), orders(("A", "2026-03-11", 1.0)), r"row 2 column customer D302"),
        (assigned(["A", "B"], arm=["none", "cal"]), orders(("A", "2026-03-11", 1.0)), r"D300 'cal' is not an arm"),
        (assigned(["A", "B"]).assign(spend=1), orders(("A", "2026-03-11", 1.0)), r"column spend D214"),
        (assigned(["A", "B"]), orders(("A", "2026-03-11", float("inf"))), r"column amount D306"),
    ],
)
def test_assignments_and_amounts_that_would_drop_out_are_refused(
    tmp_path: Path, people: pd.DataFrame, events: pd.DataFrame, told: str
) -> None:
    spec = plan({}, events={"repeated": "first", "exposure": {"source": "orders"}})
    with pytest.raises(CxCausalError, match=told):
        made(tmp_path, spec, people, events, "spend")


def test_an_event_without_its_key_is_refused(tmp_path: Path) -> None:
    events = orders((1, "A", "2026-03-11", 1.0), (None, "A", "2026-03-11", 1.0), names="number customer at amount")
    spec = plan({}, source={"key": "number", "recorded": "at"})
    with pytest.raises(CxCausalError, match=r"orders.parquet row 2 column number D302 the key is missing"):
        made(tmp_path, spec, assigned(["A", "B"]), events, "spend")


def test_those_never_exposed_are_counted_by_arm(tmp_path: Path) -> None:
    people = assigned(["A", "B", "C", "D"])
    seen = orders(
        ("A", "2026-03-12", 1.0), ("B", "2026-03-09", 1.0), ("D", "2026-03-10", 2.0), ("D", "2026-03-11", 4.0)
    )
    found, flow = made(tmp_path, plan({}, events={"exposure": {"source": "orders"}}), people, seen, "spend")
    assert found == [(1.0,), (6.0,)]
    assert dict(entry(flow).assigned_by_arm) == {"none": 2, "call": 2}
    assert dict(entry(flow).unexposed_by_arm) == {"none": 1, "call": 1}
    assert (flow.rows, flow.filtered_out, flow.enrolled) == (4, 0, 2)
