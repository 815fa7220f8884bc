"""Adjustment from the plan to page one: what leads, what the notes say, and what the verdict rests on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from tests.cluster_regression_twins import Sample, full_lin, full_multiway
from tests.e2e.project import PLAN, Project, new_project

SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase", "money": {"per_unit": 1}}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def spenders(n: int = 600) -> pd.DataFrame:
    """Return customers whose spend is mostly what they spent before, and a little more where they were called."""
    rng = np.random.default_rng(5)
    before, called = rng.gamma(2.0, 20.0, n).round(2), np.arange(n) % 2
    spend = (before + 3.0 * called + rng.normal(0, 10, n)).round(2)
    arm = np.where(called, "call", "none")
    ids = [f"CUST{i}" for i in range(n)]
    home = [f"H{i // 4}" for i in range(n)]
    frame = pd.DataFrame({"customer_id": ids, "arm": arm, "spend": spend, "before": before, "home": home})
    return frame.assign(team=[f"T{i // 75}" for i in range(n)])


def run(project: Project, **changes: Any) -> Any:
    project.data(spenders())
    done = project.cx("run", project.plan(metrics={"success": [SPEND]}, covariates=["before"], **changes), "--json")
    assert done.code == 0, done.err
    return done.json


def test_the_verdict_rests_on_the_adjusted_row(project: Project) -> None:
    result = run(project)
    adjusted, plain = (row for row in result["effects"] if row["scale"] == "absolute")
    assert (adjusted["adjustment"], adjusted["headline"]) == ("covariates", True)
    assert (plain["adjustment"], plain["headline"]) == ("none", False)
    assert adjusted["low"] > 0
    assert plain["low"] < 0 < plain["high"]
    assert result["arms"]["call"]["rule"] == 3
    assert "Money is told from unadjusted means, also where effects are adjusted for covariates." in result["notes"]
    assert not any("not adjusted" in note for note in result["notes"])
    page = (project.root / result["report"]).read_text(encoding="utf-8")
    assert "are adjusted for what was known beforehand" in page


def test_where_a_fate_is_shared_the_row_is_that_of_whole_matrices(project: Project) -> None:
    """Homes span the arms; the twin reads the same file."""
    result = run(project, data={**PLAN["data"], "cluster": ["home"]})
    frame = pd.read_csv(project.root / "data/callback.csv")
    twin = full_lin(
        Sample(
            outcome=frame.spend.to_numpy(),
            arm=frame.arm.to_numpy(),
            covariates=frame[["before"]].to_numpy(),
            cluster=frame.home.to_numpy(),
        ),
        "call",
        "none",
    )
    adjusted, plain = (row for row in result["effects"] if row["scale"] == "absolute")
    assert (adjusted["adjustment"], adjusted["method"], adjusted["headline"]) == ("covariates", "lin", True)
    assert (adjusted["point"], adjusted["se"], adjusted["df"]) == pytest.approx((twin.point, twin.se, twin.df))
    half = -stdtrit(twin.df, 0.025) * twin.se
    assert (adjusted["low"], adjusted["high"]) == pytest.approx((twin.point - half, twin.point + half))
    assert adjusted["se"] < plain["se"]
    assert not any("not adjusted" in note for note in result["notes"])
    page = (project.root / result["report"]).read_text(encoding="utf-8")
    assert "are adjusted for what was known beforehand" in page


def test_crossing_clusters_missing_covariates_and_segments(project: Project) -> None:
    rng = np.random.default_rng(8)
    frame = spenders(800).assign(agent=[f"A{i}" for i in rng.integers(0, 40, 800)], tier=rng.choice(["a", "b"], 800))
    frame.loc[rng.random(800) < 0.1, "before"] = np.nan
    project.data(frame)
    plan = project.plan(
        data={**PLAN["data"], "cluster": ["home", "agent"]},
        metrics={"success": [SPEND]},
        covariates=["before"],
        segments=["tier"],
    )
    done = project.cx("run", plan, "--json")
    assert done.code == 0, done.err
    rows = {
        row["population"]: row for row in done.json["effects"] if (row["method"], row["scale"]) == ("lin", "absolute")
    }
    assert set(rows) == {"all", "tier=a", "tier=b"}
    known = frame.assign(none=frame.before.isna().astype(float), before=frame.before.fillna(frame.before.mean()))
    for population, own in (("all", known), *((f"tier={tier}", known[known.tier == tier]) for tier in "ab")):
        samples: dict[tuple[str, ...], Sample] = {
            names: Sample(
                outcome=own.spend.to_numpy(),
                arm=own.arm.to_numpy(),
                covariates=own[["before", "none"]].to_numpy(),
                cluster=own[list(names)].agg("|".join, axis=1).to_numpy(),
            )
            for names in (("home",), ("agent",), ("home", "agent"))
        }
        twin, row = full_multiway(samples, "call", "none"), rows[population]
        assert (row["point"], row["se"], row["df"]) == pytest.approx((twin.point, twin.se, twin.df), rel=1e-9)


def test_too_few_clusters_leave_the_unadjusted_row_and_say_so(project: Project) -> None:
    result = run(project, data={**PLAN["data"], "cluster": ["team"]})
    headline = [row["adjustment"] for row in result["effects"] if row["headline"]]
    assert headline == ["none"]
    (note,) = [note for note in result["notes"] if "ovariates" in note]
    assert "estimates are not adjusted: 1 covariate column needs at least 10 clusters, there are 8." in note
    page = (project.root / result["report"]).read_text(encoding="utf-8")
    assert "are adjusted for what was known beforehand" not in page
