"""Epochs of a ramp-up: what is read, and what is refused."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from cxcausal.core.spec.resolve import Resolved
from tests.core.spec.conftest import MINIMAL

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]
EARLY = "{from: 2026-10-01, shares: {none: 9/10, call: 1/10}}"
LATE = "{from: 2026-10-15, shares: {none: 1/2, call: 0.5}}"


def ramp(*epochs: str, zero: str = ", time_zero: entered", arms: str = "{none: {}, call: {}}") -> str:
    plan = MINIMAL.replace("calls.parquet", f"calls.parquet{zero}").replace("{none: {}, call: {}}", arms)
    return plan.replace("  type: randomized\n", f"  type: randomized\n  epochs: [{', '.join(epochs)}]\n")


def test_epochs_are_read_exactly(load: Load) -> None:
    spec = load(ramp(EARLY, LATE)).spec
    assert [epoch.begins for epoch in spec.epochs] == ["2026-10-01", "2026-10-15"]
    assert spec.epochs[0].fractions == {"none": Fraction(9, 10), "call": Fraction(1, 10)}
    assert spec.shares is None


def test_a_plan_without_epochs_has_the_hash_that_it_had_before_there_were_any(load: Load) -> None:
    resolved = load()
    assert resolved.spec.epochs == ()
    assert "epochs" not in resolved.plan["design"]


def test_the_resolved_plan_names_where_an_epoch_stands(load: Load) -> None:
    resolved = load(ramp(EARLY, LATE))
    assert resolved.plan["design"]["epochs"][1] == {"from": "2026-10-15", "shares": {"none": "1/2", "call": "1/2"}}
    assert resolved.provenance["design.epochs[1].from"].endswith(":8:73")


@pytest.mark.parametrize(
    ("plan", "code", "says"),
    [
        (ramp(EARLY), "P351", "at least two epochs"),
        (ramp(LATE, EARLY), "P351", "does not come after"),
        (ramp(EARLY, EARLY), "P351", "does not come after"),
        (ramp(EARLY, LATE.replace("call: 0.5", "call: 0.4")), "P352", "sum to 0.9"),
        (ramp(EARLY, LATE.replace(", call: 0.5", "")), "P352", "no share for arm 'call'"),
        (ramp(EARLY, LATE.replace("call", "cal")), "P352", "did you mean 'call'?"),
        (ramp(EARLY, LATE, zero=""), "P354", "name the column of that time as data.time_zero"),
        (ramp(EARLY, LATE, arms="{none: {share: 1/2}, call: {share: 1/2}}"), "P353", "keep the shares of the epochs"),
        (ramp(EARLY, LATE.replace("from: 2026-10-15, ", "")), "P202", "from"),
        (ramp(EARLY, LATE.replace("2026-10-15", "15.10.2026")), "P204", "is not a date"),
    ],
)
def test_what_is_wrong_with_epochs_is_told(told: Told, plan: str, code: str, says: str) -> None:
    found = told(plan)
    assert code in [one for one, _ in found]
    assert any(says in text for one, text in found if one == code), found


def test_only_a_randomised_design_has_epochs(told: Told) -> None:
    plan = ramp(EARLY, LATE).replace("type: randomized", "type: observational")
    assert [code for code, _ in told(plan)] == ["P201"]
