"""Tests of a module run in one process, and those of a folder that shares servers, too."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

MODULE = """
import pytest

@pytest.mark.parametrize("at", range(6))
def test_it(at):
    pass
"""
MODULES = ("tests/engines/test_a.py", "tests/engines/test_b.py", "tests/other/test_c.py", "tests/other/test_d.py")


def test_what_belongs_together_is_not_torn(tmp_path: Path) -> None:
    for name in MODULES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(MODULE)
    (tmp_path / "pytest.ini").touch()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "tests.spreading", "-n", "2", "--dist", "loadfile", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    workers: dict[str, set[str]] = {}
    for worker, module in re.findall(r"\[(gw\d)\].* PASSED (\S+)::", ran.stdout):
        workers.setdefault(module, set()).add(worker)
    assert set(workers) == set(MODULES)
    assert all(len(each) == 1 for each in workers.values())
    assert workers[MODULES[0]] == workers[MODULES[1]]
    assert set.union(*workers.values()) == {"gw0", "gw1"}
