"""The folders that cases are run in, made once per process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fuzz.session import Workshop, workshop


@pytest.fixture(scope="session")
def shop() -> Iterator[Workshop]:
    """The projects, the contract's among them where it is there."""
    contract = ROOT.parent / "shared" / "contract"
    made = workshop(contract if contract.is_dir() else None)
    yield made
    made.folder.cleanup()


@pytest.fixture(scope="session")
def another_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this session's order, which pytest prints; 1 without one."""
    seed = request.config.getoption("randomly_seed", default=1)
    return int(seed) if isinstance(seed, int) else 1


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where a failed case is kept."""
    return tmp_path
