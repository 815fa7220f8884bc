"""Units kept of a run: the same numbers again, no id among them, and what became of them later."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import DataError
from cxcausal.core.queries import ClusterRegressionQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.data.kept import FILE, keep_units
from cxcausal.data.movements import between, changes
from cxcausal.pipeline.analyse import queries_of
from cxcausal.pipeline.components import components_of
from tests.data.plans import plan, rows

KEY = b"k" * 32
MOST = 10_000


def _plan(**data: object) -> ExperimentSpec:
    return plan({"source": "now.parquet", "unit": "customer_id", "cluster": ["household_id"], **data})


def _kept(folder: Path, frame: pd.DataFrame, name: str, spec: ExperimentSpec) -> Path:
    frame.to_parquet(folder / "now.parquet")
    with open_dataset(spec, folder) as dataset:
        kept = keep_units(dataset, spec, folder / name, KEY, MOST)
    assert kept.path == folder / name / FILE
    assert kept.units == pq.read_metadata(kept.path).num_rows
    return kept.path


def test_no_id_is_kept_and_only_the_owner_can_read(tmp_path: Path) -> None:
    path = _kept(tmp_path, rows(), "a", _plan())
    stored = pd.read_parquet(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for kept, column in (("key", "customer_id"), ("id:household_id", "household_id")):
        assert not set(stored[kept]) & set(rows()[column])
        assert stored[kept].nunique() == rows()[column].nunique()
    assert "id:customer_id" not in stored.columns


def test_another_key_makes_other_hashes(tmp_path: Path) -> None:
    spec = _plan()
    first = pd.read_parquet(_kept(tmp_path, rows(), "a", spec)).key
    with open_dataset(spec, tmp_path) as dataset:
        keep_units(dataset, spec, tmp_path / "b", b"x" * 32, MOST)
    assert not set(first) & set(pd.read_parquet(tmp_path / "b" / FILE).key)


def test_the_secret_stands_in_no_statement(tmp_path: Path) -> None:
    rows().to_parquet(tmp_path / "now.parquet")
    with open_dataset(_plan(), tmp_path) as dataset:
        keep_units(dataset, _plan(), tmp_path / "a", KEY, MOST)
        assert all(KEY.hex() not in statement.sql for statement in dataset.engine.statements())


def test_too_many_units_are_not_kept(tmp_path: Path) -> None:
    rows().to_parquet(tmp_path / "now.parquet")
    with open_dataset(_plan(), tmp_path) as dataset:
        kept = keep_units(dataset, _plan(), tmp_path / "a", KEY, 599)
    assert kept.path is None
    assert kept.reason == "there are more than the 599 units of reruns.max_units"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("data", [{}, {"unit": None, "cluster": []}, {"filter": "age >= 30"}, {"weight": "weight"}])
def test_kept_units_give_the_answers_that_the_data_gave(tmp_path: Path, data: dict[str, object]) -> None:
    spec = _plan(**data).model_copy(update={"segments": ("tier",)})
    path = _kept(tmp_path, rows(), "a", spec)
    with open_dataset(spec, tmp_path) as dataset, between(path, path, spec, tmp_path) as both:
        asked = queries_of(spec, dataset, components_of(spec))
        again = both.dataset(both.table("same"), "same")
        assert (again.levels, again.data_cut) == (dataset.levels, dataset.data_cut)
        then, now = dataset.answer(asked), again.answer(asked)
        # Sums within clusters come in the order of the clusters' names, which are hashes by now.
        for query in (query for query in asked if not isinstance(query, ClusterRegressionQuery)):
            if type(query).__name__ != "FlowQuery":
                assert canonical_json(then[query]) == canonical_json(now[query])


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = _kept(tmp_path, rows(), "a", _plan())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match="R801"), between(path, path, _plan(), tmp_path):
        pass


def test_every_change_is_counted_under_its_cause(tmp_path: Path) -> None:
    spec, before = _plan(), rows()
    now = before.drop(index=range(20)).reset_index(drop=True)
    zero = np.flatnonzero(now.churned == 0)[:15]
    one = np.flatnonzero(now.churned == 1)[:11]
    now.loc[zero, "churned"], now.loc[one, "churned"] = 1, 0
    older = np.arange(len(now) - 12, len(now))
    now.loc[older, "age"] += 1
    more = rows(30, seed=9).assign(customer_id=[f"n{i}" for i in range(30)])
    found = changes(_kept(tmp_path, before, "a", spec), _kept(tmp_path, pd.concat([now, more]), "b", spec), spec)
    changed = {*zero, *one, *older}
    assert (found.new, found.erased, found.matured, found.late) == (30, 20, 0, 15)
    assert found.restated == len({*one, *older})
    assert found.unchanged == 580 - len(changed)


def test_a_row_without_a_name_is_new_or_erased_and_never_restated(tmp_path: Path) -> None:
    spec = _plan(unit=None, cluster=[])
    before = rows()
    now = before.copy()
    now.loc[:9, "age"] += 1
    found = changes(_kept(tmp_path, before, "a", spec), _kept(tmp_path, now, "b", spec), spec)
    assert (found.new, found.erased, found.restated, found.late) == (10, 10, 0, 0)
