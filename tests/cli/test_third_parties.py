"""What other libraries say becomes lines, and no value that they may quote gets into one."""

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from cxcausal.cli.manner import Manner
from cxcausal.cli.third_parties import ThirdParties
from cxcausal.cli.voice import Voice

ROOT = Path(__file__).resolve().parents[2]
CANARIES = ("CUST0000042", "ann@customer.example", "s3cr3t-canary")
NOISY = """
import logging, os, subprocess, sys, warnings
import cxcausal.cli.plan_commands as verbs

def noisy(path):
    warnings.warn("bad value CUST0000042 of ann@customer.example")
    logging.getLogger("py4j.java_gateway").error("sending CUST0000042")
    logging.getLogger("duckdb").warning("row %s", "CUST0000042")
    logging.getLogger("alembic.runtime").warning("store postgresql://ann:s3cr3t-canary@db/x")
    print("raw CUST0000042", file=sys.stderr)
    os.write(2, b"straight ann@customer.example\\nwithout an end ")
    subprocess.run(["sh", "-c", "echo CUST0000042 >&2"], check=True)
    raise SystemExit(0) if path.name == "leave" else ZeroDivisionError("CUST0000042")

verbs.load_experiment = noisy
from cxcausal.__main__ import main
main()
"""


def events(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def noisy(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", NOISY, "explain", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


@pytest.mark.parametrize("last", ["leave", "break"])
def test_nothing_raw_and_no_canary_whoever_speaks(last: str) -> None:
    done = noisy(last, "--log-format", "json", "--json", "--verbose")
    lines = events(done.stderr)
    by = [line["event"] for line in lines]
    assert [by.count(event) for event in ("python_warning", "library_log", "stderr_text")] == [1, 3, 3]
    assert not [canary for canary in CANARIES if canary in done.stderr + done.stdout]
    (warned,) = (line for line in lines if line["event"] == "python_warning")
    assert (warned["category"], warned["source"]) == ("UserWarning", "<string>:6")
    logs = {line["logger"]: line for line in lines if line["event"] == "library_log"}
    assert (logs["py4j.java_gateway"]["level"], "text" in logs["py4j.java_gateway"]) == ("error", False)
    assert logs["duckdb"]["text"] == "row %s"
    assert logs["alembic.runtime"]["text"] == "store postgresql://***@db/x"
    if last == "break":
        assert (done.returncode, json.loads(done.stdout)["errors"][0]["code"]) == (1, "B100")


def test_text_shows_them_as_they_are() -> None:
    done = noisy("leave")
    assert "UserWarning: bad value" in done.stderr
    assert "raw CUST0000042" in done.stderr


def test_everything_is_given_back(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that imported MLflow before has its handler and level alone, which the command line never lets it set.
    for name, value in (("handlers", []), ("propagate", True), ("level", logging.NOTSET)):
        monkeypatch.setattr(logging.getLogger("mlflow"), name, value)
    root = logging.getLogger()
    before = (list(root.handlers), root.level, warnings.showwarning, os.environ.get("MLFLOW_CONFIGURE_LOGGING"))
    with ThirdParties(Voice(manner=Manner(log_format="json"), verb="run", run="01X")):
        logging.getLogger("mlflow.canary").error("it is locked")
        logging.getLogger("mlflow.canary").info("too little to tell")
    assert (list(root.handlers), root.level, warnings.showwarning, os.environ.get("MLFLOW_CONFIGURE_LOGGING")) == before
    (line,) = events(capsys.readouterr().err)
    assert (line["text"], line["run"], line["level"]) == ("it is locked", "01X", "error")
