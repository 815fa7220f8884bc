"""The page about uplift tests: its code runs, and what it names exists."""

import doctest
import re
from pathlib import Path

from cxcausal.core.whom import ArmHeterogeneity
from tests.validation.bars import BARS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "uplift-tests.md"


def test_its_code_runs() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (found.failed, found.attempted) == (0, 3)


def test_its_bars_and_numbers_exist() -> None:
    text = PAGE.read_text("utf-8")
    (bars,) = re.findall(r"--bar ([\w\- ]+)`", text)
    assert set(bars.split()) <= set(BARS)
    assert {"average", "slope", "spread", "autoc", "qini", "auuc", "error", "groups"} <= set(
        ArmHeterogeneity.__dataclass_fields__
    )
