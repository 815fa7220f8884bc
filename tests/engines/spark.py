"""Spark in local mode: a machine that the engine itself starts, once per process."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from cxcausal.data.engines import Session
from tests.conftest import absent

_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For many small statements: they are over before a thorough compiler would pay."""


@pytest.fixture(scope="session")
def spark() -> Iterator[Session]:
    """What a project says that computes on Spark; the driver and Java must be here."""
    if find_spec("pyspark") is None:
        absent("needs pyspark, of `make engines`")
    if shutil.which("java") is None:
        absent("needs Java")
    before = os.environ.get("JDK_JAVA_OPTIONS")
    os.environ["JDK_JAVA_OPTIONS"] = _QUICK
    yield Session(engine="spark")
    if before is None:
        del os.environ["JDK_JAVA_OPTIONS"]
    else:
        os.environ["JDK_JAVA_OPTIONS"] = before
