"""The hand-off world: the columns that the shipped plans need, equal seeds equal draws, and trouble that misleads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cxcausal.core.errors import UsageError
from cxcausal.simulate import HandoffDrawn, HandoffWorld, HiddenHandoffWorld, LateHandoffWorld
from tests.simulate.handoff_oracle import eligible, naive, people_of

ROOT = Path(__file__).resolve().parents[2]
PLANS = ("human_handoff", "human_handoff_hidden")
WORLDS = (HandoffWorld, HiddenHandoffWorld, LateHandoffWorld)


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn() -> HandoffDrawn:
    return HandoffWorld(seed=3).draw()


def columns_of_plan(name: str) -> set[str]:
    plan, library = read(f"experiments/{name}.yaml"), read("configs/metrics/cx.yaml")["metrics"]
    data, design = plan["data"], plan["design"]
    named = [item if isinstance(item, str) else item["name"] for role in plan["metrics"].values() for item in role]
    return {
        *(data[key] for key in ("unit", "time_zero", "observed_until")),
        *("bot_failed_intents", "channel", design["treatment"]["column"]),
        *(*design["confounders"], *design["never_adjust"], *design["negative_controls"]["outcomes"]),
        *(*plan["effect_modifiers"], *plan["segments"]),
        *(library[m][key] for m in named for key in ("column", "response", "covariate") if key in library[m]),
    }


@pytest.mark.parametrize("world", WORLDS)
def test_the_columns_are_exactly_those_of_the_plans(world: Any) -> None:
    columns = world(n=50).draw().columns
    assert set(columns) == columns_of_plan("human_handoff") == columns_of_plan("human_handoff_hidden")
    assert {len(values) for values in columns.values()} == {50}


@pytest.mark.parametrize("world", WORLDS)
def test_equal_worlds_draw_equal_columns_and_truths(world: Any) -> None:
    first, again, other = world(n=3_000, seed=4).draw(), world(n=3_000, seed=4).draw(), world(n=3_000, seed=5).draw()
    for name, values in first.columns.items():
        np.testing.assert_array_equal(values, again.columns[name])
        assert name == "extracted_at" or not np.array_equal(values, other.columns[name]), name
    assert first.truth == again.truth
    assert first.truth.effect("churn_90d").expected == other.truth.effect("churn_90d").expected
    assert first.truth.effect("churn_90d").sample != other.truth.effect("churn_90d").sample


def test_the_twins_differ_only_in_what_the_hidden_cause_moves() -> None:
    open_, hidden = (world(n=5_000, seed=2).draw().columns for world in (HandoffWorld, HiddenHandoffWorld))
    moved = {name for name in open_ if not np.array_equal(open_[name], hidden[name], equal_nan=name == "csat")}
    assert {"route", "churned_90d", "contacts_prev_year"} <= moved
    assert not moved & {*read("experiments/human_handoff.yaml")["design"]["confounders"], "customer_id", "channel"}


def test_the_filter_drops_conversations_that_never_failed_or_were_no_chats(drawn: HandoffDrawn) -> None:
    columns = drawn.columns
    kept = eligible(columns)
    assert 0.66 < len(kept["route"]) / 20_000 < 0.75
    assert drawn.truth.effect("churn_90d").n == len(kept["route"])
    never_failed = columns["bot_failed_intents"] == 0
    assert 0.1 < never_failed.mean() < 0.25
    np.testing.assert_array_equal(np.isnat(columns["first_failed_intent_at"]), never_failed)
    assert set(columns["route"][never_failed & (columns["channel"] == "chat")]) == {"bot"}
    assert set(columns["channel"]) == {"chat", "voice", "email"}


def test_every_window_is_over_and_the_bot_fails_again_only_where_it_stays(drawn: HandoffDrawn) -> None:
    kept = eligible(drawn.columns)
    assert (kept["first_failed_intent_at"] + np.timedelta64(90, "D") <= kept["extracted_at"]).all()
    assert (kept["bot_failed_intents"][kept["route"] == "human"] == 1).all()
    assert (kept["bot_failed_intents"][kept["route"] == "bot"] > 1).mean() > 0.4


def test_ids_and_answers_are_as_real_ones(drawn: HandoffDrawn) -> None:
    columns = drawn.columns
    assert len(set(columns["customer_id"].tolist())) == 20_000
    assert all(len(name) == 9 and name.isdigit() for name in columns["customer_id"].tolist())
    np.testing.assert_array_equal(np.isnan(columns["csat"]), columns["csat_answered"] == 0)
    assert set(columns["csat"][columns["csat_answered"] == 1]) == {1, 2, 3, 4, 5}
    assert (columns["contacts_prev_year"] >= columns["contacts_prev_90d"]).all()
    assert (columns["margin_90d"] >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_plain_difference_says_that_people_drive_customers_away(seed: int) -> None:
    kept = eligible(HandoffWorld(seed=seed).draw().columns)
    person = (kept["route"] == "human").astype(float)
    assert naive(kept["churned_90d"].astype(float), person) > 0.02
    assert naive(kept["complained_30d"].astype(float), person) > -0.002
    assert naive(kept["sentiment_before"], person) < -0.1
    assert naive(kept["complexity"], person) > 0.5


def test_what_comes_after_the_route_shows_it(drawn: HandoffDrawn) -> None:
    kept = eligible(drawn.columns)
    person = (kept["route"] == "human").astype(float)
    assert naive(kept["handle_minutes_after"], person) > 5
    hard = np.isin(kept["intent"], ["billing", "complaint"])
    assert naive(kept["resolved"][hard].astype(float), person[hard]) > 0.2
    solved = kept["resolved"] == 1
    assert kept["churned_90d"][solved].mean() < kept["churned_90d"][~solved].mean() - 0.05


def test_both_routes_stand_open_to_nearly_everybody(drawn: HandoffDrawn) -> None:
    from cxcausal.simulate.handoff_people import person_probability  # noqa: PLC0415 - only here

    kept = eligible(drawn.columns)
    chance, person = person_probability(people_of(kept), 0.0, pull=0.0), kept["route"] == "human"
    assert np.mean((chance > 0.05) & (chance < 0.95)) > 0.98
    for weights in ((1 - chance)[person], chance[~person]):
        assert weights.sum() ** 2 / (weights**2).sum() > 0.75 * len(weights)


def test_the_graph_names_the_columns_and_says_what_the_plans_say() -> None:
    lines = (ROOT / "graphs/human_handoff.dot").read_text(encoding="utf-8").splitlines()
    arrows = [tuple(line.strip(" ;").split(" -> ")) for line in lines if "->" in line]
    plan = read("experiments/human_handoff.yaml")["design"]
    assert {cause for cause, effect in arrows if effect == "route"} == set(plan["confounders"])
    after = {effect for cause, effect in arrows if cause == "route"}
    assert set(plan["never_adjust"]) <= after
    assert not after & {*plan["confounders"], *plan["negative_controls"]["outcomes"]}
    columns = set(HandoffWorld(n=20).draw().columns)
    assert {name for arrow in arrows for name in arrow} <= columns
    assert len(arrows) == len(set(arrows))
    order: list[str] = []
    while nodes := {name for arrow in arrows for name in arrow} - set(order):
        free = [name for name in sorted(nodes) if not any(b == name and a in nodes for a, b in arrows)]
        assert free, "the graph has a cycle"
        order += free


def test_the_plans_are_twins_of_distinct_name() -> None:
    first, second = (read(f"experiments/{name}.yaml") for name in PLANS)
    assert first["id"] != second["id"]
    assert first["design"] == second["design"]
    assert first["design"]["graph"] == "graphs/human_handoff.dot"
    assert first["design"]["treatment"]["arms"]["human"]["unit_cost"] == HandoffWorld.costs["human"]


@pytest.mark.parametrize("option", ["hidden_route", "hidden_churn", "hidden_contacts"])
@pytest.mark.parametrize("value", [-0.01, 0.21, float("nan")])
def test_strengths_out_of_range_are_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(UsageError) as raised:
        HiddenHandoffWorld(**{option: value})  # type: ignore[arg-type]
    assert [(p.where, p.code) for p in raised.value.problems] == [(f"simulate handoff-hidden {option}", "U244")]


@pytest.mark.parametrize("world", WORLDS)
def test_all_wrong_options_are_told_at_once(world: Any) -> None:
    with pytest.raises(UsageError) as raised:
        world(n=0, seed=-1, effect_scale=2.5)
    assert len(raised.value.problems) == 3


@pytest.mark.parametrize("world", WORLDS)
def test_a_single_customer_is_a_world_too(world: Any) -> None:
    for seed in range(6):
        truth = world(n=1, seed=seed).draw().truth
        assert truth.effect("churn_90d").expected < 0
        assert (truth.effect("churn_90d").sample is None) == (truth.effect("churn_90d").n == 0)
