"""A busy machine makes quick work slow: what a verb tells of its progress is left to the tests that are about it."""

import pytest

from cxcausal.cli import progress_line


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let work in this process be quick, whatever the clock says."""
    monkeypatch.setattr(progress_line, "CALM_SECONDS", 600.0)
