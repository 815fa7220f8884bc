"""Projects whose data are full of canaries."""

from pathlib import Path

import pytest

from tests.e2e.project import Project, new_project


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
    return new_project(tmp_path / "project", mlflow_template)
