"""A trial of which only some calls came about, from the plan to the page, recomputed from the file."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from tests.e2e.project import PLAN, Project, new_project
from tests.report.reader import read
from tests.report.test_numbers import agrees, quoted, recomputed

ARMS = {
    "none": {"label": "Nobody calls", "share": "1/3"},
    "call": {"label": "Customer expert", "share": "1/3", "unit_cost": 4, "cost_basis": "received"},
    "mail": {"label": "Letter", "share": "1/3", "unit_cost": 1},
}
TREATMENT = {"column": "arm", "control": "none", "arms": ARMS, "received": "reached"}
DESIGN = {"type": "randomized", "treatment": TREATMENT, "contrasts": [["call", "mail"]]}
CHURN = {
    "name": "churn",
    "label": "Customers who leave in a month",
    "type": "proportion",
    "column": "churned",
    "desired_direction": "decrease",
    "money": {"per_unit": 60},
}
METRICS = {
    "success": [CHURN],
    "secondary": [
        {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"},
        {
            "name": "aov",
            "type": "ratio",
            "numerator": "spend",
            "denominator": "orders",
            "desired_direction": "increase",
        },
    ],
}
DATA = {**PLAN["data"], "time_zero": "came"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def trial(n: int = 3000, *, effect: float = -0.12) -> pd.DataFrame:
    """Return customers of whom six in ten are reached if assigned, and one in fifty in any case."""
    rng = np.random.default_rng(12)
    arm = np.array(["none", "call", "mail"])[np.arange(n) % 3]
    kind = rng.random(n)
    reached = (kind < 0.05) | ((arm != "none") & (kind < 0.65))
    churned = rng.random(n) < 0.3 + effect * reached * (arm != "mail")
    frame = pd.DataFrame({"customer_id": [f"CUST{i}" for i in range(n)], "arm": arm, "reached": reached.astype(int)})
    frame["came"] = (pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) % 56, unit="D")).strftime("%Y-%m-%d")
    frame["churned"] = np.where(np.arange(n) % 40, churned.astype(float), np.nan)
    return frame.assign(spend=rng.gamma(2.0, 20.0, n).round(2), orders=rng.integers(1, 4, n))


def run(project: Project, frame: pd.DataFrame, **changes: Any) -> Any:
    project.data(frame)
    given: dict[str, Any] = {"design": DESIGN, "metrics": METRICS, "data": DATA, **changes}
    done = project.cx("run", project.plan(**given), "--json")
    assert done.code == 0, done.err
    return done.json


def row_of(result: Any, **keys: str) -> Any:
    wanted = {"arm": "call", "control": "none", "population": "all", **keys}
    (found,) = [row for row in result["effects"] if all(row[name] == value for name, value in wanted.items())]
    return found


def t_of(frame: pd.DataFrame, beta: float, arm: str = "call") -> tuple[float, float]:
    """Return t and degrees of freedom of the hypothesis that the effect on those reached is beta."""
    known = frame.dropna()
    sides = [(side.churned - beta * side.reached) for side in (known[known.arm == arm], known[known.arm == "none"])]
    test = stats.ttest_ind(*sides, equal_var=False)
    return float(test.statistic), float(test.df)


def test_the_rows_are_those_of_the_file(project: Project) -> None:
    frame = trial()
    result = run(project, frame)
    row, share = row_of(result, metric="churn", method="wald"), row_of(result, metric="treatment.received")
    known = frame.dropna().groupby("arm")[["churned", "reached"]].mean()
    gap = known.loc["call"] - known.loc["none"]
    assert row["point"] == pytest.approx(gap.churned / gap.reached, rel=1e-9)
    bound = stats.t.ppf(0.975, t_of(frame, 0.0)[1])
    for name, side in (("low", -1), ("high", 1)):
        end = optimize.brentq(lambda beta: abs(t_of(frame, beta)[0]) - bound, row["point"], row["point"] + side)
        assert row[name] == pytest.approx(end, rel=1e-8)
    rates = frame.groupby("arm").reached.mean()
    assert (share["mean_treated"], share["mean_control"]) == pytest.approx((rates["call"], rates["none"]), rel=1e-12)
    assert (row["estimand"], row["companion"], share["role"]) == ("late", True, "exploratory")
    assert [one["arm"] for one in result["effects"] if one["metric"] == "treatment.received"] == ["call", "mail"]
    assert "no effect per customer reached" in row_of(result, metric="aov", method="wald")["reason"]
    assert row_of(result, metric="churn", method="wald", control="mail")["status"] == "not_computed"


def test_costs_and_the_worth_of_knowing_more_are_those_of_the_file(project: Project) -> None:
    frame = trial()
    result = run(project, frame, value={"population": 50_000})
    known = frame.dropna()
    one, two = known[known.arm == "call"], known[known.arm == "none"]
    value = next(arm for arm in result["value"]["arms"] if arm["arm"] == "call")
    assert value["cost_per_delivered"] == pytest.approx(4.0, rel=1e-12)
    assert value["cost_per_assigned"] == pytest.approx(4 * one.reached.mean(), rel=1e-12)
    kept = two.churned.mean() - one.churned.mean()
    assert value["cost_per_event"]["point"] == pytest.approx(4 * one.reached.mean() / kept, rel=1e-9)
    net = [-60 * one.churned - 4 * one.reached, -60 * two.churned]
    mean, se = net[0].mean() - net[1].mean(), math.sqrt(sum(side.var(ddof=1) / len(side) for side in net))
    share = 28 / 56
    for name, spread in (
        ("perfect", se),
        ("doubled", se * 0.5**0.5),
        ("four_weeks", se * (share / (1 + share)) ** 0.5),
    ):
        u = abs(mean / spread)
        gain = 50_000 * spread * (stats.norm.pdf(u) - u * stats.norm.cdf(-u))
        assert value["information"][name] == pytest.approx(gain, rel=1e-6, abs=1e-6)
    days = (result["data"]["enrolled_from"], result["data"]["enrolled_to"], result["data"]["four_weeks"])
    assert days == ("2026-01-01", "2026-02-25", 0.5)


def test_the_page_says_it_with_numbers_of_the_result_only(project: Project) -> None:
    result = run(project, trial())
    page = read((project.root / result["report"]).read_text(encoding="utf-8"))
    words = " ".join(" ".join(page.page_one).split())
    assert re.search(r"Of those assigned to “ ?Customer expert ?”, ?6\d % were reached", words), words
    assert re.search(
        r"reached because they were assigned, about \d+ fewer in 1,000 leave in a month \( ?95 % range: ", words
    )
    assert "We know nothing about the others." in words
    assert "per delivered contact" in words
    assert "Spread over the customers who, because of it, do not leave in a month , contact costs" in words
    assert "What was delivered" in " ".join(page.rest)
    tree = {**result, "ledger_head": None}
    for mark in page.numbers:
        if mark.attributes["data-key"] != "ledger_head":
            assert agrees(mark, recomputed(tree, mark.attributes["data-key"])), mark
    assert [mark for mark in page.quotes if "ledger" not in str(mark.attributes) and not quoted(tree, mark)] == []


def test_asking_for_the_complier_effect_changes_neither_headline_nor_verdict(project: Project) -> None:
    plain = run(project, trial())
    asked = run(project, trial(), estimand={"contrast": "late"}, id="callback-late")
    assert {row["estimand"] for row in asked["effects"] if not row["companion"]} == {"itt"}
    assert asked["effects"] == plain["effects"]
    assert (asked["verdict"], asked["arms"]) == (plain["verdict"], plain["arms"])
    assert any("The plan asks for the effect on those reached" in note for note in asked["notes"])
    assert not any("The plan asks for" in note for note in plain["notes"])
    for result in (plain, asked):
        assert any("Headline, money and verdict are of being assigned" in note for note in result["notes"])


def test_nobody_reached_is_said_and_breaks_nothing(project: Project) -> None:
    result = run(project, trial().assign(reached=0))
    row = row_of(result, metric="churn", method="wald")
    assert (row["status"], row["point"]) == ("not_computed", None)
    page = read((project.root / result["report"]).read_text(encoding="utf-8"))
    words = re.sub(r"\s+", " ", " ".join(page.page_one))
    assert "What the contact did to those it reached cannot be told: being assigned moved too little" in words


def test_to_hold_says_what_waiting_is_worth(project: Project) -> None:
    result = run(project, trial(900, effect=-0.06), value={"population": 50_000})
    assert result["verdict"] == "hold"
    page = read((project.root / result["report"]).read_text(encoding="utf-8"))
    words = re.sub(r"\s+", " ", " ".join(page.page_one))
    assert "Waiting four more weeks, with enrolment at its pace, is worth about EUR" in words
    assert "in a better choice: if it costs less, wait." in words
    assert "would be worth at most EUR" in words
    assert "; four more weeks of enrolment would bring this to" in words
