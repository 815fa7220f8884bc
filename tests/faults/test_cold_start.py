"""Runs that begin together on an empty store."""

from pathlib import Path

from tests.faults.cold_start import started_together
from tests.faults.machine import Machine


def test_four_processes_of_two_runs(tmp_path: Path, machine: Machine) -> None:
    """`python -m tests.faults` does it with 8 × 5, three times."""
    assert started_together(tmp_path / "project", machine, processes=4, runs=2) == 8
