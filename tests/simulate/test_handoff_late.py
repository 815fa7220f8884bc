"""The careless extract of hand-offs: who is immortal in it, and how wrong that makes the answer."""

import numpy as np
import pytest

from cxcausal.simulate import HandoffWorld, LateHandoffWorld
from cxcausal.simulate.handoff_late import DELAY_DAYS
from cxcausal.simulate.handoff_outcomes import Pull
from cxcausal.simulate.population import Floats
from tests.simulate.handoff_oracle import aipw, eligible, knowing_all, naive, people_of

DAY = np.timedelta64(86_400, "s")


def test_only_the_clock_and_those_who_left_before_differ_from_the_careful_extract() -> None:
    right, late = (world(n=20_000, seed=6).draw().columns for world in (HandoffWorld, LateHandoffWorld))
    moved = right["route"] != late["route"]
    assert 0.005 < moved.mean() < 0.03
    assert set(right["route"][moved]) == {"human"}
    assert (late["churned_90d"][moved] == 1).all()
    days = (late["first_failed_intent_at"] - right["first_failed_intent_at"]) / DAY
    handed = (late["route"] == "human") & (late["channel"] == "chat")
    assert days[handed].min() >= DELAY_DAYS[0] - 1e-4
    assert days[handed].max() <= DELAY_DAYS[1]
    assert np.ptp(days[handed]) > 12
    np.testing.assert_array_equal(np.nan_to_num(days[~handed]), 0)
    same = ["tier", "intent", "sentiment_before", "contacts_prev_year", "customer_id"]
    for name in same:
        np.testing.assert_array_equal(right[name], late[name])
    for name in ("churned_90d", "margin_90d", "resolved"):
        np.testing.assert_array_equal(right[name][~moved], late[name][~moved])


def test_the_clock_of_some_starts_after_the_quarter() -> None:
    late = eligible(LateHandoffWorld(n=20_000, seed=6).draw().columns)
    over = late["first_failed_intent_at"] >= np.datetime64("2026-07-01")
    assert set(late["route"][over]) == {"human"}


def test_the_truth_is_that_of_the_careful_extract_and_no_naive_number_is_told_twice() -> None:
    right, late = (world(n=2_000).draw().truth for world in (HandoffWorld, LateHandoffWorld))
    assert [row.expected for row in right.effects] == [row.expected for row in late.effects]
    assert {(row.naive, row.adjusted) for row in late.effects} == {(None, None)}
    assert right.late is None


def test_adjusting_perfectly_in_it_is_wrong_as_stated() -> None:
    truth = LateHandoffWorld(n=2_000).draw().truth
    assert truth.late is not None
    plain: list[float] = []
    adjusted: dict[str, list[Floats]] = {name: [] for name in truth.late.adjusted_churn}
    for seed in range(5):
        kept = eligible(LateHandoffWorld(n=50_000, seed=seed).draw().columns)
        person, y = (kept["route"] == "human").astype(float), kept["churned_90d"].astype(float)
        plain.append(naive(y, person))
        meant = knowing_all(people_of(kept), Pull())
        bot, _ = meant.means["churned"]
        gone = truth.late.never_handed_over * float(meant.chance.mean()) / float((meant.chance * bot).mean())
        e = meant.chance * (1 - bot * gone)
        flat = (np.full(len(y), y[person == 0].mean()), np.full(len(y), y[person == 1].mean()))
        for name, scores in adjusted.items():
            scores.append(aipw(y, person, e, flat, name))
    assert np.mean(plain) == pytest.approx(truth.late.naive_churn, abs=0.004)
    for name, scores in adjusted.items():
        every = np.concatenate(scores)
        assert abs(every.mean() - truth.late.adjusted_churn[name]) < 4.5 * every.std() / np.sqrt(len(every)), name
        assert truth.late.adjusted_churn[name] < truth.effect("churn_90d", name).expected - 0.04
