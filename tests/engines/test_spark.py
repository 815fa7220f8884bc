"""Spark tells what the embedded engine tells of the same files, and gives nothing but aggregates."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.errors import CxCausalError
from cxcausal.data.engine import Row
from cxcausal.data.engines import Session
from tests.data import test_events as events
from tests.engines import cases, shipped
from tests.engines.same import analysed, apart, planned

pytestmark = [
    # Sockets that py4j leaves to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("name", shipped.EACH)
def test_shipped_plans_give_the_same_numbers(spark: Session, shared_data: Path, tmp_path: Path, name: str) -> None:
    file = shipped.file_of(name, shared_data, tmp_path)
    spec = planned(shipped.ROOT / f"experiments/{name}.yaml")
    theirs = shipped.embedded(name, file, tmp_path)
    assert theirs["effects"]
    assert not list(apart(analysed(spec, tmp_path, on=file, session=spark), theirs))


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one == "two clusters")) for one in cases.PLANS]
)
def test_plans_that_use_everything_give_the_same_numbers(spark: Session, tmp_path: Path, name: str) -> None:
    file = cases.written(cases.everything(), tmp_path / "x.parquet")
    spec = cases.plan_over({"source": file}, cases.PLANS[name])
    berlin = replace(spark, timezone="Europe/Berlin")
    theirs = analysed(spec, tmp_path, session=Session(timezone="Europe/Berlin"))
    assert len(theirs["effects"]) > 3
    assert not list(apart(analysed(spec, tmp_path, session=berlin), theirs))


@pytest.mark.parametrize(
    "block",
    [{}, {"exposure": {"source": "orders", "where": "shop == 'web'", "within": "14d"}}],
    ids=["plain", "exposed"],
)
def test_event_tables_give_what_the_embedded_engine_gives(
    spark: Session, tmp_path: Path, block: Mapping[str, Any]
) -> None:
    events.world(tmp_path)
    spec = events.plan(**block)
    assert not list(apart(analysed(spec, tmp_path, session=spark), analysed(spec, tmp_path)))


def test_only_aggregates_cross(spark: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cxcausal.data.engines.spark import Spark  # noqa: PLC0415 - an extra's

    frame = cases.everything(3_000)
    frame["customer_id"] = [f"canary{at}" for at in range(len(frame))]
    frame["household_id"] = [f"canary-home{at // 3}" for at in range(len(frame))]
    file = cases.written(frame, tmp_path / "x.parquet")
    crossed: list[list[Row]] = []
    original = Spark.rows

    def spy(engine: Spark, statement: str) -> list[Row]:
        crossed.append(original(engine, statement))
        return crossed[-1]

    monkeypatch.setattr(Spark, "rows", spy)
    analysed(cases.plan_over({"source": file}, cases.PLANS["clusters"]), tmp_path, session=spark)
    assert len(crossed) > 20
    assert max(map(len, crossed)) < len(frame) / 5
    assert "canary" not in repr(crossed)


@pytest.mark.parametrize("name", cases.BAD)
def test_bad_data_are_refused_alike(spark: Session, tmp_path: Path, name: str) -> None:
    values, changes = cases.BAD[name]
    spec = cases.plan_over({"source": cases.written(cases.spoilt(values), tmp_path / "x.parquet")}, changes)
    assert _codes(spec, tmp_path, Session()) == _codes(spec, tmp_path, spark) != []


def _codes(spec: Any, root: Path, session: Session) -> list[tuple[type, str, str]]:
    with pytest.raises(CxCausalError) as caught:
        analysed(spec, root, session=session)
    return [(type(caught.value), one.code, one.what.split(" (")[0]) for one in caught.value.problems]
