"""A few kills of the two hundred that `make chaos` does."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.trials import check_synced, reference, trial, trial_project
from tests.cli.terminal import Warm


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    made = Warm()
    yield made
    made.close()


def test_runs_that_are_killed_anywhere_go_on_to_the_same_numbers(
    tmp_path: Path, mlflow_template: Path, warm: Warm
) -> None:
    project = trial_project(tmp_path / "project", mlflow_template)
    expected = reference(warm, project)
    assert len(expected.acts) > 30
    dice = random.Random(5)  # noqa: S311 - a seeded die, no secret
    outcomes = [trial(warm, project, expected, dice, by_acts=1.0) for _ in range(5)]
    assert sum(outcome.resumed for outcome in outcomes) >= 1
    check_synced(project.root)
