"""The page of failures says what the tests do, and the README leads to it."""

from tests.faults.catalog import FAULTS, PAGE, tables
from tests.faults.machine import ROOT


def test_the_tables_are_those_of_the_catalogue() -> None:
    """`python -m tests.faults --tables` prints them."""
    assert tables() in PAGE.read_text(encoding="utf-8")


def test_at_least_twenty_five_faults_in_every_run_of_the_tests() -> None:
    assert len([fault for fault in FAULTS if not fault.slow]) >= 25
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/failures.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
