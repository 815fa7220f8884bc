"""What scores are said to need, against what a process of their own took."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 0.3
SCRIPT = """
import json, sys
from pathlib import Path
from cxcausal.core.measures import measure_of
from cxcausal.core.score_queries import TARGETS, EffectQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.opening import open_dataset
from cxcausal.nuisance.learners import boosting
from cxcausal.nuisance.learners.binned import Sizes
from cxcausal.pipeline import score_memory, score_road

boosting.SIZES = Sizes(trees=2)
spec, told, needed = ExperimentSpec.model_validate(json.loads(sys.argv[1])), [], score_memory.bytes_needed
score_road.refuse_too_large = lambda *given: told.append(needed(*given))
with open_dataset(spec, Path(sys.argv[2])) as data:
    measures = [measure_of(metric, None) for _, metric in spec.metrics.with_roles()]
    asked = [EffectQuery(measure=one, target=target) for one in measures for target in TARGETS]
    score_road.BothRoads(dataset=data, spec=spec).answer(asked)
# Of this process alone: what getrusage tells begins with the memory of the process that started it.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(told[0], int(peak.split()[1]) * 1024)
"""


def plan(learner: str, repeats: int) -> str:
    arms: dict[str, dict[str, str]] = {"none": {}, "call": {}}
    parts = {
        "schema_version": 1,
        "id": "memory",
        "question": "How much is held?",
        "owner": "a@example.com",
        "data": {"source": "units.parquet", "unit": "id"},
        "design": {
            "type": "observational",
            "treatment": {"column": "arm", "control": "none", "arms": arms},
            "confounders": [f"x{place}" for place in range(12)],
        },
        "metrics": {
            "success": [
                {"name": name, "type": "mean", "column": name, "desired_direction": "increase"} for name in ("y", "z")
            ]
        },
        "estimation": {"folds": 2, "repeats": repeats, "nuisance": {"outcome": learner, "propensity": learner}},
    }
    return json.dumps(parts)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a process's peak")
@pytest.mark.parametrize(("units", "learner", "repeats"), [(10_000, "lightgbm", 1), (200_000, "linear", 2)])
def test_what_is_said_to_be_needed_is_what_is_taken(tmp_path: Path, units: int, learner: str, repeats: int) -> None:
    draw = np.random.default_rng(1)
    columns: dict[str, object] = {f"x{place}": draw.normal(size=units) for place in range(14)}
    columns |= {"y": columns.pop("x12"), "z": columns.pop("x13"), "id": np.arange(units)}
    columns["arm"] = np.where(draw.random(units) < 0.4, "call", "none")
    pq.write_table(pa.table(columns), tmp_path / "units.parquet")
    words = [sys.executable, "-c", SCRIPT, plan(learner, repeats), str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    needed, taken = map(int, done.stdout.split())
    assert abs(needed / taken - 1) < WITHIN
