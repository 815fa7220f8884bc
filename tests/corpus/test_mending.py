"""From the message alone nine in ten bad inputs are mended at the first try."""

import shutil
from pathlib import Path

import pytest

from cxcausal.core.spec.load import load_experiment
from tests.corpus.data_cases import CASES
from tests.corpus.data_fixer import mend_data
from tests.corpus.fixer import mend_plan
from tests.corpus.mending import lay_out, problems_of, told

CORPUS = Path(__file__).parent
PLANS = sorted(path for path in (CORPUS / "plans").glob("*.yaml") if path.name != "expected.yaml")
LEAST = 0.9


def _plan_is_mended(path: Path, folder: Path) -> bool:
    mended = Path(shutil.copy(path, folder / path.name))

    def loading() -> None:
        load_experiment(mended, root=CORPUS / "project")

    mend_plan(mended, told(loading))
    return not told(loading)


def test_nine_plans_in_ten_are_mended_by_their_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = [path.name for path in PLANS if not _plan_is_mended(path, tmp_path)]
    capsys.readouterr()
    assert len(left) <= (1 - LEAST) * len(PLANS), left


def test_nine_cases_of_data_in_ten_are_mended_by_their_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = []
    for at, case in enumerate(CASES):
        root = tmp_path / str(at)
        root.mkdir()
        plan = lay_out(case, root)
        problems = problems_of(plan)
        assert problems, case.name
        of_the_plan = [problem for problem in problems if problem["code"].startswith("P")]
        if of_the_plan:
            mend_plan(plan, of_the_plan)
        else:
            mend_data(root, plan, problems)
        left += [case.name] if problems_of(plan) else []
    capsys.readouterr()
    assert len(left) <= (1 - LEAST) * len(CASES), left
