"""The engine's memory: what is declared holds, the machine's own limits hold as well, and a full engine is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Quantiles
from cxcausal.core.errors import MachineError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import DuplicateQuery, QuantileQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.data.engines.embedded import Embedded
from cxcausal.data.memory import DEFAULT, VARIABLE, group_limits, memory_limit
from tests.data.plans import plan

SPEND = Measure(name="spend", terms=(("spend", 1.0),))


def test_the_declared_limit_is_the_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "640MiB")
    _write(tmp_path, 100)
    with open_dataset(_plan(), tmp_path) as data:
        assert data.engine.backend.raw_sql("SELECT current_setting('memory_limit')").fetchone() == ("640.0 MiB",)


@pytest.mark.parametrize("text", ["much", "", "2", "-1GB", "10MB", "1e9", "2 GBs"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(MachineError, match=rf"{VARIABLE} D122 .*{VARIABLE}=2GB") as told:
        memory_limit()
    assert told.value.exit_code == 6


def test_a_limit_is_never_above_what_the_machine_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxcausal.data.memory._limits", lambda: iter((2_000_000_000, 1_000_000_000)))
    monkeypatch.setenv(VARIABLE, "500GB")
    assert memory_limit() == 800_000_000
    monkeypatch.delenv(VARIABLE)
    assert memory_limit() == 800_000_000
    monkeypatch.setattr("cxcausal.data.memory._limits", lambda: iter(()))
    assert memory_limit() == DEFAULT


def test_limits_of_all_groups_above_are_found(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("4:cpu,memory:/a/b\n3:cpu:/a\n0::/c/d\n", encoding="utf-8")
    files = {"memory/a/memory.limit_in_bytes": "7\n", "memory/a/b/memory.limit_in_bytes": "9\n"}
    files |= {"c/d/memory.max": "max\n", "c/memory.max": "5\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(group_limits(tmp_path, membership)) == [9, 7, 5]
    assert list(group_limits(tmp_path, tmp_path / "absent")) == []


def test_what_does_not_fit_goes_to_the_disk_and_without_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "100MB")
    roomy, bare = tmp_path / "roomy", tmp_path / "bare"
    for folder in (roomy, bare):
        folder.mkdir()
        _write(folder, 1_500_000)
    asked = (DuplicateQuery(), QuantileQuery(measure=SPEND, q=0.9))
    with open_dataset(_plan(), roomy) as data:
        answers = data.answer(asked)
        assert isinstance(data.engine, Embedded)
        assert data.engine.spill.is_dir()
    found = answers[asked[1]]
    assert isinstance(found, Quantiles)
    frame = pd.read_parquet(roomy / "x.parquet")
    for arm, values in frame.groupby("arm")["spend"]:
        cell = found.cells[str(arm), ()]
        rank = int(np.ceil(0.9 * len(values)))
        told = dict(zip(cell.ranks.tolist(), cell.values.tolist(), strict=True))  # noqa: PD011 - not a frame's
        assert told[rank] == sorted(values)[rank - 1]
    (bare / ".cxcausal").write_text("in the way of a folder", encoding="utf-8")
    with open_dataset(_plan(), bare) as data, pytest.raises(MachineError, match=r"D120 .* 100 MB .*disk") as refused:
        data.answer(asked)
    assert refused.value.exit_code == 6


def _plan() -> ExperimentSpec:
    metric = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
    return plan(
        {"source": "x.parquet", "unit": "customer_id"}, covariates=[], segments=[], metrics={"success": [metric]}
    )


def _write(folder: Path, n: int) -> None:
    rng = np.random.default_rng(3)
    columns = {"customer_id": rng.permutation(n), "arm": np.array(["none", "gig", "agent"])[rng.integers(0, 3, n)]}
    pd.DataFrame({**columns, "spend": rng.gamma(2.0, 10.0, n)}).to_parquet(folder / "x.parquet")
