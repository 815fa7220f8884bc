"""`score` hands rows on: what it holds per customer are a few numbers, whatever else stands in the file."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cxcausal.core.results import RunResult
from tests.conftest import absent
from tests.e2e.project import ROOT, Project
from tests.fresh.parts import TIERS, recorded

MakeResult = Callable[..., RunResult]
SCRIPT = """
import sys
from pathlib import Path
import pytest
from cxcausal.reviewing.scoring_fresh import ScoreAsked, score
from tests.fresh.parts import stand_in
with pytest.MonkeyPatch.context() as patch:
    stand_in(patch)
    done = score("callback", ScoreAsked(on=sys.argv[1], out=Path("treat.parquet"), force=True, budget=1000.0))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(done.rows, int(peak.split()[1]) / 1000)
"""
SMALL, LARGE = 50_000, 450_000


def peak(project: Project, n: int) -> float:
    """The most memory that scoring n customers took, in MB."""
    rng = np.random.default_rng(1)
    columns = {
        "customer_id": pa.array([f"CUSTOMER-{number:012d}" for number in range(n)]),
        "tenure": rng.random(n) * 36,
        "tier": pa.array(np.array(TIERS)[rng.integers(0, 3, n)]),
        "opted_out": np.zeros(n, dtype=np.int64),
        "more": rng.random(n),
    }
    pq.write_table(pa.table(columns), project.root / f"{n}.parquet")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"{n}.parquet"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    rows, megabytes = done.stdout.split()
    assert int(rows) == n
    return float(megabytes)


def test_memory_grows_by_little_more_than_what_is_decided(project: Project, make_result: MakeResult) -> None:
    if not Path("/proc/self/status").exists():
        absent("needs /proc, which tells the most memory that a process took")
    recorded(project, make_result)
    per_customer = 1e6 * (peak(project, LARGE) - peak(project, SMALL)) / (LARGE - SMALL)
    assert per_customer < 250  # of a million customers, 250 MB
