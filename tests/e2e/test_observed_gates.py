"""What gates say of broken observational data, through the command line: exit code 5 and a sentence for executives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Finished, Project

N = 1_500
HUMAN, BOT = "Routed to a person", "Stay with the bot"
CHURN = {"name": "churn", "label": "Churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
DATA = {"source": "data/handoff.csv", "unit": "customer_id", "time_zero": "failed_at"}
LINEAR = {"nuisance": {"outcome": "linear", "propensity": "logistic"}, "repeats": 1}


def handoffs(
    *, pull: float = 0.6, hidden: float = 0.0, late: float = 0.0, copied: bool = False, seed: int = 3
) -> pd.DataFrame:
    """Return conversations of which the troubled ones are handed over more often, clean or broken in one way."""
    rng = np.random.default_rng(seed)
    trouble, unseen = rng.normal(size=(2, N))
    human = rng.random(N) < 1 / (1 + np.exp(-pull * trouble - hidden * unseen))
    churned = rng.random(N) < 1 / (1 + np.exp(1 - 0.6 * trouble - hidden * unseen + 0.3 * human))
    entered = 90 * rng.random(N) + late * human * rng.random(N)
    return pd.DataFrame(
        {
            "customer_id": [f"C{at:06d}" for at in range(N)],
            "route": np.where(human, "human", "bot"),
            "trouble": np.where(copied, churned + 0.01 * rng.normal(size=N), trouble).round(4),
            "region": rng.choice(["north", "south", "west"], N),
            "contacts": (2 + 0.5 * trouble + hidden * unseen + rng.normal(size=N)).round(3),
            "ivr": rng.normal(size=N).round(4),
            "failed_at": (pd.Timestamp("2026-01-01") + pd.to_timedelta(entered, "D")).floor("s"),
            "churned": churned.astype(int),
        }
    )


def design(**more: Any) -> dict[str, Any]:
    """Return the design of a hand-off."""
    return {
        "type": "observational",
        "treatment": {
            "column": "route",
            "control": "bot",
            "arms": {"bot": {"label": BOT}, "human": {"label": HUMAN}},
        },
        "confounders": ["trouble", "region"],
        **more,
    }


def run(project: Project, frame: pd.DataFrame, **changes: Any) -> tuple[Finished, dict[str, Any]]:
    """Run the plan on data, and return how it ended with the checks by name."""
    project.data(frame, "data/handoff.csv")
    keys = {"data": DATA, "design": design(), "estimation": LINEAR, "metrics": {"success": [CHURN]}, **changes}
    done = project.cx("run", project.plan(**keys), "--json")
    return done, {check["name"]: check for check in done.json["checks"]}


def test_clean_data_pass_every_gate(project: Project) -> None:
    controls = {"outcomes": ["contacts"], "exposures": ["ivr"]}
    done, checks = run(project, handoffs(), design=design(negative_controls=controls))
    assert done.code == 0, done.err
    names = ("time_zero", "overlap", "balance", "negative_controls", "leakage", "specification")
    assert {name: checks[name]["verdict"] for name in names} == dict.fromkeys(names, "pass")
    assert "'contacts' and 'ivr'" in checks["negative_controls"]["text"]
    assert checks["placebo_period"]["verdict"] == "info"


def test_no_overlap(project: Project) -> None:
    done, checks = run(project, handoffs(pull=6), estimand={"contrast": "att"})
    assert done.code == 5
    assert done.json["verdict"] == "no_decision"
    text = checks["overlap"]["text"]
    assert text.startswith("The groups are too far apart: of ")
    assert f"in '{BOT}', the comparison rests on the equivalent of " in text
    assert f"had almost no chance of '{HUMAN}'" in text


def test_a_hidden_confounder_that_a_negative_control_sees(project: Project) -> None:
    declared = design(negative_controls={"outcomes": ["contacts"]})
    done, checks = run(project, handoffs(hidden=0.8), design=declared)
    assert done.code == 5
    assert checks["negative_controls"]["text"].startswith(
        f"Something that '{HUMAN}' cannot have changed, 'contacts', differs after adjustment by "
    )
    assert "the groups differ in something that was not measured" in checks["negative_controls"]["text"]
    unseen, others = run(project, handoffs(hidden=0.8))
    assert unseen.code == 0
    assert others["negative_controls"]["verdict"] == "info"


def test_a_confounder_measured_after_the_outcome(project: Project) -> None:
    done, checks = run(project, handoffs(copied=True))
    assert done.code == 5
    assert checks["leakage"]["text"].startswith("'trouble' all but gives 'Churn' away")


def test_a_confounder_that_is_the_treatment(project: Project) -> None:
    frame = handoffs()
    minutes = np.where(frame["route"] == "human", 5 + frame["ivr"].abs(), 0.0)
    declared = design(confounders=["trouble", "region", "minutes"])
    done, checks = run(project, frame.assign(minutes=minutes), design=declared)
    assert done.code == 5
    assert "'minutes' alone all but tells who was treated" in checks["leakage"]["text"]


def test_copies_of_the_treatment_and_of_the_outcome_make_no_segments(project: Project) -> None:
    frame = handoffs()
    answered = np.where(frame["route"] == "human", "by a person", "by the bot")
    left = np.where(frame["churned"] == 1, "closed", "open")
    done, _ = run(project, frame.assign(answered=answered, left=left), segments=["region", "answered", "left"])
    assert done.code == 0, done.err
    rows = [row for row in done.json["effects"] if "=" in row["population"] and row["scale"] == "absolute"]
    told = {row["population"].partition("=")[0] for row in rows if row["status"] == "ok"}
    assert told == {"region"}
    reasons = {row["population"].partition("=")[0]: row["reason"] for row in rows if row["status"] != "ok"}
    assert reasons["answered"].startswith("'answered' alone all but tells who was treated")
    assert reasons["left"].startswith("'left' all but gives the outcome away")
    assert all(row["n_treated"] is None for row in rows if row["status"] != "ok")


def test_how_many_miss_a_confounder_is_kept_unless_they_are_too_few_to_tell(project: Project) -> None:
    frame = handoffs()
    trouble, region = frame["trouble"].where(frame.index % 10 > 0), frame["region"].where(frame.index > 0)
    done, _ = run(project, frame.assign(trouble=trouble, region=region))
    assert done.json["scores"]["incomplete"] == pytest.approx(0.1)
    few, _ = run(project, frame.assign(region=frame["region"].where(frame.index > 8)))
    assert few.json["scores"]["incomplete"] is None


def test_a_late_time_zero(project: Project) -> None:
    done, checks = run(project, handoffs(late=14))
    assert done.code == 5
    text = checks["time_zero"]["text"]
    assert f"time zero ('failed_at') of '{HUMAN}' lies " in text
    assert f"days later than that of '{BOT}'" in text
    assert "the moment at which both choices were open" in text


def test_customers_of_one_arm_without_a_time_zero_are_refused(project: Project) -> None:
    frame = handoffs()
    project.data(frame.assign(failed_at=frame["failed_at"].where(frame["route"] == "human")), "data/handoff.csv")
    keys: dict[str, Any] = {"data": DATA, "design": design(), "metrics": {"success": [CHURN]}}
    done = project.cx("run", project.plan(**keys))
    assert done.code == 4
    assert "failed_at" in done.err


def test_a_choice_that_grew_more_common_is_no_late_time_zero_once_the_week_is_declared(project: Project) -> None:
    rng = np.random.default_rng(5)
    frame = handoffs()
    week = rng.integers(0, 13, N)
    human = rng.random(N) < 0.2 + 0.05 * week
    entered = (pd.Timestamp("2026-01-01") + pd.to_timedelta(7 * week + 7 * rng.random(N), "D")).floor("s")
    frame = frame.assign(week=week, route=np.where(human, "human", "bot"), failed_at=entered)
    declared, checks = run(project, frame, design=design(confounders=["trouble", "region", "week"]))
    assert declared.code == 0, declared.err
    assert checks["time_zero"]["verdict"] == "pass"
    blind, others = run(project, frame)
    assert blind.code == 5
    assert "declare the week as a confounder" in others["time_zero"]["text"]


def test_a_difference_before_time_zero(project: Project) -> None:
    before = {**CHURN, "type": "mean", "covariate": "contacts"}
    done, checks = run(project, handoffs(hidden=0.8), metrics={"success": [before]})
    assert done.code == 5
    assert checks["placebo_period"]["text"].startswith("'contacts', from before time zero, differs after adjustment by")
    known = design(confounders=["trouble", "region", "contacts"])
    _, others = run(project, handoffs(), design=known, metrics={"success": [before]})
    assert others["placebo_period"]["verdict"] == "info"
    assert "is adjusted for" in others["placebo_period"]["text"]


@pytest.mark.parametrize("control", ["outcomes", "exposures"])
def test_a_control_that_does_not_vary_cannot_be_tested(project: Project, control: str) -> None:
    declared = design(negative_controls={control: ["flat"]})
    done, checks = run(project, handoffs().assign(flat=1), design=declared)
    assert done.code == 0, done.err
    assert checks["negative_controls"]["verdict"] == "could_not_run"
    assert "'flat': it does not vary among those present" in checks["negative_controls"]["text"]


def test_an_arm_of_a_handful_ends_in_reasons(project: Project) -> None:
    frame = handoffs()
    few = frame["customer_id"].isin(frame.loc[frame["route"] == "human", "customer_id"].head(12))
    done, checks = run(project, frame[few | (frame["route"] == "bot")])
    assert done.code == 5  # the arm is too small
    for name in ("overlap", "balance", "time_zero", "specification"):
        assert checks[name]["verdict"] == "could_not_run"
        assert "too few customers to learn from" in checks[name]["text"]


@pytest.mark.parametrize(("start", "code"), [("0d", 0), ("30d", 3)])
def test_a_window_that_starts_late_is_refused(project: Project, start: str, code: int) -> None:
    metric = {**CHURN, "window": {"start": start, "end": "90d"}}
    keys: dict[str, Any] = {"data": DATA, "design": design(), "metrics": {"success": [metric]}}
    done = project.cx("validate", project.plan(**keys))
    assert done.code == code
    assert ("clone-censor-weight" in done.err + done.out) == bool(code)
