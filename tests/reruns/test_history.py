"""Drift and history: nobody counts twice, few people are not told, and chance alone seldom makes news."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.movement import Pooled
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.pipeline.movement import drift_of
from cxcausal.pipeline.movement_sentences import drift_sentence, pooled_sentence
from cxcausal.reviewing.holding_out import promise_of
from cxcausal.reviewing.surroundings import looks_at
from cxcausal.stats.random_effects import random_effects
from tests.e2e.project import PLAN, Project, customers

FEW = 8


def _movement(project: Project, frame: pd.DataFrame) -> Mapping[str, Any]:
    project.data(frame)
    done = project.cx("rerun", "callback", "--json")
    assert done.code in {0, 8}, done.err
    return dict(done.json["movement"])


def _started(project: Project, frame: pd.DataFrame, **plan: Any) -> None:
    project.data(frame)
    done = project.cx("run", project.plan(**plan))
    assert done.code == 0, done.err


def _history(movement: Mapping[str, Any]) -> list[int]:
    return [cut["units"] for cut in movement["effects"][0]["history"]]


def test_customers_who_leave_the_data_and_come_back_count_once(project: Project) -> None:
    first, later = customers(2000), customers(1000, prefix="LATER")
    _started(project, first)
    assert _history(_movement(project, pd.concat([first, later]))) == [2000, 1000]
    assert _history(_movement(project, first)) == [2000]
    assert _history(_movement(project, pd.concat([first, later]))) == [2000, 1000]


def test_cuts_are_told_with_the_values_of_now(project: Project) -> None:
    first, later = customers(2000), customers(1000, prefix="LATER")
    _started(project, first)
    late = first.copy()
    stayed = late.index[(late.arm == "call") & (late.churned == 0)]
    late.loc[stayed[:40], "churned"] = 1
    found = _movement(project, pd.concat([late, later]))["effects"][0]
    rates = late.groupby("arm").churned.mean()
    assert found["history"][0]["point"] == pytest.approx(rates["call"] - rates["none"], abs=1e-12)
    assert found["history"][0]["point"] == pytest.approx(found["drift"]["known"], abs=1e-12)


def test_few_new_customers_are_neither_a_cut_nor_a_drift_until_they_are_more(project: Project) -> None:
    first, later = customers(2000), customers(1000, prefix="LATER", base=0.3)
    _started(project, first)
    mixed = later.sample(frac=1.0, random_state=1)
    few = _movement(project, pd.concat([first, mixed[:FEW]]))
    assert few["units"]["new"] is None
    assert few["effects"][0]["drift"] is None
    assert _history(few) == [2000]
    assert _history(_movement(project, pd.concat([first, mixed[: 2 * FEW]]))) == [2000]
    assert _history(_movement(project, pd.concat([first, mixed]))) == [2000, 1000 - 2 * FEW]
    assert _history(_movement(project, pd.concat([first, mixed]))) == [2000, 1000]


def test_rows_without_names_that_changed_are_no_new_customers(project: Project) -> None:
    first = customers(2000).drop(columns="customer_id")
    first["spend"] = np.arange(2000.0)
    _started(project, first, data={"source": PLAN["data"]["source"]})
    late = first.copy()
    late.loc[late.index[(late.arm == "call") & (late.churned == 0)][:100], "churned"] = 1
    movement = _movement(project, late)
    assert movement["units"]["erased"] == 100
    assert (movement["effects"][0]["drift"], _history(movement)) == (None, [])
    assert any("names no data.unit" in note for note in movement["notes"])
    again = _movement(project, pd.concat([late, first.assign(spend=lambda data: data.spend + 5000)]))
    assert _history(again) == [2000, 2000]


def _row(arms: tuple[np.ndarray, np.ndarray]) -> Estimate:
    treated, control = arms
    parts = [float(side.var(ddof=1) / len(side)) for side in arms]
    df = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, arms, strict=True))
    return Estimate(
        metric="spend",
        role="success",
        arm="call",
        control="none",
        estimand="itt",
        population="all",
        scale="absolute",
        method="difference_in_means",
        unit="",
        point=float(treated.mean() - control.mean()),
        se=sum(parts) ** 0.5,
        df=df,
        n_treated=len(treated),
        n_control=len(control),
    )


def test_a_drift_is_seen_in_one_of_twenty_worlds_without_any() -> None:
    rng, alarms, draws = np.random.default_rng(4), 0, 4000
    for _ in range(draws):
        known, new = (_row((rng.normal(0.3, 1, size), rng.normal(0, 2, size))) for size in (200, 32))
        drift = drift_of(known, new, 0.05)
        assert drift is not None
        alarms += drift.trend != "steady"
    assert alarms / draws == pytest.approx(0.05, abs=0.009)


@pytest.mark.parametrize(
    ("known", "new", "trend"),
    [(-0.08, -0.02, "fading"), (-0.08, -0.14, "growing"), (-0.08, 0.08, "reversed"), (0.001, -0.08, "growing")],
)
def test_a_drift_has_the_word_that_its_sizes_ask_for(known: float, new: float, trend: str) -> None:
    side = np.tile([0.0, 0.2], 500)
    drift = drift_of(_row((side + known, side)), _row((side + new, side)), 0.05)
    assert drift is not None
    assert drift.trend == trend
    assert ("opposite" in drift_sentence(drift, "share of customers")) == (trend == "reversed")


def test_cuts_that_differ_by_chance_alone_are_seldom_said_to_differ() -> None:
    rng, said, draws = np.random.default_rng(7), 0, 1000
    for _ in range(draws):
        errors = rng.uniform(0.01, 0.03, 6)
        found = random_effects(rng.normal(0.1, errors), errors)
        pooled = Pooled(
            cuts=6,
            point=found.point,
            low=found.low,
            high=found.high,
            level=0.95,
            tau=found.tau2**0.5,
            i2=found.i2,
            q=found.q,
            p=found.p,
        )
        said += "by more than chance" in pooled_sentence(pooled, "share of customers")
    assert said / draws == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(("until", "readings", "paid"), [("2026-07-31", 2, False), ("2026-09-30", 2, True)])
def test_readings_beyond_the_planned_looks_are_not_called_allowed(until: str, readings: int, *, paid: bool) -> None:
    looks = ["2026-07-27", "2026-09-28"]
    dated = {**PLAN["data"], "time_zero": "day", "observed_until": "until"}
    analysis = {"peeking": "group_sequential", "looks": looks}
    spec = ExperimentSpec.model_validate({**PLAN, "data": dated, "analysis": analysis})
    told = looks_at(spec, readings, until)
    assert ("the plan allows that" in told.sentence) == paid
    assert ("the plan has one look up to now" in told.sentence) != paid


def test_the_range_of_a_small_hold_out_covers_as_often_as_it_says() -> None:
    spec, rng, covered, draws = ExperimentSpec.model_validate(PLAN), np.random.default_rng(12), 0, 3000
    promised = _row((rng.normal(0.3, 0.02, 4000), rng.normal(0, 0.02, 4000)))
    for _ in range(draws):
        shown = _row((rng.normal(0.3, 1, 400), rng.normal(0, 2, 8)))
        promise = promise_of(spec, promised, shown)
        covered += promise.kept
    assert covered / draws == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("words", [("--data-cut", "2026-11-15"), ("--accept-changes", "all is well")])
def test_a_comparison_with_a_hold_out_passes_over_nothing_in_silence(project: Project, words: tuple[str, str]) -> None:
    refused = project.cx("rerun", "callback", "--holdout", *words)
    assert (refused.code, "R816" in refused.err, words[0] in refused.err) == (2, True, True)
