"""An arm that harms beyond a guardrail's limit is in no rule, from the result to what fresh customers are given."""

import json
from typing import Any

import numpy as np
import pandas as pd

from tests.e2e.project import Project

N = 3_600
ARMS: dict[str, dict[str, Any]] = {
    "none": {"share": "1/3", "label": "Nobody calls"},
    "bot": {"share": "1/3", "label": "Bot message", "unit_cost": 1},
    "agent": {"share": "1/3", "label": "Agent calls", "unit_cost": 1},
}
TREATMENT = {"column": "arm", "control": "none", "arms": ARMS}
SPEND = {
    "name": "spend",
    "type": "mean",
    "column": "spend",
    "desired_direction": "increase",
    "money": {"per_unit": 1},
}
COMPLAINT = {
    "name": "complaint",
    "type": "proportion",
    "column": "complained",
    "desired_direction": "decrease",
    "margin": {"absolute": 0.02},
}


def customers() -> pd.DataFrame:
    """Return customers: the bot gains most with the old tier, the agent only with the new one; the bot annoys many."""
    dice = np.random.default_rng(7)
    arm = dice.choice(list(ARMS), N)
    tier = dice.choice(["old", "new"], N)
    gain = {("bot", "old"): 9.0, ("bot", "new"): 3.0, ("agent", "old"): -3.0, ("agent", "new"): 7.0}
    gains = [gain.get(one, 0.0) for one in zip(arm, tier, strict=True)]
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(N)],
            "arm": arm,
            "tier": tier,
            "spend": np.round(20 + np.array(gains) + dice.normal(0, 6, N), 2),
            "complained": (dice.random(N) < 0.03 + 0.1 * (arm == "bot")).astype(int),
            "today": np.where(tier == "old", "bot", "none"),
        }
    )


def analysed(project: Project, *arms: str) -> Any:
    """Return the result of a run on the customers of some arms."""
    frame = customers()
    project.data(frame[frame["arm"].isin(arms)])
    shares = {arm: {**ARMS[arm], "share": f"1/{len(arms)}"} for arm in arms}
    plan = project.plan(
        design={"type": "randomized", "treatment": {**TREATMENT, "arms": shares}},
        metrics={"success": [SPEND], "guardrails": [COMPLAINT]},
        segments=["tier"],
        effect_modifiers=["tier"],
        policy={"current_rule": "today"},
        estimation={"nuisance": {"outcome": "linear"}},
    )
    done = project.cx("run", plan, "--json")
    assert done.code == 0, done.err
    return done.json


def given(policy: Any, arm: str) -> list[str]:
    return [one["name"] for one in policy["policies"] if one["share"].get(arm, 0) > 0]


def test_an_arm_that_must_stop_is_in_no_rule_from_the_result_to_fresh_customers(project: Project) -> None:
    told = analysed(project, *ARMS)
    policy = told["policy"]
    gains = {one["name"]: one["gain"]["point"] for one in policy["policies"]}
    assert max(gains["everybody:bot"], gains["current_rule"]) > gains["value"]  # else nobody would miss it
    assert (told["arms"]["bot"]["verdict"], policy["left_out"]) == ("stop", ["bot"])
    assert given(policy, "bot") == ["everybody:bot", "current_rule"]
    assert (policy["recommended"], policy["targeting"]) == ("value", True)
    assert not any("bot" in cell["gains"] for cell in policy["moments"]["cells"])
    assert {group["arm"] for group in policy["groups"]} == {"agent"}

    model = project.root / f".cxcausal/runs/callback/{told['run_id']}/model"
    card = (model / "card.md").read_text(encoding="utf-8")
    assert json.loads((model / "model.json").read_bytes())["facts"]["arms"] == ["none", "agent"]
    assert "Arms: none, agent" in card
    assert "No rule was learned that gives “Bot message”: it must be stopped for harm." in card
    assert "everybody:bot" not in card

    fresh = pd.DataFrame({"customer_id": [f"f{i}" for i in range(300)], "tier": ["old", "new", "new"] * 100})
    fresh.to_csv(project.root / "fresh.csv", index=False)
    scored = project.cx("score", "callback", "--on", "fresh.csv", "--out", "treat.csv", "--json", "--despite-verdict")
    assert scored.code == 0, scored.err
    arms = pd.read_csv(project.root / "treat.csv")["arm"]
    assert (arms == np.where(fresh["tier"] == "new", "agent", "none")).all()

    replayed = project.cx("replay", told["run_id"], "--json")
    assert replayed.code == 0, replayed.err


def test_where_nothing_else_is_left_whom_to_contact_is_withheld(project: Project) -> None:
    told = analysed(project, "none", "bot")
    policy = told["policy"]
    assert (policy["status"], policy["recommended"], policy["policies"]) == ("not_computed", None, [])
    assert "the only arm that contacts must be stopped for harm" in policy["reason"]
    assert told["heterogeneity"], "who responds is told all the same"
    assert not (project.root / f".cxcausal/runs/callback/{told['run_id']}/model").exists()
