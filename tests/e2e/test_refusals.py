"""Whatever is wrong with a plan or a file, the record stays byte for byte as it was."""

import json
import shutil
from typing import Any

import pytest

from tests.corpus.case import ID_OF_NOBODY, Case
from tests.corpus.data_cases import CASES
from tests.data.plans import plan
from tests.data.test_corpus import USUAL
from tests.e2e.project import ROOT, Project, customers

PLANS = sorted((ROOT / "tests/corpus/plans").glob("*.yaml"))


@pytest.fixture
def recorded(project: Project) -> Project:
    """A project with one analysis in its record."""
    path = project.plan()
    project.data(customers())
    assert project.cx("run", path, "--quiet").code == 0
    return project


def _data_plan(case: Case) -> dict[str, Any]:
    spec = plan({"source": "x.csv", "unit": "id", **case.data}, **{**USUAL, **case.plan})
    return json.loads(json.dumps(spec.model_dump(mode="json", exclude_defaults=True, exclude={"currency"})))  # type: ignore[no-any-return]


def test_bad_data_leave_the_record_alone(recorded: Project) -> None:
    """One case of every code and exit: that each case is refused so, `tests/data/test_corpus.py` asks of all."""
    before = recorded.fingerprint()
    for case in {(case.code, case.exit_code): case for case in CASES}.values():
        for name, content in case.files.items():
            path = recorded.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        recorded.write("experiments/case.yaml", json.dumps(_data_plan(case)))
        done = recorded.cx("run", "experiments/case.yaml", "--json")
        assert done.code in {case.exit_code, 3}, case.name
        assert case.code in {error["code"] for error in done.json["errors"]} or done.code == 3, case.name
        assert ID_OF_NOBODY not in done.err + done.out
        for name in case.files:
            top = recorded.root / name.split("/")[0]
            shutil.rmtree(top) if top.is_dir() else top.unlink()
    assert recorded.fingerprint() == before


def test_bad_plans_leave_the_record_alone(recorded: Project) -> None:
    before = recorded.fingerprint()
    for path in PLANS:
        if path.name != "expected.yaml":
            shutil.copy(path, recorded.root / "experiments/case.yaml")
            assert recorded.cx("run", "experiments/case.yaml").code in {3, 4}, path.name
    assert recorded.fingerprint() == before


def test_a_refusal_at_run_names_the_line_of_the_plan(recorded: Project) -> None:
    path = recorded.plan(name="typo", data={"source": "data/calback.csv", "unit": "customer_id"})
    done = recorded.cx("run", path)
    assert done.code == 4
    assert done.err.splitlines()[-1].startswith("experiments/typo.yaml:7:13 D104 data.source: there is no file")
    assert "did you mean data/callback.csv?" in done.err
    given = recorded.cx("run", recorded.plan(), "--on", "data/calback.csv")
    assert given.err.splitlines()[-1].startswith("--on D104 there is no file")
