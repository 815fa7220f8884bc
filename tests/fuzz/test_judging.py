"""What judges the cases can fail: each of its complaints is brought about once."""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from cxcausal.core.errors import DataError, Problem
from tests.fuzz.cookbook import RECIPES
from tests.fuzz.csvs import essence, good_files
from tests.fuzz.judging import CANARY, SLOW, Done, attempt, faults
from tests.fuzz.oracle import contradictions
from tests.fuzz.session import Workshop
from tests.fuzz.summary import summary
from tests.fuzz.world import Dialect, customers, written


def _refused(**changes: str) -> None:
    usual = {"where": "x.csv row 2", "code": "D999", "what": "it is wrong", "mend": "mend it"}
    raise DataError(Problem(**{**usual, **changes}))


def _warn() -> None:
    warnings.warn("divided by zero", RuntimeWarning, stacklevel=1)


def _busy() -> None:
    sum(range(3_000_000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "root"
    inner.mkdir()
    return inner


def _wrong(call: Callable[[], object], folder: Path, limit: float = SLOW) -> str:
    return "; ".join(faults(attempt(call, folder), (0, 4), limit=limit))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: 1 / 0, "traceback: ZeroDivisionError"),
        (lambda: sys.exit(3), "traceback: SystemExit"),
        (_warn, "traceback: warning: divided by zero"),
        (lambda: 7, "exit code 7 is not among (0, 4)"),
        (lambda: _refused(mend=" "), "not a problem's line"),
        (lambda: _refused(where=""), "not a problem's line"),
        (lambda: _refused(what=f"the id {CANARY}-17 is wrong"), "an id was told"),
        (lambda: Path("x").write_text("x"), "wrote root/x"),
        (lambda: Path("../x").write_text("x"), "wrote x"),
        (lambda: 4, "stdout is not one JSON object"),
        (lambda: sys.stdout.write("{}") + 2, "a refusal without a reason"),
    ],
)
def test_what_must_not_be_is_found(call: Callable[[], object], told: str, folder: Path) -> None:
    assert told in _wrong(call, folder)


def test_a_refusal_with_place_and_mend_is_sound(folder: Path) -> None:
    assert faults(attempt(_refused, folder), (4,)) == ()
    assert attempt(_refused, folder).codes == ("D999",)


def test_places_must_lie_in_the_plan(folder: Path) -> None:
    def told(place: str) -> tuple[str, ...]:
        return faults(attempt(lambda: _refused(where=place), folder), (4,), "id: x\nowner: y")

    assert told("experiments/case.yaml:2:8") == ()
    assert told("configs/defaults.yaml:900:1") == ()
    for place in ("experiments/case.yaml:9:1", "experiments/case.yaml:1:40", "experiments/case.yaml", "data.source"):
        assert "no place in the plan" in told(place)[0]


def test_what_takes_long_is_found(folder: Path) -> None:
    assert "of the processor" in _wrong(_busy, folder, limit=0.01)


@pytest.fixture(scope="module")
def told(shop: Workshop) -> Done:
    """The result of the first recipe on its good file."""
    return shop.table.run(RECIPES[0], good_files(RECIPES[0], 0))


def test_the_oracle_finds_lost_rows_arms_and_means(told: Done) -> None:
    result, good = json.loads(told.out), good_files(RECIPES[0], 0)["data/units.csv"]
    assert list(contradictions(RECIPES[0], good, result)) == []
    sheet = customers(0)
    fewer = written(sheet.with_rows(list(sheet.rows[1:])), Dialect())
    assert any("rows are told" in fault for fault in contradictions(RECIPES[0], fewer, result))
    swapped = good.replace(b",none,", b",gig,", 1)
    found = list(contradictions(RECIPES[0], swapped, result))
    assert any("arms are told" in fault for fault in found)
    assert any("is told as" in fault for fault in found)
    assert list(contradictions(RECIPES[0], good + b'"', result)) == ["read, although a strict reader refuses it"]


def test_the_good_file_is_told_from_one_that_differs_in_a_digit(shop: Workshop, told: Done) -> None:
    files = good_files(RECIPES[0], 0)
    rows = files["data/units.csv"].split(b"\n")
    at = next(at for at, row in enumerate(rows) if b",0,yes," in row)
    rows[at] = rows[at].replace(b",0,yes,", b",1,yes,")
    other = shop.table.run(RECIPES[0], {"data/units.csv": b"\n".join(rows)})
    assert essence(json.loads(other.out)) != essence(json.loads(told.out))


def test_the_summary_names_every_failure(shop: Workshop) -> None:
    case = shop.runs["csvs"](1, 3)
    lines = "\n".join(summary([case]))
    assert "csvs: 1 cases, 0 failed" in lines
    assert "csvs 1:3" in lines
