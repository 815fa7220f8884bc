"""Grace periods are refused where nobody tossed a coin."""

from collections.abc import Callable

import pytest

Told = Callable[..., list[tuple[str, str]]]
PLAN = """schema_version: 1
id: x
question: Why?
owner: me@example.com
data:
  source: data/x.csv
  unit: customer
  time_zero: entered
  observed_until: until
metrics:
  success:
    - {name: churn, type: proportion, column: churned, desired_direction: decrease, window: {start: 0d, end: 90d}}
design:
  type: observational
  confounders: [age]
  treatment: {column: took, control: 0, arms: {}}
"""
EVENTS = """  events:
    columns: {orders: {source: orders, aggregate: count, window: {start: 0d, end: 90d}}}
    exposure: {source: orders, within: 14d}
"""
SOURCES = {
    "configs/data_sources.yaml": (
        "schema_version: 1\nsources:\n  orders: {path: data/orders.csv, unit: customer, time: at}\n"
    ),
}


@pytest.mark.parametrize(("design", "codes"), [("observational", ["P381"]), ("randomized", [])])
def test_a_window_starts_at_time_zero(told: Told, design: str, codes: list[str]) -> None:
    plan = PLAN if design == "observational" else PLAN.replace("observational\n  confounders: [age]", "randomized")
    assert told(plan) == []
    found = told(plan.replace("start: 0d", "start: 30d"))
    assert [code for code, _ in found] == codes
    if codes:
        assert "starts on day 30: who left before is not counted" in found[0][1]
        assert "grace periods need clone-censor-weight, which this version doesn't have" in found[0][1]
        assert found[0][1].endswith("write start: 0d; what happens before is part of what the choice does")


@pytest.mark.parametrize(("design", "codes"), [("observational", ["P380"]), ("randomized", [])])
def test_nobody_waits_for_exposure(told: Told, design: str, codes: list[str]) -> None:
    plan = PLAN if design == "observational" else PLAN.replace("observational\n  confounders: [age]", "randomized")
    with_events = plan.replace("  observed_until: until\n", "  observed_until: until\n" + EVENTS)
    found = told(with_events, SOURCES)
    assert [code for code, _ in found] == codes
    if codes:
        assert "grace periods need clone-censor-weight, which this version doesn't have" in found[0][1]
