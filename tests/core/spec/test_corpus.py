"""The corpus of bad plans: each is told its code at its place with its mend, and the mended plan is valid."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec.load import load_experiment

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
PLANS = CORPUS / "plans"
CASES: list[dict[str, Any]] = yaml.safe_load((PLANS / "expected.yaml").read_bytes())
MENDABLE = [case for case in CASES if "mended" in case]


def _problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(PlanError) as caught:
        load_experiment(path, root=CORPUS / "project")
    return caught.value.problems


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_is_told_at_its_place(case: dict[str, Any]) -> None:
    problems = _problems(PLANS / case["file"])
    told = [(item.code, ":".join(item.where.rsplit(":", 2)[1:]), item.mend) for item in problems]
    found = [mend for code, where, mend in told if (code, where) == (case["code"], case["at"])]
    assert found, told
    assert case["mend"] in found[0]
    assert all(item.where.split(":")[0].endswith(case["file"]) for item in problems)


@pytest.mark.parametrize("case", MENDABLE, ids=[case["file"] for case in MENDABLE])
def test_is_valid_once_mended(case: dict[str, Any], tmp_path: Path) -> None:
    text = (PLANS / case["file"]).read_text(encoding="utf-8")
    assert case["mended"]["replace"] in text
    mended = tmp_path / case["file"]
    mended.write_text(text.replace(case["mended"]["replace"], case["mended"]["with"], 1), encoding="utf-8")
    assert load_experiment(mended, root=CORPUS / "project").spec.schema_version == 1


def test_every_plan_is_expected_and_each_case_is_about_one_thing() -> None:
    assert {case["file"] for case in CASES} == {path.name for path in PLANS.glob("*.yaml")} - {"expected.yaml"}
    assert len(CASES) >= 80
    lonely = [case["file"] for case in CASES if len(_problems(PLANS / case["file"])) == 1]
    assert len(lonely) >= 0.8 * len(CASES), sorted({case["file"] for case in CASES} - set(lonely))
