"""A part of the thousand tampers and the hundred honest records; all of them by `python -m tests.tampering`."""

from pathlib import Path

import pytest

from cxcausal.tracking.anchors import anchor_of
from cxcausal.tracking.audit import audit
from cxcausal.tracking.ledger import read
from tests.tampering.catalog import CATALOG
from tests.tampering.honest import built, made
from tests.tampering.projects import filled
from tests.tampering.trials import tried

RUNS = 50
TAMPERS = 60


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    root = made(tmp_path_factory.mktemp("tampering") / "project", mlflow_template)
    filled(root, RUNS)
    return root


def test_every_tamper_is_found_and_located(fifty: Path) -> None:
    tally = tried(fifty, TAMPERS, seed=20)
    assert tally.missed == []
    assert (tally.made.total(), set(tally.made)) == (TAMPERS, set(CATALOG))


def test_what_was_put_back_is_sound_again(fifty: Path) -> None:
    tried(fifty, 3, seed=21)
    found = audit(fifty, anchor=anchor_of(read(fifty)))
    assert (found.runs, found.in_mlflow, found.absent, found.problems, found.notes) == (RUNS, RUNS, (), (), ())


@pytest.mark.parametrize("number", range(0, 12, 2))
def test_honest_records_raise_no_alarm(tmp_path: Path, mlflow_template: Path, number: int) -> None:
    root, names = built(tmp_path, mlflow_template, number)
    assert ([str(found) for found in audit(root).problems], bool(names)) == ([], True)
