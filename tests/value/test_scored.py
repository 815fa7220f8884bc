"""Money where nobody tossed a coin: adjusted amounts whose parts sum, totals only where heads can be counted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.protocols import Answers
from cxcausal.core.queries import ClusterQuery, MomentQuery
from cxcausal.core.results import ArmValue, ValueResult
from cxcausal.core.score_answers import ScoreEffects
from cxcausal.core.score_queries import EffectQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.pipeline.score_road import BothRoads
from cxcausal.value.composite import composite, money_of
from cxcausal.value.information import with_information
from cxcausal.value.model import value_of, value_queries
from tests.observed import people, plan, written

EXACT = 1e-11


def answered(spec: ExperimentSpec, folder: Path, *more: EffectQuery) -> Answers:
    with open_dataset(spec, folder, data_roots=()) as dataset:
        return BothRoads(dataset=dataset, spec=spec).answer((*value_queries(spec), *more))


def valued(spec: ExperimentSpec, folder: Path) -> ValueResult:
    found = value_of(spec, answered(spec, folder))
    assert found is not None
    return found


def arm_of(found: ValueResult) -> ArmValue:
    assert found.arms[0].status == "ok", found.arms[0].reason
    return found.arms[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("observed"), people())


@pytest.mark.parametrize("target", ["ato", "att", "ate"])
def test_no_amount_comes_from_the_arms_as_they_are(target: str) -> None:
    queries = value_queries(plan(target=target))
    assert not [query for query in queries if isinstance(query, MomentQuery | ClusterQuery)]
    assert {query.target for query in queries if isinstance(query, EffectQuery)} == {target}


@pytest.mark.parametrize("repeats", [1, 3, 4])
@pytest.mark.parametrize("target", ["ato", "att", "ate"])
def test_parts_sum_to_the_net_value_and_the_net_value_is_the_composites_effect(
    folder: Path, target: str, repeats: int
) -> None:
    spec = plan(target=target)
    spec = spec.model_copy(update={"estimation": spec.estimation.model_copy(update={"repeats": repeats})})
    money = money_of(spec)
    assert money is not None
    query = EffectQuery(measure=composite(spec, money.bars, "central"), target=target)  # type: ignore[arg-type]
    answers = answered(spec, folder, query)
    found = value_of(spec, answers)
    assert found is not None
    arm, effects = arm_of(found), answers[query]
    assert isinstance(effects, ScoreEffects)
    whole = effects.effects["human", "bot", ""]
    net = arm.net_per_customer["central"]
    assert sum(part.per_customer for part in arm.parts) == net.point
    assert net.point == pytest.approx(whole.mean[0] - whole.mean[1], rel=EXACT)
    assert [part.name for part in arm.parts] == ["churn", "margin", "contact_cost"]
    assert arm.parts[-1].per_customer == pytest.approx(-5.9, abs=1e-9)


@pytest.mark.parametrize("target", ["ato", "att", "ate"])
def test_the_net_value_is_the_effect_on_an_amount_that_the_data_hold(tmp_path: Path, target: str) -> None:
    """Least squares is linear in the outcome, so that the sum of learned parts is the learned sum."""
    frame = people(n=1500)
    frame["net"] = 0.5 * frame["margin"] - 240.0 * frame["churned"]
    written(tmp_path, frame)
    one = {"name": "net", "type": "mean", "column": "net", "desired_direction": "increase", "money": {"per_unit": 1}}
    whole = arm_of(valued(plan(target=target, metrics={"success": [one]}), tmp_path)).net_per_customer["central"]
    told = arm_of(valued(plan(target=target), tmp_path)).net_per_customer["central"]
    assert (told.point, told.low, told.high) == pytest.approx((whole.point, whole.low, whole.high), rel=1e-9)


def test_the_naive_money_has_the_wrong_sign_and_the_adjusted_one_covers_the_truth(folder: Path) -> None:
    rows = pd.read_parquet(folder / "rows.parquet")
    worth = 0.5 * rows["margin"] - 240.0 * rows["churned"]
    human = rows["route"] == "human"
    assert worth[human].mean() - worth[~human].mean() < -5
    net = arm_of(valued(plan(target="ato"), folder)).net_per_customer["central"]
    truth = 0.05 * 240.0 + 0.5 * 3.0 - 5.9
    assert net.low is not None
    assert net.high is not None
    assert net.low < truth < net.high


def test_a_total_is_of_those_whom_the_effect_is_of(folder: Path) -> None:
    rows = pd.read_parquet(folder / "rows.parquet")
    counts = {"att": int((rows["route"] == "human").sum()), "ate": len(rows)}
    for target, heads in counts.items():
        arm = arm_of(valued(plan(target=target, value={"population": 5000}), folder))
        assert (arm.estimand, arm.total_customers) == (target, heads)
        assert arm.net_total["central"].point == pytest.approx(arm.net_per_customer["central"].point * heads)
        assert arm.rollout_customers == 900


def test_an_overlap_has_no_total_and_no_roll_out_and_the_notes_say_why(folder: Path) -> None:
    found = valued(plan(target="ato", value={"population": 5000, "fixed_cost": 100}), folder)
    arm = arm_of(found)
    assert (arm.estimand, arm.net_total, arm.total_customers) == ("ato", {}, None)
    assert (arm.rollout, arm.rollout_customers) == (None, None)
    said = " ".join(found.notes)
    assert "no total" in said
    assert "must not be multiplied by a population" in said
    assert "takes its customers to be" not in said
    assert "in no figure, because there is no total" in said
    informed = with_information(found, 0.5)
    assert informed is not None
    assert informed.arms[0].information is None


def test_what_knowing_more_is_worth_is_of_the_totals_customers(folder: Path) -> None:
    informed = with_information(valued(plan(target="att"), folder), None)
    assert informed is not None
    arm = informed.arms[0]
    assert arm.information is not None
    assert arm.information.customers == arm.total_customers


def test_cost_at_delivery_is_paid_for_everybody_of_the_arm_where_nobody_assigned(folder: Path) -> None:
    arm = arm_of(valued(plan(target="att"), folder))
    assert arm.cost_per_customer == pytest.approx(5.9)
    assert arm.cost_per_assigned == pytest.approx(6.4)
    assert arm.share_delivered is None


def test_a_cost_per_event_is_the_cost_over_the_adjusted_benefit(folder: Path) -> None:
    arm = arm_of(valued(plan(target="ate"), folder))
    told, benefit = arm.cost_per_event, arm.parts[0].per_customer / 240.0
    assert told is not None
    assert told.point == pytest.approx(5.9 / benefit, rel=1e-6)
    assert told.low is not None
    assert told.high is not None
    assert 5.9 / 0.2 < told.low < told.point < told.high
    assert told.low < 5.9 / 0.05 < told.high


def test_an_arm_without_an_effect_has_a_reason_and_no_amount(tmp_path: Path) -> None:
    frame = people(n=400)
    frame.loc[frame["route"] == "human", "churned"] = float("nan")
    found = value_of(plan(), answered(plan(), written(tmp_path, frame)))
    assert found is not None
    assert (found.arms[0].status, found.arms[0].net_per_customer) == ("not_computed", {})
    assert "has a value" in str(found.arms[0].reason)


def test_one_more_metric_without_money_changes_no_amount(folder: Path) -> None:
    extra: dict[str, Any] = {"name": "t", "type": "mean", "column": "tenure", "desired_direction": "increase"}
    spec = plan(target="att")
    more = plan(target="att", metrics={**spec.metrics.model_dump(exclude_none=True), "exploratory": [extra]})
    one, other = arm_of(valued(spec, folder)), arm_of(valued(more, folder))
    assert replace(one) == other
