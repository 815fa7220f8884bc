"""What stored values mean: NaN, sizes, maps to text, computed columns, declared types and times."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxcausal.core.errors import CxCausalError, DataError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import CountQuery, FlowQuery, MissingQuery, MomentQuery, Query
from cxcausal.data import open_dataset
from tests.data.plans import ask, opened, plan, rows, write

SPEND = Measure(name="spend", terms=(("spend", 1.0),))
WINDOW = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
WINDOWED = {"success": [{**WINDOW, "window": {"start": "0d", "end": "90d"}}]}


def with_nan(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet as other tools do: a missing number is an IEEE NaN, and the file's statistics leave it out."""
    arrays = {
        name: pa.array(frame[name].to_numpy(), from_pandas=False)
        if frame[name].dtype.kind == "f"
        else pa.array(frame[name])
        for name in frame.columns
    }
    pq.write_table(pa.table(arrays), path)


def test_nan_in_parquet_is_missing(tmp_path: Path) -> None:
    frame = rows().assign(churned=lambda table: table.churned.astype(float).where(table.index % 7 != 0))
    with_nan(frame, tmp_path / "x.parquet")
    churn = Measure(name="churn", terms=(("churned", 1.0),))
    queries: list[Query] = [
        MissingQuery(measure=SPEND),
        MomentQuery(measure=SPEND),
        MissingQuery(measure=churn),
        FlowQuery(),
    ]
    spec = plan({"source": "x.parquet", "unit": "customer_id", "filter": "spend > 20 or spend is null"})
    with open_dataset(spec, tmp_path) as dataset:
        missing, moments, churned, flow = ask(dataset, queries).values()
    kept = frame[(frame.spend > 20) | frame.spend.isna()]
    assert flow.enrolled == len(kept)
    for arm, part in kept.groupby("arm"):
        assert missing[arm] == (len(part), part.spend.isna().sum())
        assert churned[arm] == (len(part), part.churned.isna().sum())
        assert moments[arm, ()].mean[0] == pytest.approx(part.spend.mean(), rel=1e-12)


def test_nan_passes_no_comparison(tmp_path: Path) -> None:
    frame = rows()
    with_nan(frame, tmp_path / "x.parquet")
    with open_dataset(plan({"source": "x.parquet", "filter": "spend > 20"}), tmp_path) as dataset:
        assert ask(dataset, [FlowQuery()])[FlowQuery()].enrolled == (frame.spend > 20).sum()


@pytest.mark.parametrize("size", [1e12, 1e-9, 1e60])
def test_sizes_keep_their_precision(tmp_path: Path, size: float) -> None:
    frame = rows().assign(spend=lambda table: table.spend * size)
    with opened(frame, tmp_path) as dataset:
        moments = ask(dataset, [MomentQuery(measure=SPEND)])[MomentQuery(measure=SPEND)]
    mine = frame[frame.arm == "gig"].spend.dropna()
    assert moments["gig", ()].mean[0] == pytest.approx(mine.mean(), rel=1e-12)
    assert moments["gig", ()].m2[0, 0] == pytest.approx(((mine - mine.mean()) ** 2).sum(), rel=1e-12)


def test_a_filter_may_use_what_a_map_leads_to(tmp_path: Path) -> None:
    frame = rows()
    levels = {"gold": "hi", "silver": "lo"}
    columns = {"tier": {"map": levels}, "arm": {"map": {"none": "none", "gig": "gig", "agent": "agent", "HOLD": None}}}
    held = frame.assign(arm=frame.arm.where(frame.index % 9 != 0, "HOLD"))
    text = "tier == 'hi' and arm is not null"
    expected = ((frame.tier == "gold") & (held.arm != "HOLD")).sum()
    for name in ("x.csv", "x.parquet"):
        with opened(held, tmp_path, name, data={"columns": columns, "filter": text}) as dataset:
            assert ask(dataset, [FlowQuery()])[FlowQuery()].enrolled == expected
    coded = held.assign(tier=frame.tier.map({"gold": 1, "silver": 2}).fillna(3))
    columns["tier"] = {"map": {"1": "hi", "2": "lo", "3": None}}
    with opened(coded, tmp_path, data={"columns": columns, "filter": text}, covariates=["tier"]) as dataset:
        assert ask(dataset, [FlowQuery()])[FlowQuery()].enrolled == expected
        assert dataset.levels["tier"] == ("hi",)


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.jsonl"])
def test_a_formula_computes_a_column_for_every_role(tmp_path: Path, name: str) -> None:
    frame = rows()
    score = -frame.spend + frame.revenue / 2 * (frame.orders + 1)
    columns = {"score": {"formula": "-spend + revenue / 2 * (orders + 1)", "unit": "EUR"}}
    metric = {"name": "score", "type": "mean", "column": "score", "desired_direction": "increase"}
    data = {"columns": columns, "filter": "score > -50 or score is null"}
    measure = Measure(name="score", terms=(("score", 1.0),))
    with opened(frame, tmp_path, name, data=data, metrics={"success": [metric]}) as dataset:
        answer = ask(dataset, [MomentQuery(measure=measure), MissingQuery(measure=measure), FlowQuery()])
    moments, missing, flow = answer.values()
    kept = (score > -50) | score.isna()
    assert flow.enrolled == kept.sum()
    for arm in ("none", "gig", "agent"):
        mine = score[kept & (frame.arm == arm)]
        assert missing[arm] == (len(mine), mine.isna().sum())
        assert missing[arm][1] > 0
        assert moments[arm, ()].mean[0] == pytest.approx(mine.mean(), rel=1e-12)


def test_formulas_read_what_maps_lead_to(tmp_path: Path) -> None:
    frame = rows().assign(orders=lambda table: table.orders.replace(0, -999))
    columns = {"orders": {"map": {"-999": None}}, "aov": {"formula": "revenue / orders"}}
    aov = Measure(name="aov", terms=(("aov", 1.0),))
    metric = {"name": "aov", "type": "mean", "column": "aov", "desired_direction": "increase"}
    with opened(frame, tmp_path, data={"columns": columns}, metrics={"success": [metric]}) as dataset:
        moments = ask(dataset, [MomentQuery(measure=aov)])[MomentQuery(measure=aov)]
    mine = frame[(frame.arm == "gig") & (frame.orders > 0)]
    assert moments["gig", ()].n == len(mine)
    assert moments["gig", ()].mean[0] == pytest.approx((mine.revenue / mine.orders).mean(), rel=1e-12)


def opened_with_dates(root: Path, zero: str, until: str) -> Any:
    spec = plan({**write(rows(), root), "time_zero": zero, "observed_until": until}, metrics=WINDOWED)
    with open_dataset(spec, root) as dataset:
        return ask(dataset, [FlowQuery()])[FlowQuery()]


def test_both_times_may_be_dates(tmp_path: Path) -> None:
    flow = opened_with_dates(tmp_path, "2026-01-01", "2026-06-30")
    assert (flow.immature, flow.matures_on, flow.maturity_known) == (0, "2026-04-01", True)
    assert opened_with_dates(tmp_path, "2026-06-01", "2026-06-30").immature == 600
    with pytest.raises(DataError, match=r"data\.observed_until D133 .* ends on 2026-01-01"):
        opened_with_dates(tmp_path, "2026-06-01", "2026-01-01")


def test_a_date_is_not_blamed_for_a_column(tmp_path: Path) -> None:
    frame = rows().assign(seen="2026-02-01")
    data = {**write(frame, tmp_path), "time_zero": "2026-03-01", "observed_until": "seen"}
    with pytest.raises(DataError, match=r"row 1 column seen D314"):
        open_dataset(plan(data, metrics=WINDOWED), tmp_path)


@pytest.mark.parametrize("stored", ["text", "time"])
def test_what_was_seen_in_the_future_is_refused(tmp_path: Path, stored: str) -> None:
    frame = rows().assign(t0="2099-01-01", seen="2099-06-01")
    if stored == "time":
        frame = frame.assign(t0=pd.to_datetime(frame.t0), seen=pd.to_datetime(frame.seen))
    data = {**write(frame, tmp_path), "time_zero": "t0", "observed_until": "seen"}
    with pytest.raises(DataError, match=r"row 1 column seen D317 .* lies in the future"):
        open_dataset(plan(data, metrics=WINDOWED), tmp_path)
    with pytest.raises(DataError, match=r"data\.observed_until D317 .*2099-06-01"):
        open_dataset(plan({**data, "observed_until": "2099-06-01"}, metrics=WINDOWED), tmp_path)


@pytest.mark.parametrize(("kind", "bad"), [("integer", 1.5), ("boolean", 2), ("integer", "x"), ("boolean", "7")])
@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_declared_types_are_kept(tmp_path: Path, name: str, kind: str, bad: object) -> None:
    good = [True, False] if kind == "boolean" else [1, 2]
    values = [good[i % 2] for i in range(600)]
    frame = rows().assign(code=[str(value) if isinstance(bad, str) else float(value) for value in values])
    data = {"columns": {"code": {"type": kind}}}
    with opened(frame, tmp_path, name, data=data) as dataset:
        assert sum(ask(dataset, [CountQuery()])[CountQuery()].values()) == 600
    broken = frame.assign(code=pd.Series([bad, *frame.code[1:].tolist()], dtype=frame.code.dtype))
    with pytest.raises(DataError, match=r"column code D3(05|18|19).*") as caught:
        opened(broken, tmp_path, name, data=data)
    assert "row " in caught.value.problems[0].where


def test_a_declared_date_must_be_one(tmp_path: Path) -> None:
    frame = rows().assign(joined="2026-01-01")
    data = {"columns": {"joined": {"type": "date"}}}
    with opened(frame, tmp_path, data=data) as dataset:
        assert ask(dataset, [FlowQuery()])[FlowQuery()].rows == 600
    with pytest.raises(DataError, match=r"row 3 column joined D313"):
        opened(frame.assign(joined=np.where(frame.index == 2, "soon", "2026-01-01")), tmp_path, data=data)


@pytest.mark.parametrize("name", ["part-{}.parquet", "part-{}.csv"])
def test_repeated_units_of_several_files_are_found_by_row(tmp_path: Path, name: str) -> None:
    frame = rows(300)
    again = frame.iloc[[40, 41]].assign(churned=1)
    write(frame, tmp_path, name.format(1))
    write(pd.concat([frame.iloc[:0], again, frame.iloc[:0]]), tmp_path, name.format(2))
    spec = plan({"source": name.format("*"), "unit": "customer_id"})
    with open_dataset(spec, tmp_path) as dataset:
        first = 2 if name.endswith("csv") else 1
        assert dataset.repeated_rows() == (name.format(2), (first, first + 1))


def refused(case: type[CxCausalError], frame: pd.DataFrame, root: Path, **changes: Any) -> str:
    with pytest.raises(case) as caught:
        opened(frame, root, **changes)
    return str(caught.value)


def test_an_identifier_is_no_covariate(tmp_path: Path) -> None:
    frame = rows().assign(code=lambda table: "x" + table.customer_id, number=range(600))
    for name in ("customer_id", "code"):
        assert f"x.parquet column {name} D315" in refused(DataError, frame, tmp_path, covariates=[name])
    frame["customer_id"] = range(600)
    assert "column customer_id D315" in refused(DataError, frame, tmp_path, covariates=["customer_id"])
    with opened(frame, tmp_path, covariates=["number"]) as dataset:
        assert dataset.units.rows == 600
