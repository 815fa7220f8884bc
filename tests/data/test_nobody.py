"""A condition of the plan that holds for nobody is refused, with the test at fault, types, and what would hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.errors import DataError, PlanError
from cxcausal.data import open_dataset
from tests.data.plans import plan, rows, write


def refused(root: Path, name: str, data: Mapping[str, Any], **changes: Any) -> str:
    with (
        pytest.raises(DataError) as told,
        open_dataset(plan({"source": name, "unit": "customer_id", **data}, **changes), root),
    ):
        pass
    return str(told.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = rows(300).assign(level=[1 + at % 3 for at in range(300)], vip=[at % 5 == 0 for at in range(300)])
    mixed = frame.assign(code=["010" if at % 4 else "x" for at in range(300)])
    write(mixed, tmp_path, "x.csv")
    write(mixed, tmp_path, "x.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "test", "hint"),
    [
        ("level == '1.0'", "`level == '1.0'`", "`level == 1` holds for 100"),
        ("vip == 'true' and age > 0", "`vip == 'true'`", "`vip == true` holds for 60"),
        ("level in ['01', '03']", "`level in ['01', '03']`", "`level in [1, 3]` holds for 200"),
        ("age > 0 and not (age > 0)", "`not (age > 0)`", None),
    ],
)
def test_a_filter_of_another_type_names_the_test_and_what_would_hold(
    folder: Path, text: str, test: str, hint: str | None
) -> None:
    told = refused(folder, "x.csv", {"filter": text})
    assert "D212 data.filter leaves no rows" in told
    assert f"of 300 rows none has {test};" in told
    assert "check data.filter" in told
    assert ("holds for" in told) == (hint is not None)
    assert hint is None or hint in told


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_nobody_who_may_be_contacted_is_refused_as_no_rows_are(folder: Path, name: str) -> None:
    told = refused(folder, name, {"filter": "age >= 30"}, policy={"eligible": "code in ['10', 'y']"})
    kept = int((pd.read_csv(folder / "x.csv").age >= 30).sum())
    assert "D212 policy.eligible lets nobody be contacted" in told
    assert f"of {kept} rows none has `code in ['10', 'y']`" in told
    assert "texts that read as numbers" in told
    assert "check policy.eligible" in told


def test_a_value_after_its_map_is_what_is_compared(folder: Path) -> None:
    data = {"filter": "region == 'north'", "columns": {"region": {"map": {"north": 1, "south": 2, "west": 3}}}}
    assert "by the map of data.columns" in refused(folder, "x.csv", data)


def test_no_value_and_no_small_count_is_told(tmp_path: Path) -> None:
    frame = rows(300).assign(secret=["geheim" if at else "7" for at in range(300)])
    write(frame, tmp_path, "x.csv")
    told = refused(tmp_path, "x.csv", {"filter": "secret == 'x'"})
    assert "geheim" not in told
    assert "299 texts and a few texts that read as numbers" in told


def test_unlike_types_are_named(folder: Path) -> None:
    for text, kind in {
        "region == 1": "(text)",
        "level == 'x'": "(numbers)",
        "vip == 'true'": "(true and false)",
    }.items():
        spec = plan({"source": "x.parquet", "unit": "customer_id", "filter": text})
        with pytest.raises(PlanError) as told, open_dataset(spec, folder):
            pass
        assert kind in str(told.value)
