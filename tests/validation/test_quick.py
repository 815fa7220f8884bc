"""Every bar with fewer repetitions, its bands widened by four binomial standard errors to allow for that."""

from pathlib import Path

import pytest

from tests.validation import __main__ as command
from tests.validation import ledger
from tests.validation.__main__ import QUICK
from tests.validation.bars import BARS
from tests.validation.engine import Band, Row


@pytest.mark.parametrize("bar", BARS)
def test_the_bar_holds(bar: str) -> None:
    missed = [f"{row.setting}: {row.measured} (target {row.target})" for row in BARS[bar](QUICK[bar]) if not row.passed]
    assert missed == []


def test_bands_are_closed_and_widen_both_ways() -> None:
    band = Band(low=0.938, high=0.962)
    assert band.holds(0.938)
    assert not band.holds(0.9379)
    assert band.widened(0.01).holds(0.9285)
    assert str(band) == "[0.938, 0.962]"


def test_kept_rows_are_reused_only_by_the_code_that_made_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    rows = (Row(bar="V2", setting="s", target="t", measured="m", reps=1, passed=True),)
    ledger.write("V2", rows, quick=True)
    assert ledger.read("V2", quick=True) == rows
    assert ledger.read("V2", quick=False) is None
    monkeypatch.setattr(ledger, "code_hash", lambda _: "other")
    assert ledger.read("V2", quick=True) is None


def test_the_table_shows_what_was_missed(tmp_path: Path) -> None:
    table = tmp_path / "docs" / "validation.md"
    ledger.write_table([Row(bar="V4", setting="s", target="t", measured="m", reps=4000, passed=False)], table)
    assert "| V4 | s | t | m | 4,000 | NO |" in table.read_text("utf-8")


@pytest.mark.parametrize("bar", ["V2", "V4"])
def test_what_a_bar_yields_can_be_kept(bar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    rows = tuple(BARS[bar](10))
    ledger.write(bar, rows, quick=True)
    assert ledger.read(bar, quick=True) == rows


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_the_command_fails_where_a_bar_is_missed(
    passed: bool,  # noqa: FBT001 - a parameter of the test
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Row(bar="V2", setting="s", target="t", measured="m", reps=1, passed=passed)
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    monkeypatch.setitem(BARS, "V2", lambda _: iter([row]))
    monkeypatch.setattr("sys.argv", ["validation", "--bar", "V2", "--quick"])
    assert command.main() == code
    assert command.main() == code
