"""A statement is compiled once in a process, and read from each session's own rows."""

from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.queries import CountQuery
from cxcausal.data import open_dataset
from cxcausal.data.engines import embedded
from tests.data.plans import plan

ASKED = CountQuery(of="unit", population="enrolled")


def _counted(root: Path, rows: int) -> int:
    root.mkdir()
    lines = "".join(f"c{at},{('none', 'gig')[at % 2]},{at % 2}\n" for at in range(rows))
    (root / "x.csv").write_text(f"id,arm,churned\n{lines}", encoding="utf-8")
    design = {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}}
    churn = {"name": "m", "type": "proportion", "column": "churned", "desired_direction": "increase"}
    spec = plan(
        {"source": "x.csv", "unit": "id"}, design=design, metrics={"success": [churn]}, segments=[], covariates=[]
    )
    with open_dataset(spec, root) as dataset:
        answers: Any = dataset.answer([ASKED])
        return int(sum(answers[ASKED].values()))


def test_sessions_share_statements_and_no_rows(tmp_path: Path) -> None:
    assert _counted(tmp_path / "first", 40) == 40
    known = len(embedded._COMPILED)
    assert known
    assert _counted(tmp_path / "second", 60) == 60
    assert len(embedded._COMPILED) == known


def test_they_are_forgotten_before_they_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded._COMPILED["of another session"] = "SELECT 1"
    monkeypatch.setattr(embedded, "_MOST_COMPILED", 0)
    assert _counted(tmp_path / "third", 20) == 20
    assert "of another session" not in embedded._COMPILED
