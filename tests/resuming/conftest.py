"""A project whose run can be stopped and go on."""

from pathlib import Path

import pytest

from tests.e2e.project import Project, customers, new_project


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
    made = new_project(tmp_path / "project", mlflow_template)
    made.data(customers())
    made.plan(retrospective=True)
    return made
