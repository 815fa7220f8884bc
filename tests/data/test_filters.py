"""Filters over stored columns, against the same condition written in pandas."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from cxcausal.core.queries import FlowQuery
from cxcausal.data import open_dataset
from tests.data.plans import ask, plan, rows, write

Condition = Callable[[pd.DataFrame], "pd.Series[bool]"]
FILTERS: dict[str, Condition] = {
    "age >= 30": lambda f: f.age >= 30,
    "age >= 30 and region in ['north', 'south']": lambda f: (f.age >= 30) & f.region.isin(["north", "south"]),
    "not (age < 30 or region == 'west')": lambda f: ~((f.age < 30) | (f.region == "west")),
    "region not in ['west']": lambda f: f.region != "west",
    "tier is null": lambda f: f.tier.isna(),
    "tier is not null and spend is null": lambda f: f.tier.notna() & f.spend.isna(),
    "tier != 'gold'": lambda f: f.tier.notna() & (f.tier != "gold"),
    "not (tier == 'gold')": lambda f: f.tier.notna() & (f.tier != "gold"),
    "spend > 0": lambda f: f.spend > 0,
    "revenue / orders > 10": lambda f: (f.orders > 0) & (f.revenue > 10 * f.orders),
    "-age + 2 * (age - 1) < 40.5": lambda f: -f.age + 2 * (f.age - 1) < 40.5,
    "churned == 1": lambda f: f.churned == 1,
    "churned == true": lambda f: f.churned == 1,
    "age in [20, 30.0, -1]": lambda f: f.age.isin([20, 30]),
    "joined >= '2026-02-01'": lambda f: f.joined >= "2026-02-01",
    "joined == '2026-02-01' or joined is null": lambda f: f.joined == "2026-02-01",
    "`two words` == 'it''s'": lambda f: f["two words"] == "it's",
    "code == '010'": lambda f: f.code == "010",
    "region != channel": lambda f: f.region != f.channel,
    "vip": lambda f: f.vip,
    "not vip and age > 40": lambda f: ~f.vip & (f.age > 40),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    base = rows(300)
    return base.assign(
        joined=[f"2026-0{1 + i % 3}-01" for i in range(300)],
        code=["010" if i % 4 else "10" for i in range(300)],
        vip=[i % 5 == 0 for i in range(300)],
        **{"two words": ["it's" if i % 3 else "that" for i in range(300)]},
    )


def enrolled(root: Path, name: str, text: str) -> int:
    with open_dataset(plan({"source": name, "unit": "customer_id", "filter": text}), root) as dataset:
        flow = ask(dataset, [FlowQuery()])[FlowQuery()]
    assert flow.rows == 300
    assert flow.filtered_out == 300 - flow.enrolled
    return int(flow.enrolled)


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_keeps_the_rows_that_pandas_keeps(frame: pd.DataFrame, tmp_path: Path, text: str) -> None:
    expected = int(FILTERS[text](frame).sum())
    typed = frame.assign(joined=pd.to_datetime(frame.joined))
    write(typed, tmp_path, "x.parquet")
    write(frame, tmp_path, "x.csv")
    assert enrolled(tmp_path, "x.parquet", text) == expected
    if "vip" not in text:
        assert enrolled(tmp_path, "x.csv", text) == expected


def test_booleans_of_a_text_file_are_compared(frame: pd.DataFrame, tmp_path: Path) -> None:
    write(frame, tmp_path, "x.csv")
    assert enrolled(tmp_path, "x.csv", "vip == true") == enrolled(tmp_path, "x.csv", "vip == 'True'") == 60


def test_a_column_without_any_value_is_null_in_every_row(frame: pd.DataFrame, tmp_path: Path) -> None:
    empty = frame.assign(nothing=None)
    assert str(pa.Table.from_pandas(empty).schema.field("nothing").type) == "null"
    write(empty, tmp_path, "x.parquet")
    assert enrolled(tmp_path, "x.parquet", "nothing is null") == 300
    assert enrolled(tmp_path, "x.parquet", "nothing is null and age >= 30") == int((frame.age >= 30).sum())
