"""What all tests share: optional resources that skip with a reason, or fail where CI says they must be present."""

import gc
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from cxcausal.tracking.files import locked
from cxcausal.tracking.mlflow_sink import open_store
from tests.spreading import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]

ROOT = Path(__file__).resolve().parents[1]
REQUIRE = "CXCAUSAL_REQUIRE"
# Nothing that we log or load may need a pickle: every test, and every process that a test starts, forbids them.
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
# How long one example takes says how busy the machine is, and nothing of the code.
settings.register_profile("cxcausal", deadline=None)
settings.load_profile("cxcausal")


def absent(what: str) -> NoReturn:
    """Skip for want of an optional resource; fail instead where CXCAUSAL_REQUIRE is set."""
    if os.environ.get(REQUIRE):
        pytest.fail(f"{what} is required here ({REQUIRE} is set)")
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data with known answers, beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        absent("needs ../shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def shared_contract() -> Path:
    """The folder of contract plans and configurations, beside the checkout."""
    folder = ROOT.parent / "shared" / "contract"
    if not folder.is_dir():
        absent("needs ../shared/contract beside the checkout")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a headless browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("needs Chromium")
    return found


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow store in SQLite, migrated once for all workers (up to 11 s); to be copied."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mlflow_template"
    path = folder / "mlflow.db"
    with locked(folder / "lock", timeout=120):
        if not path.exists():
            open_store(f"sqlite:///{folder / 'making.db'}").search_experiments(max_results=1)
            (folder / "making.db").rename(path)
    return path


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of garbage collections: Hypothesis asks for one per example."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let everything be collected again, so that engines close before the interpreter does."""
    gc.unfreeze()
