"""Neither the zone, nor the locale, nor the encoding of the machine changes an answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from cxcausal.core.measures import measure_of
from cxcausal.core.queries import CountQuery, MomentQuery
from cxcausal.core.spec.load import load_experiment
from cxcausal.data import open_dataset
from cxcausal.data.engines import Session
root = Path(sys.argv[1])
resolved = load_experiment(root / "plan.yaml", root=root)
with open_dataset(resolved.spec, root, session=Session(timezone=resolved.project.timezone)) as dataset:
    (metric,) = resolved.spec.metrics.success
    asked = [CountQuery(of="unit", population="analysed"), MomentQuery(measure=measure_of(metric), by=())]
    answers = dataset.answer(asked)
    told = [sorted(answers[one].items()) for one in asked]
    print(ascii((dataset.levels, dataset.data_cut, resolved.plan_hash, told)))
"""
PLAN = """schema_version: 1
id: surroundings
question: "Hilft ein Anruf? \u0130I\u0131i"
owner: team@example.com
data: {source: data/x.csv, unit: id, time_zero: entered, observed_until: seen}
design: {type: randomized, treatment: {column: arm, control: none, arms: {none: {}, "\u0130L\u0130": {}}}}
segments: [tier]
metrics:
  success:
    - {name: spend, type: mean, column: spend, desired_direction: increase, window: {start: 0d, end: 30d}}
"""
PROJECT = "schema_version: 1\norganisation: Test\ntimezone: Europe/Berlin\n"
ZONES: tuple[dict[str, str], ...] = (
    {},
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    {"TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "C"},
)
MORE = ({"LC_ALL": "de_DE.UTF-8", "PYTHONUTF8": "0", "PYTHONHASHSEED": "7"},)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose times fall into the hour that is there twice, the one that never is, and around midnight."""
    times = ["2025-10-26 02:30:00", "2026-03-29 02:30:00", "2026-01-01T23:30:00-05:00", "2026-01-02T00:30:00Z"]
    rows = "".join(
        f"c{at},{('none', chr(0x130) + 'L' + chr(0x130))[at % 2]},{at}.5,{times[at % 4]},2026-01-31 12:00:00,"
        f"{('gold', 'G' + chr(0x131))[at % 3 > 0]}\n"
        for at in range(40)
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text(
        "id,arm,spend,entered,seen,tier\n" + rows.replace("2026-03-29", "2025-03-30")
    )
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "project.yaml").write_text(PROJECT)
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_answers_are_the_same_everywhere(root: Path) -> None:
    told = []
    for surroundings in (*ZONES, *MORE):
        paths = os.pathsep.join([str(Path(__file__).resolve().parents[2]), *sys.path])
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(root)],
            env={**os.environ, **surroundings, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        told.append(ran.stdout)
    assert "Moments" in told[0]
    assert set(told) == {told[0]}
