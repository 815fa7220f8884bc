"""One experiment read again and again through the command line, as its data grow, against a recomputation on rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm, t

from tests.e2e.project import PLAN, Project

DAY = pd.Timedelta(days=1)
LOOKS = ["2026-03-01", "2026-04-01"]
HORIZON = "2026-05-31"
READINGS = [*LOOKS, HORIZON]
WINDOW = 30
SUCCESS = {
    "name": "churn",
    "type": "proportion",
    "column": "churned",
    "desired_direction": "decrease",
    "window": {"end": f"{WINDOW}d"},
    "money": {"per_unit": 180},
}
GUARD = {
    "name": "minutes",
    "type": "mean",
    "column": "minutes",
    "desired_direction": "decrease",
    "margin": {"absolute": 1},
}
GROUP = {"peeking": "group_sequential", "looks": LOOKS, "horizon": {"date": HORIZON}}


def customers() -> pd.DataFrame:
    """Return customers who enter between January and April; calls keep some of them."""
    rng = np.random.default_rng(11)
    n = 4000
    called = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(n)],
            "arm": np.where(called, "call", "none"),
            "entered": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 120, n), unit="D"),
            "churned": (rng.random(n) < 0.25 - 0.07 * called).astype(int),
            "minutes": rng.gamma(2.0, 3.0, n).round(2),
        }
    )


def cut_at(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    """Return what an extract of that day holds."""
    return frame[frame.entered <= pd.Timestamp(day)].assign(extracted=day)


def plan(**changes: Any) -> dict[str, Any]:
    data = {**PLAN["data"], "time_zero": "entered", "observed_until": "extracted"}
    metrics = {"success": [SUCCESS], "guardrails": [GUARD]}
    return {"data": data, "metrics": metrics, **changes}


def read(project: Project, frame: pd.DataFrame, day: str, **analysis: Any) -> dict[str, Any]:
    project.data(cut_at(frame, day))
    done = project.cx("run", project.plan(**plan(analysis=analysis)), "--json")
    assert done.code == 0, done.err
    return done.json  # type: ignore[no-any-return]


def row_of(result: dict[str, Any], metric: str) -> dict[str, Any]:
    return next(
        row for row in result["effects"] if row["metric"] == metric and row["headline"] and row["scale"] == "absolute"
    )


def matured(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    return frame[frame.entered + WINDOW * DAY <= pd.Timestamp(day)]


def boundary(units: Sequence[int], spent: Sequence[float], alpha: float) -> float:
    """Return the last look's boundary, from the joint normal distribution of all looks, one look after the other."""
    at = np.asarray(units, float)
    bounds: list[float] = []
    for look, time in enumerate(spent, start=1):
        total = 4 * norm.cdf(norm.ppf(alpha / 4) / np.sqrt(time))
        covariance = np.sqrt(np.minimum.outer(at[:look], at[:look]) / np.maximum.outer(at[:look], at[:look]))

        def excess(bound: float, covariance: Any = covariance, total: float = total) -> float:
            high = np.asarray([*bounds, bound])
            inside = multivariate_normal.cdf(high, np.zeros(len(high)), covariance, lower_limit=-high, abseps=1e-8)
            return 1 - float(inside) - total

        bounds.append(float(brentq(excess, 1.0, 7.0, xtol=1e-6)))
    return bounds[-1]


def welch(frame: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """Return the difference in means, its standard error and degrees of freedom."""
    arms = [frame[frame.arm == arm][column] for arm in ("call", "none")]
    parts = [arm.var(ddof=1) / len(arm) for arm in arms]
    df = sum(parts) ** 2 / sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, arms, strict=True))
    return float(arms[0].mean() - arms[1].mean()), float(np.sqrt(sum(parts))), float(df)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_every_planned_look_stands_at_its_own_boundary(project: Project, look: int) -> None:
    frame, day = customers(), READINGS[look - 1]
    result = read(project, frame, day, **GROUP)
    assert (result["reading"]["look"], result["reading"]["looks"]) == (look, 3)
    done = matured(frame, day)
    units = [len(matured(frame, earlier)) for earlier in READINGS[:look]]
    assert result["reading"]["units"] == units[-1] == len(done)
    for metric, column, alpha, level in (("churn", "churned", 0.05, 0.95), ("minutes", "minutes", 0.1, 0.9)):
        z = boundary(units, [at / 3 for at in range(1, look + 1)], alpha)
        point, se, df = welch(done, column)
        half = t.isf(norm.sf(z), df) * se
        row = row_of(result, metric)
        assert (row["low"], row["high"]) == pytest.approx((point - half, point + half), abs=2e-5)
        assert row["level"] == pytest.approx(level)
        if metric == "churn":
            assert result["reading"]["boundary"] == pytest.approx(z, abs=1e-4)
            assert (row["p"] < 0.05) == (row["high"] < 0 or row["low"] > 0)


def test_the_money_stands_at_the_look_s_level_too(project: Project) -> None:
    frame = customers()
    result = read(project, frame, LOOKS[0], **GROUP)
    net = result["value"]["arms"][0]["net_per_customer"]["central"]
    point, se, df = welch(matured(frame, LOOKS[0]).assign(net=lambda f: -180 * f.churned - (f.arm == "call")), "net")
    half = t.isf(norm.sf(result["reading"]["boundary"]), df) * se
    assert (net["low"], net["high"]) == pytest.approx((point - half, point + half), abs=1e-8)
    assert result["value"]["level"] == pytest.approx(0.95)


@pytest.mark.parametrize("day", ["2026-03-10", "2026-04-30", HORIZON])
def test_any_day_may_be_read_under_an_always_valid_plan(project: Project, day: str) -> None:
    frame = customers()
    result = read(project, frame, day, peeking="always_valid", horizon={"units": 3000})
    done = matured(frame, day)
    r = len(done) * 8.212021 / 3000
    bound = np.sqrt((r + 1) / r * np.log((r + 1) / 0.05**2))
    assert result["reading"]["boundary"] == pytest.approx(bound, abs=1e-5)
    point, se, df = welch(done, "churned")
    row = row_of(result, "churn")
    half = t.isf(norm.sf(bound), df) * se
    assert (row["low"], row["high"]) == pytest.approx((point - half, point + half), abs=1e-6)
    z = norm.isf(2 * t.sf(abs(point) / se, df) / 2)
    assert row["p"] == pytest.approx(min(1.0, np.sqrt(r + 1) * np.exp(-(z**2) * r / (r + 1) / 2)), rel=1e-5)


def test_too_few_units_hold_and_conclude_nothing(project: Project) -> None:
    result = read(project, customers(), "2026-02-08", peeking="always_valid")
    assert result["reading"]["units"] < 400
    assert result["verdict"] == "hold"
    assert "concludes nothing before every arm has 200" in result["arms"]["call"]["reason"]
    assert {row["status"] for row in result["effects"]} == {"not_computed"}
    assert result["value"]["arms"][0]["status"] == "not_computed"
    page = (project.root / result["report"]).read_text("utf-8")
    assert "Nothing is concluded yet" in page


@pytest.mark.parametrize(
    ("day", "analysis", "words"),
    [
        ("2026-02-28", GROUP, "this plan may be read from 2026-03-01 on"),
        ("2026-05-30", {"horizon": {"date": HORIZON}}, "this plan may be read from 2026-05-31 on"),
        (HORIZON, {"horizon": {"units": 9000}}, "units have their whole window, and this plan may be read at 9,000"),
    ],
)
def test_an_early_reading_leaves_no_trace(project: Project, day: str, analysis: Any, words: str) -> None:
    before = project.fingerprint()
    project.data(cut_at(customers(), day))
    path = project.plan(**plan(analysis=analysis))
    done = project.cx("run", path, "--json")
    assert done.code == 5
    assert words in done.err
    assert f"{path}:" in done.err
    assert project.fingerprint() == before
    assert project.cx("validate", path).code == 0
    assert project.cx("explain", path).code == 0


def test_looks_need_the_end_of_observation(project: Project) -> None:
    project.data(cut_at(customers(), HORIZON))
    path = project.plan(metrics={"success": [SUCCESS]}, analysis=GROUP)
    done = project.cx("run", path, "--json")
    assert (done.code, "data.observed_until" in done.err or "observed_until" in done.err) == (3, True)


def test_a_horizon_of_which_nobody_knows_whether_it_is_reached_is_noted(project: Project) -> None:
    project.data(cut_at(customers(), HORIZON))
    blocks = plan(analysis={"horizon": {"date": HORIZON}})
    done = project.cx("run", project.plan(**{**blocks, "data": PLAN["data"]}), "--json")
    assert done.code == 0, done.err
    assert any("Nobody knows whether the horizon" in note for note in done.json["notes"])
