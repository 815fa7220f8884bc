"""Every shipped experiment replays IDENTICAL on the machine that ran it, also in another process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cxcausal.reviewing.replaying import replay
from cxcausal.running import run_tracked
from cxcausal.simulate import simulate
from tests.e2e.project import ROOT, Project, new_project
from tests.engines.same import planned
from tests.engines.shipped import NAMES, WORLDS
from tests.resuming.stopping import newest

PACKAGED = {"incentive_results", "nsw_mixtape"}
LARGE = {"hillstrom", "hillstrom_policy", "karlan_list", "social_pressure", "star", "voter_persuasion", *WORLDS}
LARGE -= {"moments_of_truth"}  # the one that says whom to contact
each_shipped = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in NAMES]
)


@pytest.fixture
def shipped(tmp_path: Path, mlflow_template: Path) -> Project:
    made = new_project(tmp_path / "workspace/project", mlflow_template)
    for folder in ("experiments", "graphs"):
        shutil.copytree(ROOT / folder, made.root / folder)
    return made


def prepare(name: str, project: Project, request: pytest.FixtureRequest) -> None:
    """Put a plan's data where it looks for them."""
    if name in PACKAGED:
        pytest.importorskip("causaldata", reason="needs the extra 'examples'")
    elif name in WORLDS:
        source = planned(project.root / f"experiments/{name}.yaml").data.source
        simulate(WORLDS[name], project.root / source, n=1_500)
    else:
        beside = project.root.parent / "shared"
        beside.mkdir()
        (beside / "data").symlink_to(request.getfixturevalue("shared_data"), target_is_directory=True)


@each_shipped
def test_a_shipped_experiment_replays_identically(name: str, shipped: Project, request: pytest.FixtureRequest) -> None:
    prepare(name, shipped, request)
    run_tracked(shipped.root / f"experiments/{name}.yaml", root=shipped.root)
    found = replay(shipped.root, newest(shipped.root).name)
    assert found.differences == ()
    assert (found.outcome, found.changed) == ("IDENTICAL", ())
    assert found.compared > 40


def test_another_process_with_other_threads_hashes_and_words_replays_identically(
    shipped: Project, request: pytest.FixtureRequest
) -> None:
    prepare("incentive_results", shipped, request)
    run_tracked(shipped.root / "experiments/incentive_results.yaml", root=shipped.root)
    other = {"PYTHONHASHSEED": "17", "OMP_NUM_THREADS": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "cxcausal", "replay", newest(shipped.root).name, "--json"],
        cwd=shipped.root,
        env={**os.environ, **other},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["outcome"] == "IDENTICAL"
