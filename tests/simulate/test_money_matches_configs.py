"""The truth's money is the money of the shipped plan and value model, so that both can be compared."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from cxcausal.simulate import OutreachWorld
from cxcausal.simulate.effects import CONTACTS, RETAINED_CUSTOMER

ROOT = Path(__file__).resolve().parents[2]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_demonstration_plan_has_the_costs_and_shares_of_the_world() -> None:
    arms = read("experiments/proactive_outreach.yaml")["design"]["treatment"]["arms"]
    assert {name: arm["unit_cost"] for name, arm in arms.items() if name != "none"} == {
        name: contact.unit_cost for name, contact in CONTACTS.items()
    }
    assert all(arm["cost_basis"] == "received" for name, arm in arms.items() if name != "none")
    world = OutreachWorld(n=1)
    assert {name: Fraction(arm["share"]) for name, arm in arms.items()} == dict(
        zip(world.arms, map(Fraction, world.shares), strict=True)
    )


def test_a_retained_customer_is_worth_what_the_example_value_model_says() -> None:
    model = read("configs/value.yaml")["value_model"]
    assert model["retained_customer"]["central"] == RETAINED_CUSTOMER
    assert "example" in model["retained_customer"]["basis"]


def test_every_metric_of_the_library_can_be_computed_from_the_world() -> None:
    columns = OutreachWorld(n=50).draw().columns
    for name, metric in read("configs/metrics/cx.yaml")["metrics"].items():
        for key in ("column", "numerator", "denominator", "response", "covariate"):
            assert metric.get(key) is None or metric[key] in columns, name
