"""A database as MLflow's store: one that does not let us in, and a driver that is not installed."""

import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.tracking.test_mlflow_sink import MakeResult, record


def test_a_driver_that_is_not_there_is_a_warning(project: Path, make_result: MakeResult) -> None:
    if find_spec("MySQLdb") is not None:
        absent("needs a machine without the driver MySQLdb")
    recorded = record(project, make_result, uri="mysql://ann:s3cret@127.0.0.1:1/runs")
    assert "the driver 'MySQLdb' is not installed" in recorded.warnings[0]
    assert "s3cret" not in recorded.warnings[0]


@pytest.mark.parametrize("address", ["ann:s3cret@127.0.0.1:1/runs", "/runs?host=/nowhere"])
def test_a_database_that_does_not_answer_costs_no_minutes(address: str, project: Path, make_result: MakeResult) -> None:
    if find_spec("psycopg") is None:
        absent("needs psycopg (make engines)")
    began = time.monotonic()
    recorded = record(project, make_result, uri=f"postgresql+psycopg://{address}")
    assert "MLflow did not take this run: OperationalError" in recorded.warnings[0]
    assert "s3cret" not in recorded.warnings[0]
    assert time.monotonic() - began < 20
