"""What this version can't run is told when a plan is checked and locked: once its data have come it is too late."""

from typing import Any

import pytest

from tests.e2e.project import PLAN, Project

RISK = {"column": "risk", "cutoff": 0.35, "treated": "above"}
LOOKS = {"analysis": {"peeking": "group_sequential", "looks": ["2026-03-01"]}}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "looks without a clock": (LOOKS, "P901 analysis.peeking: without data.observed_until nobody knows"),
    "an unknown estimator": (
        {"estimation": {"method": "cuped"}},
        "P901 estimation.method: the estimator 'cuped' is not part of this version \u2014 use one of: default",
    ),
    "another design": (
        {"design": {**PLAN["design"], "type": "threshold", "running": RISK}},
        "P901 design.type: the plan is valid, but this version can't run a design of type 'threshold'",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_told_by_validate_and_register_and_refused_by_run(project: Project, name: str) -> None:
    changes, words = CHANGES[name]
    path = project.plan(**changes)
    checked, locked, done = (project.cx(verb, path) for verb in ("validate", "register", "run"))
    assert (checked.code, locked.code, done.code) == (0, 0, 3)
    assert f"note: `run` will refuse it: {path}:" in checked.out
    assert f"warning: `run` will refuse it: {path}:" in locked.err
    assert all(words in text for text in (checked.out, locked.err, done.err)), done.err
    (told,) = project.cx("validate", path, "--json").json["plans"][0]["notes"]
    assert words in told
    assert project.cx("register", path, "--json").json["warnings"] == [told]


def test_nothing_is_told_of_a_plan_that_runs(project: Project) -> None:
    path = project.plan()
    assert "will refuse" not in project.cx("validate", path).out
    assert project.cx("register", path, "--json").json["warnings"] == []
