"""Strata, weights and ratios from the plan to the page, with the same numbers from rows beside them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project, new_project
from tests.validation.ratios import linearised, post_stratified

TOLERANCE = 1e-9
SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase", "money": {"per_unit": 1}}
AOV = {"name": "aov", "type": "ratio", "numerator": "spend", "denominator": "orders", "desired_direction": "increase"}
EARLIER = {"covariate": "before"}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def buyers(n: int = 900) -> pd.DataFrame:
    """Return customers in three tiers of which two buy much more, with half of every tier called."""
    rng = np.random.default_rng(8)
    tier = np.repeat([3, 1, 2], [n // 2, n // 3, n - n // 2 - n // 3])
    called, before = np.arange(n) % 2, rng.gamma(2.0, 10.0, n).round(2)
    orders = rng.poisson(1 + before / 10) + 1
    spend = (60 * tier + orders * (4 + before / 10) + 5 * called + rng.normal(0, 5, n)).round(2)
    return pd.DataFrame(
        {
            "customer_id": [f"CUST{i}" for i in range(n)],
            "arm": np.where(called, "call", "none"),
            "tier": tier,
            "orders": orders,
            "spend": spend,
            "before": before,
            "w": rng.uniform(0.5, 3.0, n).round(3),
        }
    )


def run(project: Project, **changes: Any) -> Any:
    project.data(buyers())
    done = project.cx("run", project.plan(**changes), "--json")
    assert done.code == 0, done.err
    return done.json


def blocked() -> dict[str, Any]:
    return {**PLAN["design"], "strata": ["tier"]}


def headline(result: Any, **wanted: str) -> dict[str, Any]:
    keys = {"population": "all", "scale": "absolute", "adjustment": "covariates", **wanted}
    (found,) = [row for row in result["effects"] if all(row[key] == value for key, value in keys.items())]
    return dict(found)


def test_strata_alone_make_the_headline_post_stratified(project: Project) -> None:
    result, frame = run(project, design=blocked(), metrics={"success": [SPEND]}), buyers()
    effect, variance = post_stratified(
        frame.spend.to_numpy(), (frame.arm == "call").to_numpy().astype(float), frame.tier.to_numpy()
    )
    row, plain = headline(result), headline(result, adjustment="none")
    assert (row["point"], row["se"]) == pytest.approx((effect, variance**0.5), rel=TOLERANCE)
    assert (row["headline"], plain["headline"]) == (True, False)
    assert row["high"] - row["low"] < 0.5 * (plain["high"] - plain["low"])
    assert not any("ntervals do not use" in note or "not adjusted" in note for note in result["notes"])
    assert "Money is told from unadjusted means, also where effects are adjusted for strata." in result["notes"]
    page = (project.root / result["report"]).read_text(encoding="utf-8")
    assert 'data-plan="plan.design.strata.0">tier</bdi>' in page
    assert "% narrower" in page.replace("\N{NO-BREAK SPACE}", " ").replace(" %", "%").replace("</data>", "")


def test_strata_that_cannot_be_used_are_told_with_their_reason(project: Project) -> None:
    data = {**PLAN["data"], "cluster": ["home"], "weight": "before"}
    project.data(buyers().assign(home=[f"H{place // 4}" for place in range(len(buyers()))]))
    plan = project.plan(design=blocked(), data=data, metrics={"success": [SPEND]})
    result = project.cx("run", plan, "--json").json
    (note,) = [note for note in result["notes"] if "Strata" in note]
    assert note.startswith("Strata are declared; intervals do not use them and are, if anything, too wide: where cust")
    assert headline(result, adjustment="none")["headline"]


def test_a_note_names_what_is_not_adjusted_for_strata_and_covariates(project: Project) -> None:
    frame = buyers()
    project.data(frame.assign(left=(frame.index % 90 == 0).astype(int)))
    left = {"name": "left", "type": "proportion", "column": "left", "desired_direction": "decrease"}
    plan = project.plan(design=blocked(), covariates=["before"], metrics={"success": [SPEND], "secondary": [left]})
    notes = project.cx("run", plan, "--json").json["notes"]
    why = "for the reasons in the table of effects: left."
    assert f"Some estimates are not adjusted for strata and covariates, {why}" in notes


def test_a_weighted_ratio_with_its_own_earlier_column_is_adjusted_in_every_segment(project: Project) -> None:
    metrics = {"success": [{**AOV, **EARLIER}], "secondary": [SPEND]}
    result = run(project, data={**PLAN["data"], "weight": "w"}, metrics=metrics, segments=["tier"])
    frame = buyers()
    for population, own in {"all": frame.tier > 0, "tier=2": frame.tier == 2}.items():
        mine = frame[own]
        y = mine[["spend", "orders"]].to_numpy() * mine[["w"]].to_numpy()
        one, two = linearised(y, (mine.arm == "call").to_numpy().astype(float), mine[["before"]].to_numpy())
        apart = one.slopes - two.slopes
        variance = one.variance + two.variance + apart[0] ** 2 * mine.before.var() / len(mine)
        row = headline(result, metric="aov", population=population)
        assert (row["point"], row["se"]) == pytest.approx((one.value - two.value, variance**0.5), rel=TOLERANCE)
    assert {row["adjustment"] for row in result["effects"] if row["metric"] == "spend"} == {"none"}


def test_strata_with_one_customer_in_an_arm_are_told_and_not_named_and_the_rest_still_count(
    project: Project,
) -> None:
    frame = buyers()
    frame.loc[[0, 2], "tier"] = 9
    project.data(frame)
    done = project.cx("run", project.plan(design=blocked(), metrics={"success": [SPEND]}), "--json")
    row = headline(done.json)
    assert (row["status"], row["reason"]) == (
        "ok",
        "not adjusted for 1 value of tier: nothing of its own to tell in some arm",
    )
