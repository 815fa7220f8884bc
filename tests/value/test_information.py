"""What knowing more is worth: against simulated choices, its identities, and the pace of enrolment from a file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Flow
from cxcausal.core.queries import FlowQuery
from cxcausal.core.results import ArmValue, Information, ValueResult
from cxcausal.data.opening import open_dataset
from cxcausal.value.information import expected_gain, four_weeks_of, gain_of_more, with_information
from cxcausal.value.model import value_of, value_queries
from tests.value.worlds import customers, plan

DRAWS = 400_000
CASES = [(0.0, 1.0), (1.0, 1.0), (-0.7, 2.0), (3.0, 1.5), (-40.0, 25.0)]


@pytest.mark.parametrize(("mean", "se"), CASES)
def test_a_perfect_answer_is_what_choosing_with_the_truth_known_gains(mean: float, se: float) -> None:
    truth = np.random.default_rng(1).normal(mean, se, DRAWS)
    gains = np.maximum(truth, 0) - (truth if mean > 0 else 0)
    assert expected_gain(mean, se) == pytest.approx(gains.mean(), abs=4 * gains.std() / DRAWS**0.5)


@pytest.mark.parametrize(("mean", "se"), CASES)
@pytest.mark.parametrize("share", [0.3, 1.0, 4.0])
def test_more_data_are_worth_what_choosing_after_them_gains(mean: float, se: float, share: float) -> None:
    """Draw a truth from what is believed now, then data about it, then choose by the precision-weighted mean."""
    rng = np.random.default_rng(2)
    truth = rng.normal(mean, se, DRAWS)
    seen = rng.normal(truth, se / share**0.5)
    believed = (mean + share * seen) / (1 + share)
    gains = np.where(believed > 0, truth, 0) - (truth if mean > 0 else 0)
    assert gain_of_more(mean, se, share) == pytest.approx(gains.mean(), abs=4 * gains.std() / DRAWS**0.5)


@pytest.mark.parametrize(("mean", "se"), CASES)
def test_more_data_are_worth_more_and_never_more_than_a_perfect_answer(mean: float, se: float) -> None:
    shares = [0.0, 0.1, 0.5, 1.0, 5.0, 1e9]
    gains = [gain_of_more(mean, se, share) for share in shares]
    assert gains == sorted(gains)
    assert gains[0] == 0
    assert gains[-1] == pytest.approx(expected_gain(mean, se), rel=1e-6)
    assert expected_gain(mean, se) == expected_gain(-mean, se)
    assert expected_gain(7 * mean, 7 * se) == pytest.approx(7 * expected_gain(mean, se), rel=1e-12)


def test_what_is_certain_leaves_nothing_to_learn() -> None:
    assert expected_gain(5.0, 0.0) == 0
    assert expected_gain(1e6, 1.0) == 0


def told(**keys: Any) -> tuple[ValueResult, ValueResult]:
    spec, rows = plan(**keys), customers(4)
    before = value_of(spec, rows.answers(value_queries(spec)))
    assert before is not None
    after = with_information(before, 0.4)
    assert after is not None
    return before, after


def test_without_a_population_the_choice_is_made_for_the_customers_of_the_test() -> None:
    for one, other in zip(*(value.arms for value in told()), strict=True):
        mean, se = one.net_per_customer["central"].point, one.net_se or 0
        found = other.information
        assert found is not None
        assert replace(other, information=None) == one
        n = one.n_treated
        wanted = Information(
            customers=n,
            perfect=expected_gain(n * mean, n * se),
            doubled=gain_of_more(n * mean, n * se, 1.0),
            four_weeks=gain_of_more(n * mean, n * se, 0.4),
        )
        assert found.customers == wanted.customers
        assert (found.perfect, found.doubled, found.four_weeks) == pytest.approx(
            (wanted.perfect, wanted.doubled, wanted.four_weeks), rel=1e-9
        )


def test_with_one_it_is_the_roll_out_as_capacity_allows_less_its_one_off_cost() -> None:
    _, after = told(value={"population": 50_000, "fixed_cost": 20_000})
    for arm, customers_ in zip(after.arms, (900, 50_000), strict=True):
        mean = arm.net_per_customer["central"].point * customers_ - 20_000
        assert arm.information is not None
        assert arm.information.customers == customers_
        assert arm.information.perfect == pytest.approx(expected_gain(mean, customers_ * (arm.net_se or 0)), rel=1e-9)


def test_the_standard_error_is_that_of_the_net_value() -> None:
    before, _ = told()
    frame = pd.DataFrame(customers(4).columns).dropna()
    cost = np.select([frame.arm == "gig", frame.arm == "agent"], [4.0 * frame.reached, 6.4], 0.3)
    net = 0.5 * frame.margin - 240.0 * frame.churned - cost
    sides = [net[frame.arm == name] for name in ("gig", "none")]
    assert before.arms[0].net_se == pytest.approx(sum(s.var(ddof=1) / len(s) for s in sides) ** 0.5, rel=1e-9)


def test_an_arm_without_a_net_value_has_nothing_to_weigh() -> None:
    nothing = ArmValue(arm="a", control="c", status="not_computed", reason="no values")
    value = ValueResult(currency="EUR", level=0.95, arms=(nothing,))
    assert with_information(value, 0.4) == value
    assert with_information(None, 0.4) is None


def flow(**keys: Any) -> Flow:
    given = {"rows": 90, "filtered_out": 0, "enrolled": 90, "immature": 30, "analysed": 60, "randomization_units": 90}
    return Flow(**{**given, **keys})


@pytest.mark.parametrize(
    ("keys", "share"),
    [
        ({}, None),
        ({"enrolled_from": "2026-03-01", "enrolled_to": "2026-03-01"}, None),
        ({"enrolled_from": "2026-03-01", "enrolled_to": "2026-03-30"}, 28 * 3 / 60),
        ({"enrolled_from": "2026-03-01", "enrolled_to": "2026-03-30", "analysed": 0}, None),
    ],
)
def test_the_pace_is_that_from_the_first_to_the_last_day(keys: dict[str, Any], share: float | None) -> None:
    assert four_weeks_of(flow(**keys)) == share


def test_the_days_of_enrolment_are_read_from_the_file(tmp_path: Path) -> None:
    frame = pd.DataFrame(customers(5, n=300).columns).assign(id=np.arange(300))
    frame["came"] = pd.to_datetime("2026-01-05 22:30") + pd.to_timedelta(np.arange(300) % 40, unit="D")
    frame.to_parquet(tmp_path / "rows.parquet")
    for data, days in (({"time_zero": "came"}, ("2026-01-05", "2026-02-13")), ({}, (None, None))):
        with open_dataset(plan(data={"source": "rows.parquet", **data}), tmp_path, data_roots=()) as dataset:
            found = dataset.answer((FlowQuery(),))[FlowQuery()]
        assert isinstance(found, Flow)
        assert (found.enrolled_from, found.enrolled_to) == days
