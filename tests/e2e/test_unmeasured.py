"""Sensitivity and refutation, from an observational plan to the result: what they say, and that nothing moves them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Project

SPEND = {"name": "spend", "label": "Spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
ARMS = {"none": {}, "call": {"label": "A call"}}


def plan(project: Project, *, name: str = "callback", **changes: Any) -> str:
    design = {
        "type": "observational",
        "treatment": {"column": "arm", "control": "none", "arms": ARMS},
        "confounders": ["mood", "tenure"],
    }
    return project.plan(
        name=name,
        design=design,
        metrics={"success": [SPEND]},
        estimation={"nuisance": {"outcome": "linear", "propensity": "logistic"}, "folds": 3, "repeats": 2},
        **changes,
    )


def customers(effect: float, n: int = 1_200) -> pd.DataFrame:
    """Return customers whose mood moves both who is called and what they spend."""
    rng = np.random.default_rng(9)
    mood, tenure = rng.normal(size=n).round(3), rng.gamma(2.0, 12.0, n).round(1)
    called = rng.random(n) < 1 / (1 + np.exp(-0.7 * mood))
    spend = (40 + 6 * mood + 0.1 * tenure + effect * called + rng.normal(0, 10, n)).round(2)
    ids = [f"CUST{i}" for i in range(n)]
    arm = np.where(called, "call", "none")
    return pd.DataFrame({"customer_id": ids, "arm": arm, "mood": mood, "tenure": tenure, "spend": spend})


def checks(project: Project, frame: pd.DataFrame, **changes: Any) -> dict[str, Any]:
    project.data(frame)
    done = project.cx("run", plan(project, **changes), "--json", "--quiet")
    assert done.code in (0, 5), done.err
    return {each["name"]: each for each in done.json["checks"]}


def test_a_strong_effect_needs_a_strong_difference(project: Project) -> None:
    found = checks(project, customers(12.0))
    assert found["sensitivity"]["verdict"] == "info"
    assert 0.2 < found["sensitivity"]["value"] < 0.6
    assert found["sensitivity"]["text"] == (
        "An unmeasured difference twice as strong as 'mood' would be enough to explain the effect of 'A call' on"
        " 'Spend'."
    )
    assert found["refutation"]["verdict"] == "pass"
    assert found["refutation"]["value"] < 4


@pytest.mark.parametrize(
    ("effect", "verdict", "words"),
    [
        (2.0, "warn", "a third as strong as 'mood' would be enough"),
        (0.0, "info", "No effect is reliably different from zero anyway"),
    ],
)
def test_a_weak_effect_is_warned_of_and_none_is_not(project: Project, effect: float, verdict: str, words: str) -> None:
    found = checks(project, customers(effect))["sensitivity"]
    assert (found["verdict"], words in found["text"]) == (verdict, True), found["text"]


def test_a_breach_can_withhold_the_verdict_where_a_plan_asks_for_it(project: Project) -> None:
    project.data(customers(2.0))
    path = plan(project, checks={"sensitivity": {"on_breach": "fail", "min_multiple": 2}})
    done = project.cx("run", path, "--json", "--quiet")
    assert done.code == 5
    assert done.json["arms"]["call"]["verdict"] == "no_decision"


def test_the_order_of_rows_moves_no_number(project: Project) -> None:
    frame = customers(12.0)
    before = checks(project, frame)
    shuffled = checks(project, frame.sample(frac=1.0, random_state=3), name="shuffled")
    for name in ("sensitivity", "refutation"):
        assert shuffled[name] == before[name]
