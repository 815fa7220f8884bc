"""What was measured after the fact, in words and ranks: the command line refuses it, and names the column."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import Project
from tests.e2e.test_observed_gates import design, handoffs, run

SPEND = {"name": "spend", "label": "Spend", "type": "mean", "column": "spend", "desired_direction": "increase"}


def told(frame: pd.DataFrame, kind: str) -> pd.Series:
    """Return a column that nobody could have known beforehand."""
    rng, left = np.random.default_rng(8), frame["churned"] == 1
    words = np.where(left, rng.choice(["price", "moved"], len(frame)), rng.choice(["active", "renewed"], len(frame)))
    score = 3 * left + 0.4 * rng.normal(size=len(frame))
    found = {"word": words, "score": score, "gap": score.where(left), "rank": np.log(frame["spend"])}
    return pd.Series(found[kind], index=frame.index)


@pytest.mark.parametrize(("kind", "metric"), [("word", None), ("score", None), ("gap", None), ("rank", SPEND)])
def test_a_column_that_gives_the_outcome_away_is_refused(project: Project, kind: str, metric: Any) -> None:
    frame = handoffs()
    frame = frame.assign(spend=np.exp(3 + 2 * frame["trouble"] + np.random.default_rng(2).normal(size=len(frame))))
    frame = frame.assign(status=told(frame, kind))
    more = {} if metric is None else {"metrics": {"success": [metric]}}
    done, checks = run(project, frame, design=design(confounders=["trouble", "region", "status"]), **more)
    assert done.code == 5
    assert checks["leakage"]["text"].startswith("'status' all but gives '")
    assert "it was probably measured after the contact" in checks["leakage"]["text"]


def test_what_only_goes_with_the_outcome_gives_nothing_away(project: Project) -> None:
    frame = handoffs()
    known = design(confounders=["trouble", "region", "status"])
    guess = np.where(frame["churned"] == 1, "likely", "unlikely")
    wrong = np.random.default_rng(3).random(len(frame)) < 0.05
    status = np.where(wrong, "unknown", guess)
    done, checks = run(project, frame.assign(status=np.where(frame.index % 5 == 0, "old", status)), design=known)
    assert done.code == 0, done.err
    assert checks["leakage"]["verdict"] == "pass"


def test_a_team_that_only_the_treated_have_is_told_and_no_bug(project: Project) -> None:
    frame = handoffs()
    rng = np.random.default_rng(9)
    human = frame["route"] == "human"
    spend = 80 + 5 * frame["trouble"] + 6 * human + 9 * rng.normal(size=len(frame))
    team = np.where(human, rng.choice(["Team A", "Team B"], len(frame)), "system")
    done, checks = run(
        project,
        frame.assign(spend=spend, team=team),
        design=design(confounders=["trouble", "team"]),
        metrics={"success": [SPEND]},
        estimation={},
    )
    assert done.code == 5, done.err
    assert "'team' alone all but tells who was treated" in checks["leakage"]["text"]
