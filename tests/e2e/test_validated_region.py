"""A design outside the validated region, from an export to the result: warned of, and not withheld."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project, new_project

SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
NONE, CALL = {"share": "9/10"}, {"share": "1/10"}
DESIGN = {**PLAN["design"], "treatment": {**PLAN["design"]["treatment"], "arms": {"none": NONE, "call": CALL}}}


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def export(n: int = 4_000) -> pd.DataFrame:
    """Return customers of whom one in fifty spends, and very unequally."""
    rng = np.random.default_rng(9)
    spend = np.where(rng.random(n) < 0.02, rng.lognormal(3.0, 1.5, n).round(2), 0.0)
    arm = np.where(np.arange(n) % 10 == 0, "call", "none")
    return pd.DataFrame({"customer_id": [f"C{at}" for at in range(n)], "arm": arm, "spend": spend})


def test_a_skewed_outcome_in_unequal_arms_is_warned_of(project: Project) -> None:
    frame = export()
    project.data(frame)
    done = project.cx("run", project.plan(metrics={"success": [SPEND]}, design=DESIGN), "--json")
    assert done.code == 0, done.err
    result: Any = done.json
    tiny = next(check for check in result["checks"] if check["name"] == "tiny_arm")
    assert (tiny["verdict"], tiny["on_breach"], tiny["threshold"]) == ("warn", "fail", 0.24)
    assert tiny["value"] == pytest.approx(_skewness(frame.spend.to_numpy()) * 3_200 / (4_000 * 400 * 3_600) ** 0.5)
    assert "with arms so unequal (400 in 'call' and 3,600 in 'none')" in tiny["text"]
    assert result["verdict"] != "no_decision"
    assert next(row for row in result["effects"] if row["headline"])["status"] == "ok"


def _skewness(spend: Any) -> float:
    """Return the skewness of a mixture of zeros and lognormal amounts with the rows' moments."""
    share, amounts = np.mean(spend > 0), spend[spend > 0]
    ratio = 1 + amounts.var() / amounts.mean() ** 2
    raw = [share * amounts.mean() ** k * ratio ** (k * (k - 1) / 2) for k in (1, 2, 3)]
    variance = raw[1] - raw[0] ** 2
    return float((raw[2] - 3 * raw[0] * variance - raw[0] ** 3) / variance**1.5)
