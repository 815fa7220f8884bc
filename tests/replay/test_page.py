"""The page about resuming and replaying says what the commands do."""

import re
import shlex
from typing import Any

import pytest

from cxcausal.reviewing.replay_classes import ORDER
from cxcausal.tracking.run_store import RunStore
from tests.e2e.project import ROOT, Project, customers
from tests.resuming.stopping import newest

PAGE = (ROOT / "docs/replay.md").read_text(encoding="utf-8")


def test_the_examples_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.data(customers())
    project.plan(retrospective=True)

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(RunStore, "save_results", stopped)
        assert project.cx("run", "experiments/callback.yaml").code == 130
    run = newest(project.root).name
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 3
    for line in lines:
        done = project.cx(*shlex.split(re.sub(r"\b01[0-9A-Z]{24}\b", run, line))[1:])
        assert done.code == 0, done.err
    assert newest(project.root).name == run


def test_the_classes_are_those_of_the_product_in_their_order() -> None:
    assert re.findall(r"^\| ([A-Z_]+) \|", PAGE, re.MULTILINE) == list(ORDER)


def test_other_pages_lead_to_it() -> None:
    for page in ("README.md", "docs/failures.md"):
        assert "replay.md)" in (ROOT / page).read_text(encoding="utf-8")
