"""The epoch of a unit: from its time zero, or from the first of those that the coin was tossed for together."""

from pathlib import Path

import pandas as pd
import pytest

from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import DataError
from cxcausal.core.queries import CountQuery
from cxcausal.data import open_dataset
from tests.ramps import customers, ramp_plan

UNITS = CountQuery(of="unit", by=(EPOCH,))


@pytest.fixture
def frame() -> pd.DataFrame:
    return customers(400)


@pytest.mark.parametrize("name", ["ramp.csv", "ramp.parquet"])
def test_units_are_counted_by_epoch(frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    (frame.to_csv if name.endswith("csv") else frame.to_parquet)(tmp_path / name, index=False)
    with open_dataset(ramp_plan({"source": name}), tmp_path) as dataset:
        found = dataset.answer((UNITS,))[UNITS]
    days = ["2025-10-01" if entered < "2025-10-15" else "2025-10-15" for entered in frame["entered"]]
    pairs = list(zip(frame["arm"], days, strict=True))
    assert found == {(arm, (day,)): pairs.count((arm, day)) for arm, day in pairs}


def test_a_household_is_of_the_epoch_in_which_its_first_customer_came(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[frame.index % 2 == 1, "entered"] = "2025-11-01 09:30:00"
    frame.to_csv(tmp_path / "ramp.csv", index=False)
    with open_dataset(ramp_plan({"randomization_unit": "home"}), tmp_path) as dataset:
        together = dataset.answer((UNITS,))[UNITS]
    with open_dataset(ramp_plan(), tmp_path) as dataset:
        alone = dataset.answer((UNITS,))[UNITS]
    assert isinstance(together, dict)
    assert isinstance(alone, dict)
    assert sum(n for (_, (epoch,)), n in together.items() if epoch == "2025-10-01") == 200
    assert sum(n for (_, (epoch,)), n in alone.items() if epoch == "2025-10-01") == 100


def test_the_first_moment_of_an_epoch_belongs_to_it(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["entered"] = ["2025-10-14 23:59:59", "2025-10-15 00:00:00"] * 200
    frame.to_csv(tmp_path / "ramp.csv", index=False)
    with open_dataset(ramp_plan(), tmp_path) as dataset:
        found = dataset.answer((UNITS,))[UNITS]
    assert isinstance(found, dict)
    assert sum(n for (_, (epoch,)), n in found.items() if epoch == "2025-10-15") == 200


def test_who_came_before_the_first_epoch_is_refused_with_a_count(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[:6, "entered"] = "2025-09-30"
    frame.to_csv(tmp_path / "ramp.csv", index=False)
    with pytest.raises(DataError, match=r"D340 time zero lies before the first of design\.epochs, 2025-10-01 \(7 rows"):
        open_dataset(ramp_plan(), tmp_path)


def test_a_column_of_the_data_can_not_have_the_name_of_the_epoch(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.rename(columns={"tier": EPOCH}).to_csv(tmp_path / "ramp.csv", index=False)
    with pytest.raises(DataError, match="D341"):
        open_dataset(ramp_plan(segments=[EPOCH]), tmp_path)
