"""Many processes at once on an empty store: every run is recorded once, in the ledger and in MLflow."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from cxcausal.tracking import ledger
from cxcausal.tracking.audit import audit
from cxcausal.tracking.listing import list_runs
from tests.e2e.project import ROOT, Project, customers
from tests.faults.machine import Job, Machine

RUN = ("run", "experiments/callback.yaml", "--quiet")


def started_together(root: Path, machine: Machine, *, processes: int, runs: int) -> int:
    """Let processes analyse the same plan in a project that has no state yet, and return how many runs are whole.

    Whole is a run that exits with 0 and no warning, that is FINISHED, has one line in a ledger that holds, matches its
    manifest, and is one run in MLflow.
    """
    shutil.copytree(ROOT / "configs", root / "configs")
    project = Project(root=root)
    project.plan()
    project.data(customers(400))
    ended = machine.run_all([Job(root=root, words=RUN, times=runs, limit=600.0)] * processes)
    assert [one.code for one in ended] == [0] * processes, [one.err for one in ended]
    assert [one.err for one in ended] == [""] * processes
    assert audit(root).problems == ()
    finished = sorted(run.run_id for run in list_runs(root) if run.status == "FINISHED" and run.mlflow == "projected")
    assert sorted(line.payload["run_id"] for line in ledger.read(root)) == finished
    assert in_mlflow(root) == finished
    return len(finished)


def in_mlflow(root: Path) -> list[str]:
    """Return our ids of the runs that MLflow's database has as finished."""
    asked = (
        "SELECT tags.value FROM tags JOIN runs USING (run_uuid) WHERE tags.key = 'cx.run_id' AND status = 'FINISHED'"
    )
    with closing(sqlite3.connect(root / ".cxcausal/mlflow.db")) as store:
        return sorted(str(value) for (value,) in store.execute(asked))
