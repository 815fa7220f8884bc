"""The outreach world: same seed same draw, planned shares by household, and columns that mean what they say."""

import numpy as np
import pytest

from cxcausal.core.errors import UsageError
from cxcausal.simulate import OutreachWorld
from cxcausal.simulate.outreach import Column, Drawn, assign_households
from cxcausal.simulate.population import RELATIONSHIPS

CONTRACT_COLUMNS = {
    *("customer_id", "household_id", "assigned_at", "extracted_at", "arm", "reached", "tier", "intent"),
    *("tenure_months", "contacts_prev_90d", "margin_prev_90d", "risk_top_third", "marketing_opt_out", "age_band"),
    *("churned_90d", "margin_90d", "revenue_90d", "orders_90d", "csat", "csat_answered", "nps_answer"),
    *("nps_answered", "complained_30d", "handle_minutes_30d"),
}


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return OutreachWorld(n=20_000, seed=3).draw()


def mean(drawn: Drawn, name: str, rows: Column | None = None) -> float:
    values = drawn.columns[name].astype(np.float64)
    return float(np.nanmean(values if rows is None else values[rows]))


def test_equal_worlds_draw_equal_columns(drawn: Drawn) -> None:
    again = OutreachWorld(n=20_000, seed=3).draw()
    assert list(again.columns) == list(drawn.columns)
    for name, values in drawn.columns.items():
        np.testing.assert_array_equal(values, again.columns[name])
    assert again.truth == drawn.truth


def test_another_seed_draws_other_customers(drawn: Drawn) -> None:
    other = OutreachWorld(n=20_000, seed=5).draw()
    assert not np.array_equal(other.columns["churned_90d"], drawn.columns["churned_90d"])
    assert other.truth.effect("churn_90d", "gig").expected == drawn.truth.effect("churn_90d", "gig").expected


def test_no_household_is_split_over_arms_or_assigned_twice(drawn: Drawn) -> None:
    columns = drawn.columns
    for name in ("arm", "assigned_at", "region"):
        pairs = set(zip(columns["household_id"].tolist(), columns[name].tolist(), strict=True))
        assert len(pairs) == len(set(columns["household_id"].tolist())), name
    _, sizes = np.unique(columns["household_id"], return_counts=True)
    assert sizes.min() == 1
    assert sizes.max() == 5
    assert 1.8 < sizes.mean() < 2.2


def test_households_get_exactly_the_planned_shares(drawn: Drawn) -> None:
    households, first = np.unique(drawn.columns["household_id"], return_index=True)
    arms, counts = np.unique(drawn.columns["arm"][first], return_counts=True)
    planned = {"none": 2 / 5, "bot": 1 / 5, "gig": 1 / 5, "agent": 1 / 5}
    assert {str(arm) for arm in arms} == set(planned)
    for arm, count in zip(arms.tolist(), counts.tolist(), strict=True):
        assert abs(count - planned[arm] * len(households)) < 1


def test_largest_remainders_fill_what_fractions_leave() -> None:
    codes = assign_households(10, ("1/3", "1/3", "1/3"), np.random.default_rng(0))
    assert sorted(np.bincount(codes).tolist()) == [3, 3, 4]
    assert len(assign_households(1, ("1/2", "1/2"), np.random.default_rng(0))) == 1


def test_every_column_of_the_contract_is_there_and_none_tells_the_truth(drawn: Drawn) -> None:
    assert set(drawn.columns) >= CONTRACT_COLUMNS
    for name in drawn.columns:
        assert not any(word in name for word in ("true", "truth", "effect", "tau", "potential", "worth", "frailty"))


def test_ids_are_unique_text_with_leading_zeros(drawn: Drawn) -> None:
    ids = drawn.columns["customer_id"].tolist()
    assert len(set(ids)) == len(ids)
    assert {len(value) for value in ids} == {9}
    assert all(value.startswith("0") and value.isdigit() for value in ids)


def test_only_contact_arms_reach_anyone_and_not_everyone(drawn: Drawn) -> None:
    arm = drawn.columns["arm"]
    assert mean(drawn, "reached", arm == "none") == 0
    assert 0.88 < mean(drawn, "reached", arm == "bot") < 0.95
    assert 0.57 < mean(drawn, "reached", arm == "gig") < 0.67
    assert 0.60 < mean(drawn, "reached", arm == "agent") < 0.71


def test_base_rates_are_those_of_a_phone_company(drawn: Drawn) -> None:
    control = drawn.columns["arm"] == "none"
    assert 0.13 < mean(drawn, "churned_90d", control) < 0.16
    assert 0.015 < mean(drawn, "complained_30d", control) < 0.035
    margin, before = drawn.columns["margin_90d"].astype(float), drawn.columns["margin_prev_90d"].astype(float)
    assert 0.55 < np.corrcoef(margin, before)[0, 1] < 0.68
    assert 0.25 < (margin == 0).mean() < 0.45
    assert margin.min() == 0
    assert margin.mean() > 1.5 * np.median(margin)
    assert abs(mean(drawn, "risk_top_third") - 1 / 3) < 0.01
    risky, safe = (mean(drawn, "churned_90d", control & (drawn.columns["risk_top_third"] == top)) for top in (1, 0))
    assert risky > 1.5 * safe


def test_only_those_who_answered_have_a_rating_and_contact_changes_who_answers(drawn: Drawn) -> None:
    for rating, answered, low, high in (("csat", "csat_answered", 1, 5), ("nps_answer", "nps_answered", 0, 10)):
        values = drawn.columns[rating].astype(float)
        np.testing.assert_array_equal(~np.isnan(values), drawn.columns[answered] == 1)
        assert set(values[~np.isnan(values)]) == set(range(low, high + 1))
    assert mean(drawn, "csat_answered", drawn.columns["arm"] == "gig") > 0.02 + mean(
        drawn, "csat_answered", drawn.columns["arm"] == "none"
    )


def test_quiet_loyal_customers_are_those_whom_the_filter_names(drawn: Drawn) -> None:
    columns = drawn.columns
    named = (columns["tier"] == "premium") & (columns["tenure_months"] >= 48) & (columns["contacts_prev_90d"] <= 1)
    assert drawn.truth.harmed.filter == "tier == 'premium' and tenure_months >= 48 and contacts_prev_90d <= 1"
    np.testing.assert_array_equal(columns["relationship"] == RELATIONSHIPS[2], named)
    assert drawn.truth.harmed.share == pytest.approx(named.mean())


def test_mature_worlds_have_waited_for_every_window_and_immature_ones_have_not() -> None:
    mature = OutreachWorld(n=5_000, seed=2).draw().columns
    early = OutreachWorld(n=5_000, seed=2, mature=False).draw().columns
    window = np.timedelta64(90, "D")
    assert (mature["assigned_at"] + window <= mature["extracted_at"]).all()
    late = early["assigned_at"] + window > early["extracted_at"]
    assert 0.1 < late.mean() < 0.5
    np.testing.assert_array_equal(early["churned_90d"][~late], mature["churned_90d"][~late])
    assert early["churned_90d"][late].sum() < mature["churned_90d"][late].sum()
    assert len(np.unique(early["extracted_at"])) == 1


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"n": 0}, "n"),
        ({"seed": -1}, "seed"),
        ({"effect_scale": -0.5}, "effect_scale"),
        ({"arms": ("bot", "gig"), "shares": ("1/2", "1/2")}, "arms"),
        ({"arms": ("none", "robot"), "shares": ("1/2", "1/2")}, "arms"),
        ({"arms": ("none",), "shares": ("1/1",)}, "arms"),
        ({"shares": ("1/2", "1/2")}, "shares"),
        ({"arms": ("none", "gig"), "shares": ("1/2", "1/3")}, "shares"),
        ({"arms": ("none", "gig"), "shares": ("half", "1/2")}, "shares"),
        ({"arms": ("none", "gig"), "shares": ("1/0", "1/2")}, "shares"),
    ],
)
def test_options_without_meaning_are_refused_by_name(options: dict[str, object], option: str) -> None:
    with pytest.raises(UsageError) as raised:
        OutreachWorld(**options)  # type: ignore[arg-type]
    assert [problem.where for problem in raised.value.problems] == [f"simulate outreach {option}"]


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        OutreachWorld(n=0, seed=-1, shares=("1/2",))
    assert len(raised.value.problems) == 3


def test_three_arms_with_half_in_control_draw_the_contract_trial() -> None:
    drawn = OutreachWorld(n=4_000, seed=1, arms=("none", "gig", "agent"), shares=("1/2", "1/4", "1/4")).draw()
    arms, counts = np.unique(drawn.columns["arm"], return_counts=True)
    shares = dict(zip(arms.tolist(), (counts / 4_000).tolist(), strict=True))
    assert shares == pytest.approx({"none": 0.5, "gig": 0.25, "agent": 0.25}, abs=0.02)
    assert {row.arm for row in drawn.truth.effects} == {"gig", "agent"}
    assert set(drawn.columns) >= CONTRACT_COLUMNS
