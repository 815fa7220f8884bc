"""Published answers of regression adjustment, from the command line on plans of real data."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import ROOT, Project, new_project
from tests.regression_twins import Fit, interacted, same_slopes

COVARIATES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
LAST_DIGIT = 5e-9
TWIN = 1e-9
"""Relative: the same numbers from whole matrices on the rows."""


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def mixtape() -> pd.DataFrame:
    pytest.importorskip("causaldata", reason="needs the extra 'examples'")
    from causaldata import nsw_mixtape  # noqa: PLC0415 - an optional dependency

    frame: pd.DataFrame = nsw_mixtape.load_pandas().data
    return frame


def answered(project: Project, *, method: str) -> list[dict[str, Any]]:
    """Run the shipped plan with another method and return its own absolute rows over everybody."""
    (project.root / "experiments").mkdir()
    text = (ROOT / "experiments" / "nsw_mixtape.yaml").read_text(encoding="utf-8")
    project.write("experiments/nsw_mixtape.yaml", f"{text}\nestimation: {{method: {method}}}\n")
    done = project.cx("run", "experiments/nsw_mixtape.yaml", "--json")
    assert done.code == 0, done.err
    rows = (row for row in done.json["effects"] if not row["companion"])
    return [row for row in rows if (row["population"], row["scale"]) == ("all", "absolute")]


def twins() -> tuple[Fit, Fit, np.ndarray[Any, Any]]:
    frame = mixtape()
    z = frame[COVARIATES].to_numpy(dtype=np.float64)
    y, treated = frame.re78.to_numpy(dtype=np.float64), frame.treat.to_numpy(dtype=np.float64)
    return interacted(y, treated, z, [1.0, 0.0]), same_slopes(y, treated, z), np.cov(z, rowvar=False)  # type: ignore[list-item]


def test_lins_regression_on_the_national_supported_work(project: Project) -> None:
    mixtape()
    adjusted, plain = answered(project, method="default")
    assert (adjusted["method"], adjusted["headline"], plain["headline"]) == ("lin", True, False)
    assert adjusted["point"] == pytest.approx(1621.58308190, abs=LAST_DIGIT)
    assert plain["point"] == pytest.approx(1794.34238185, abs=LAST_DIGIT)
    twin, _, spread = twins()
    apart = twin.beta[2:10] - twin.beta[10:18]
    variance = twin.covariance[0, 0] + twin.covariance[1, 1] + apart @ spread @ apart / 445
    assert adjusted["point"] == pytest.approx(twin.beta[0] - twin.beta[1], rel=TWIN)
    assert adjusted["se"] == pytest.approx(variance**0.5, rel=TWIN)


def test_ordinary_least_squares_on_the_national_supported_work(project: Project) -> None:
    mixtape()
    adjusted, _ = answered(project, method="ols")
    assert (adjusted["method"], adjusted["headline"]) == ("ols", True)
    assert adjusted["point"] == pytest.approx(1676.34262540, abs=LAST_DIGIT)
    _, twin, _ = twins()
    assert adjusted["point"] == pytest.approx(twin.beta[1], rel=TWIN)
    assert adjusted["se"] == pytest.approx(twin.covariance[1, 1] ** 0.5, rel=TWIN)


def test_the_printed_answer_of_the_regression(project: Project, shared_data: Path) -> None:
    (project.root.parent / "shared").mkdir()
    (project.root.parent / "shared" / "data").symlink_to(shared_data, target_is_directory=True)
    (project.root / "experiments").mkdir()
    shutil.copy(ROOT / "experiments" / "nsw.yaml", project.root / "experiments" / "nsw.yaml")
    with (project.root / "experiments" / "nsw.yaml").open("a", encoding="utf-8") as plan:
        plan.write("\nestimation: {method: ols}\n")
    rows = project.cx("run", "experiments/nsw.yaml", "--json").json["effects"]
    printed, _ = json.loads((shared_data / "answers.json").read_text(encoding="utf-8"))["lalonde"]["nsw_dw_ols"]
    assert rows[0]["point"] == pytest.approx(printed, abs=0.005)
