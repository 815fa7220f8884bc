"""A project with one recorded run whose model is read by stand-ins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cxcausal.core.results import RunResult
from tests.e2e.project import Project, new_project
from tests.fresh.parts import stand_in
from tests.tracking.conftest import result


@pytest.fixture
def make_result() -> Callable[..., RunResult]:
    return result


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
    stand_in(monkeypatch)
    return new_project(tmp_path / "project", mlflow_template)
