"""Weekly cuts with planted causes: each movement is attributed to its cause within a tenth of its size."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.stats.random_effects import random_effects
from tests.e2e.project import Project
from tests.reruns.story import PLAN, World, cut, effect

WITHIN = 0.10
FIRST, SECOND = "2026-08-03", "2026-08-10"


def _put(project: Project, frame: pd.DataFrame) -> None:
    (project.root / "data").mkdir(exist_ok=True)
    frame.to_parquet(project.root / "data/cut.parquet")


def _started(project: Project, frame: pd.DataFrame, **plan: Any) -> str:
    """Register before any data, analyse a first cut, and return the plan's path."""
    path = "experiments/callback.yaml"
    project.write(path, json.dumps({**PLAN, **plan}))
    assert project.cx("register", path).code == 0
    _put(project, frame)
    done = project.cx("run", path, "--json")
    assert done.code == 0, done.err
    return path


def _again(project: Project, *words: str, code: int = 0) -> Mapping[str, Any]:
    done = project.cx("rerun", "callback", *words, "--json")
    assert done.code == code, done.err
    return dict(done.json)


def _effect(movement: Mapping[str, Any], metric: str) -> Mapping[str, Any]:
    found: Mapping[str, Any]
    (found,) = [one for one in movement["effects"] if one["metric"] == metric]
    return found


def _steps(movement: Mapping[str, Any], metric: str) -> dict[str, float]:
    found = _effect(movement, metric)
    steps = {step["cause"]: step["change"] for step in found["steps"]}
    assert sum(steps.values()) == pytest.approx(found["change"], abs=1e-12)
    assert found["before"] + found["change"] == pytest.approx(found["now"], abs=1e-12)
    return steps


def test_every_planted_cause_of_a_cut_gets_its_own_size(project: Project) -> None:
    frame, rng = World().customers(), np.random.default_rng(8)
    before = cut(frame, FIRST)
    _started(project, before)
    called = (before.arm == "call").to_numpy()
    analysed = (before.assigned_on + np.timedelta64(28, "D") <= before.observed_until).to_numpy()
    # Customers who asked to be forgotten: as many of either arm, but of those called mostly such as stayed.
    stayed = (before.churned == 0).to_numpy()
    erased = analysed & (
        rng.random(len(before)) < np.where(called & stayed, 0.03, np.where(called | stayed, 0.0, 0.08))
    )
    # A price that was wrong for those who were called: their spend is restated by a factor.
    priced = analysed & ~erased & called & (rng.random(len(before)) < 0.25)
    # Cancellations that came in late, most of them of customers who were called.
    late = (
        analysed & ~erased & (before.churned == 0).to_numpy() & (rng.random(len(before)) < np.where(called, 0.05, 0.01))
    )
    now = cut(frame, SECOND)
    known = now.customer_id.isin(before.customer_id).to_numpy()
    assert known[: len(before)].all()
    restated = before.copy()
    restated.loc[priced, "spend"] = (restated.loc[priced, "spend"] * 1.2).round(2)
    with_late = restated.copy()
    with_late.loc[late, "churned"] = 1.0
    now.loc[now.index[: len(before)][late], "churned"] = 1.0
    now.loc[now.index[: len(before)][priced], "spend"] = with_late.loc[priced, "spend"]
    now = now[~np.r_[erased, np.zeros(len(now) - len(before), bool)]]
    _put(project, now)
    movement = _again(project)["movement"]

    kept = before[~erased]
    planted = {
        ("churn", "erased"): effect(kept, "churned") - effect(before, "churned"),
        ("spend", "restated"): effect(restated[~erased], "spend") - effect(kept, "spend"),
        ("churn", "late"): effect(with_late[~erased], "churned") - effect(kept, "churned"),
        ("churn", "matured"): effect(now, "churned") - effect(with_late[~erased], "churned"),
    }
    for (metric, cause), size in planted.items():
        steps = _steps(movement, metric)
        assert steps[cause] == pytest.approx(size, rel=WITHIN), (metric, cause)
        assert abs(size) > 1e-4
    assert _steps(movement, "churn")["restated"] == 0.0
    assert _steps(movement, "spend")["late"] == 0.0
    assert _steps(movement, "churn")["unexplained"] == 0.0
    assert movement["units"]["erased"] == erased.sum()
    assert movement["units"]["restated"] == priced.sum()
    assert movement["units"]["late"] == late.sum()
    assert movement["units"]["new"] == len(now) - (~erased).sum()
    assert movement["restated"]["spend"] == pytest.approx(priced.sum() / (analysed & ~erased).sum())


def test_new_customers_of_another_kind_are_told_from_a_changed_effect(project: Project) -> None:
    """Calls help gold customers twice as much; the later weeks bring many of them, and nothing else changes."""
    frame = World().customers()
    day = (frame.assigned_on - frame.assigned_on.min()).dt.days
    gold = _evenly(frame.groupby([day, frame.arm]).cumcount()) < np.where(day >= 28, 0.8, 0.2)
    called = (frame.arm == "call").to_numpy()
    frame["tier"] = np.where(gold, "gold", "basic")
    rate = 0.3 + np.where(called, np.where(gold, -0.16, -0.04), 0.0)
    frame["churned"] = (_evenly(frame.groupby([day, frame.arm, "tier"]).cumcount()) < rate).astype(float)
    before, now = cut(frame, "2026-07-27"), cut(frame, "2026-08-24")
    _started(project, before)
    _put(project, now)
    found = _effect(_again(project)["movement"], "churn")

    def shares(data: pd.DataFrame) -> pd.Series:
        over = data.assigned_on + np.timedelta64(28, "D") <= data.observed_until
        return data[over].tier.value_counts(normalize=True)

    def within(data: pd.DataFrame) -> pd.Series:
        return pd.Series({tier: effect(data[data.tier == tier], "churned") for tier in ("gold", "basic")})

    moved = (shares(now) - shares(before)) * (within(now) + within(before)) / 2
    assert found["mix"]["over"] == ["tier"]
    assert found["mix"]["population"] == pytest.approx(moved.sum(), rel=1e-9)
    assert found["mix"]["population"] == pytest.approx(-0.12 * (shares(now) - shares(before)).gold, rel=WITHIN)
    total = found["mix"]["population"] + found["mix"]["effect"] + found["mix"]["rest"]
    assert total == pytest.approx(found["change"], abs=1e-12)


def _evenly(place: pd.Series) -> np.ndarray:
    """Return numbers between 0 and 1 that are spread more evenly than chance would."""
    return np.asarray((0.5 + place * 0.6180339887498949) % 1.0)


def test_a_changed_estimator_is_put_down_to_the_code(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = World().customers()
    _started(project, cut(frame, FIRST))
    compare = DifferenceInMeans.compare

    def wrong(self: DifferenceInMeans, *args: Any) -> Any:
        return tuple(_Shifted(one) for one in compare(self, *args))

    monkeypatch.setattr(DifferenceInMeans, "compare", wrong)
    monkeypatch.setattr("cxcausal.tracking.code_state.package_sha256", lambda: "0" * 64)
    _put(project, cut(frame, SECOND))
    movement = _again(project)["movement"]
    steps = _steps(movement, "churn")
    assert movement["code"] == ["the package"]
    assert steps["code"] == pytest.approx(0.02, rel=1e-6)
    known, later = cut(frame, FIRST), cut(frame, SECOND)
    assert steps["matured"] == pytest.approx(effect(later, "churned") - effect(known, "churned"), rel=WITHIN)


class _Shifted:
    """A comparison of a wrong version: every absolute effect is larger by a fiftieth."""

    def __init__(self, right: Any) -> None:
        self._right = right
        self.confirmatory = right.confirmatory

    def at(self, alpha: float) -> Any:
        row = self._right.at(alpha)
        return replace(row, point=row.point + 0.02) if row.scale == "absolute" and row.point is not None else row


def test_a_fading_effect_is_told_and_flips_the_decision(project: Project) -> None:
    world = World(fading=3.0, lift=-0.04)
    frame = world.customers()
    before, now = cut(frame, "2026-07-27"), cut(frame, "2026-09-21")
    _started(project, before)
    _put(project, now)
    result = _again(project, code=8)
    movement = result["movement"]
    drift = _effect(movement, "churn")["drift"]
    fresh = now[~now.customer_id.isin(before[before.assigned_on <= np.datetime64("2026-06-29")].customer_id)]
    assert drift["new"] == pytest.approx(effect(fresh, "churned"), rel=1e-9)
    assert drift["known"] == pytest.approx(effect(before, "churned"), rel=1e-9)
    assert drift["trend"] == "reversed"  # three times the lift is gone: calls harm the last weeks
    assert movement["flipped"]
    assert (movement["verdict_before"], result["verdict"]) == ("ship", "hold")


def test_weekly_cuts_are_pooled_each_with_its_own_customers(project: Project) -> None:
    """Three cuts: every cut's own customers are those whose window ended since the one before."""
    frame = World(n=12_000, seed=9).customers()
    days = ["2026-07-20", "2026-08-03", "2026-08-17"]
    cuts = [cut(frame, day) for day in days]
    _started(project, cuts[0])
    for data in cuts[1:]:
        _put(project, data)
        movement = _again(project)["movement"]
    found = _effect(movement, "churn")
    assert [one["data_cut"] for one in found["history"]] == days
    ends = [np.datetime64("2000-01-01"), *(np.datetime64(day) - np.timedelta64(28, "D") for day in days)]
    points, errors = [], []
    for low, high in pairwise(ends):
        own = frame[(frame.assigned_on > low) & (frame.assigned_on <= high)]
        sides = [own[own.arm == arm].churned for arm in ("call", "none")]
        points.append(float(sides[0].mean() - sides[1].mean()))
        errors.append(float(np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides))))
    assert [one["point"] for one in found["history"]] == pytest.approx(points, rel=1e-9)
    assert [one["se"] for one in found["history"]] == pytest.approx(errors, rel=1e-3)
    pooled = random_effects(points, errors)
    assert (found["pooled"]["point"], found["pooled"]["low"]) == pytest.approx((pooled.point, pooled.low), rel=1e-2)
    assert found["pooled"]["cuts"] == 3
    assert movement["looks"]["readings"] == 3


def test_an_earlier_data_cut_takes_customers_out_again(project: Project) -> None:
    frame = World(n=8_000, seed=2).customers()
    now = cut(frame, "2026-09-21")
    _started(project, now)
    result = _again(project, "--data-cut", "2026-08-31")
    known = frame[frame.assigned_on + np.timedelta64(28, "D") <= np.datetime64("2026-08-31")]
    means = known.groupby("arm").churned.mean()
    steps = _steps(result["movement"], "churn")
    assert _effect(result["movement"], "churn")["now"] == pytest.approx(means["call"] - means["none"], rel=1e-9)
    assert steps["matured"] == pytest.approx(_effect(result["movement"], "churn")["change"], rel=1e-9)
    assert (result["data"]["data_cut"], result["movement"]["data_cut"]) == ("2026-08-31", "2026-08-31")
    assert result["movement"]["plan_changed"] == []
    assert result["registered"]
