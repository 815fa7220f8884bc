"""A way to load plans from text, in a project of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.resolve import Resolved

MINIMAL = """schema_version: 1
id: calls
question: Does a call keep customers?
owner: team@example.com
data: {source: data/calls.parquet}
design:
  type: randomized
  treatment: {column: arm, control: none, arms: {none: {}, call: {}}}
metrics:
  success:
    - {name: churn, type: proportion, column: churned, desired_direction: decrease}
"""
PROJECT = "schema_version: 1\norganisation: Test Mobile\n"

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a plan from text, with configuration files by their path."""

    def _load(plan: str = MINIMAL, files: dict[str, str] | None = None) -> Resolved:
        write(tmp_path, {"configs/project.yaml": PROJECT, "plan.yaml": plan, **(files or {})})
        return load_experiment(tmp_path / "plan.yaml")

    return _load


@pytest.fixture
def told(load: Load) -> Told:
    """Return (code, what — mend) of every problem of a plan; nothing for a valid one."""

    def _told(plan: str, files: dict[str, str] | None = None) -> list[tuple[str, str]]:
        try:
            load(plan, files)
        except PlanError as error:
            return [(problem.code, f"{problem.what} — {problem.mend}") for problem in error.problems]
        return []

    return _told
