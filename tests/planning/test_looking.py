"""What looking costs before the data: against the joint normal distribution of the looks, and in words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from cxcausal.planning.assumptions import Assumptions
from cxcausal.planning.looking import looking_note, looking_of
from cxcausal.planning.moments import stated_bases
from cxcausal.planning.plan import compute, horizon_of
from cxcausal.planning.result import PlanResult, PowerRow
from cxcausal.stats.power import Setting, Test, power, smallest_size, units_needed
from cxcausal.stats.sequential import AlwaysValid
from cxcausal.stats.sequential_power import Looking, equally_spaced
from tests.planning.plans import plan

SEQUENTIAL = {"peeking": "group_sequential", "looks": ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]}
ARMS = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5)
QUARTERS = Looking(shares=equally_spaced(4))
LAN_DEMETS = (4.3326, 2.9631, 2.3590, 2.0141)


def ever(bounds: tuple[float, ...], drift: float, *, sides: int = 2) -> float:
    """Return how often equally spaced looks leave their boundaries, by their joint normal distribution."""
    at = np.arange(1, len(bounds) + 1) / len(bounds)
    covariance = np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at))
    low = -np.asarray(bounds) if sides > 1 else np.full(len(bounds), -np.inf)
    inside = multivariate_normal.cdf(np.asarray(bounds), drift * np.sqrt(at), covariance, lower_limit=low, abseps=1e-7)
    return 1 - float(inside)


def planned(**analysis: Any) -> PlanResult:
    spec, stated = plan(analysis=analysis), Assumptions(base={"churn": 0.14}, units=26_000)
    return compute(spec, "h", stated_bases(spec, stated), horizon_of(spec, stated, None))


def churn(result: PlanResult) -> PowerRow:
    return next(row for row in result.rows if row.metric == "churn")


@pytest.mark.parametrize("drift", [0.5, 1.5, 2.8, 4.0])
def test_power_at_any_of_four_looks_is_that_of_the_joint_normal(drift: float) -> None:
    fixed = float(norm.sf(1.959964 - drift) + norm.cdf(-1.959964 - drift))
    assert QUARTERS.power(fixed, 0.05, 2, 1000) == pytest.approx(ever(LAN_DEMETS, drift), abs=2e-4)


def test_a_guardrail_is_ruled_out_on_one_side_by_the_boundary_of_twice_the_error() -> None:
    found = QUARTERS.power(0.8, 0.025, 1, 1000)
    assert found == pytest.approx(ever(LAN_DEMETS, 1.959964 + norm.ppf(0.8), sides=1), abs=2e-4)


def test_always_valid_power_is_that_of_its_own_boundaries() -> None:
    tuned, units = 500, 800
    bounds = tuple(AlwaysValid(units=units * share, tuned=tuned).bound(0.05) for share in QUARTERS.shares)
    drift = 1.959964 + norm.ppf(0.9)
    found = replace(QUARTERS, tuned=tuned).power(0.9, 0.05, 2, units)
    assert found == pytest.approx(ever(bounds, drift), abs=2e-4)


def test_no_effect_is_found_as_often_as_the_level_says_and_a_certain_one_always() -> None:
    assert QUARTERS.power(0.05, 0.05, 2, 1000) == pytest.approx(0.05, abs=1e-6)
    assert QUARTERS.power(0.0, 0.05, 2, 1000) == 0.0
    assert QUARTERS.power(1.0, 0.05, 2, 1000) == 1.0


def test_units_and_sizes_pay_for_the_looks() -> None:
    once, looking = Test(alpha=0.05), Test(alpha=0.05, looking=QUARTERS)
    few, more = units_needed(ARMS, once, 0.1, 0.8), units_needed(ARMS, looking, 0.1, 0.8)
    assert few is not None
    assert more is not None
    assert 1.01 < more / few < 1.04  # Jennison & Turnbull, table 2.4: 1.024 for O'Brien and Fleming's own
    assert power(ARMS, looking, more, 0.1) == pytest.approx(0.8, abs=1e-3)
    smallest = smallest_size(ARMS, looking, more, 0.8)
    assert smallest == pytest.approx(0.1, rel=1e-3)


def test_a_plan_with_looks_has_less_power_and_says_what_they_cost() -> None:
    once, four, any_time = planned(), planned(**SEQUENTIAL), planned(peeking="always_valid")
    needed = [churn(result).units_needed or 0 for result in (once, four, any_time)]
    assert needed == sorted(needed)
    assert needed[1] < 1.04 * needed[0] < needed[2]
    assert [churn(result).power for result in (any_time, four, once)] == sorted(
        churn(result).power or 0.0 for result in (any_time, four, once)
    )
    assert once.notes == ()
    assert "looking 4 times needs 1.4 % more units than reading once" in four.notes[0]
    assert "tuned for 10,000 units; looking 10 times needs" in any_time.notes[0]


@pytest.mark.parametrize(
    ("analysis", "pace", "looks", "tuned"),
    [
        ({}, None, None, None),
        (SEQUENTIAL, 100.0, 4, None),
        ({**SEQUENTIAL, "horizon": {"date": "2026-05-01"}}, None, 5, None),
        ({"peeking": "always_valid", "horizon": {"units": 9000}}, 100.0, 10, 9000),
        ({"peeking": "always_valid"}, 1.0, 52, 10_000),
        ({"peeking": "always_valid", "looks": ["2026-01-01", "2026-02-01"]}, 100.0, 2, 10_000),
    ],
)
def test_which_looks_are_planned_for(analysis: Any, pace: float | None, looks: int | None, tuned: int | None) -> None:
    found = looking_of(plan(analysis=analysis), 1000, pace)
    assert (None if found is None else len(found.shares)) == looks
    assert (None if found is None else found.tuned) == tuned


def test_without_a_size_the_price_is_not_told() -> None:
    assert looking_note(QUARTERS, None, None) == "Power counts 4 looks, equally spaced."
