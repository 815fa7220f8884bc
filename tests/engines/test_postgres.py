"""PostgreSQL tells what the embedded engine tells, from one state of its tables, and gives nothing but aggregates."""

from collections.abc import Mapping
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.errors import CxCausalError
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import Engine, Table
from cxcausal.data.engines import PLAIN, Session, start_engine
from cxcausal.data.engines.postgres import Postgres
from cxcausal.data.sources import Confines, find_source
from tests.data import test_events as events
from tests.engines import cases, shipped
from tests.engines.postgres import Server
from tests.engines.same import analysed, apart, planned

BERLIN = Session(timezone="Europe/Berlin")
NATIVE = {
    "price": "numeric(10,2)",
    "day": "date",
    "revenue": "numeric",
    "region": "varchar(9)",
    "age": "numeric(3,0)",
    "churned": "smallint",
    "orders": "int",
    "answered": "boolean",
}
TYPES = (NATIVE, {"age": "text", "churned": "text"})


def _engine(on: str, root: Path, session: Session = PLAIN) -> tuple[Engine, Table]:
    """Return an engine and the columns of its table."""
    source = find_source(Data(source=on), Confines(root=root), on=on, sources={})
    engine = start_engine(source, root=root, session=session)
    return engine, engine.open(source, Data(source=on), ("at", "value")).table


def _columns(on: str, root: Path, make: Any, session: Session = PLAIN) -> dict[str, list[Any]]:
    """Return what is made of a table's values, in their order."""
    engine, table = _engine(on, root, session)
    try:
        made = table.select("at", **make(table)).order_by("at")
        rows = engine.fetch(made)
    finally:
        engine.close()
    return {name: [row[place] for row in rows] for place, name in enumerate(made.columns)}


def _compared(postgres: Server, root: Path, values: list[Any], make: Any, kind: str) -> None:
    frame = pd.DataFrame(
        {"at": range(len(values)), "value": pd.Series(values, dtype=object if kind == "text" else None)}
    )
    file = cases.written(frame, root / "values.parquet")
    mine = _columns(postgres.table("nasty", frame, {"value": kind}), root, make, BERLIN)
    theirs = _columns(file, root, make, BERLIN)
    for name, column in theirs.items():
        told = [
            (value, one, other) for value, one, other in zip(values, mine[name], column, strict=True) if one != other
        ]
        assert not [each for each in told if list(apart(each[1], each[2]))], name


@pytest.mark.parametrize(("values", "kind"), [(cases.TEXTS, "text"), (cases.TIMES, "text")], ids=["texts", "times"])
def test_texts_are_read_alike(postgres: Server, tmp_path: Path, values: list[Any], kind: str) -> None:
    _compared(postgres, tmp_path, values, cases.of_texts, kind)


def test_floats_are_read_alike(postgres: Server, tmp_path: Path) -> None:
    _compared(postgres, tmp_path, cases.FLOATS, cases.of_floats, "float8")


def test_text_is_ordered_by_its_bytes_and_sums_are_exact(postgres: Server, tmp_path: Path) -> None:
    texts = [text for text in cases.TEXTS if text and "\\" not in text]
    frame = pd.DataFrame({"at": range(len(texts)), "value": texts})
    engine, table = _engine(postgres.table("ordered", frame), tmp_path)
    try:
        listed = [value for (value,) in engine.fetch(table.select("value").distinct().order_by("value"))]
        ends = engine.fetch(table.aggregate(low=table.value.min(), high=table.value.max()))[0]
    finally:
        engine.close()
    assert listed == sorted(texts, key=str.encode)
    assert ends == (listed[0], listed[-1])
    whole = pd.DataFrame({"at": range(len(cases.BIG)), "value": pd.Series(cases.BIG, dtype="Int64").astype(object)})
    engine, table = _engine(postgres.table("big", whole, {"value": "int8"}), tmp_path)
    try:
        ((total, share),) = engine.fetch(table.aggregate(total=table.value.sum(), share=table.at.max() / table.count()))
    finally:
        engine.close()
    assert (total, share) == (sum(value or 0 for value in cases.BIG), 5 / 6)


def test_every_type_of_column_becomes_a_plain_one(postgres: Server, tmp_path: Path) -> None:
    run = postgres.admin.execute
    run("DROP TABLE IF EXISTS typed; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('sad', 'Ok')")
    run(
        "CREATE TABLE typed (at int, f real, n numeric(20,0), d numeric, m money, u uuid, e mood, c char(4), b bool, "
        "t timestamptz, s timestamp, day date, j jsonb, a int[])"
    )
    run(
        "INSERT INTO typed VALUES (1, 0.5, 12345678901234567890, 'NaN', 1.25, "
        "'6F9619FF-8B86-D011-B42D-00C04FC964FF', 'Ok', 'ab', true, '2026-01-01T00:00Z', 'infinity', '2026-02-01', "
        "'{}', '{1}')"
    )
    run("INSERT INTO typed (at, d) VALUES (2, 1e400), (3, -1e400), (4, 1e-400), (5, 0.1)")
    names = ("f", "n", "d", "m", "u", "e", "c", "b", "t", "s", "day")
    source = find_source(Data(source="x"), Confines(root=tmp_path), on=f"{postgres.url()}#typed", sources={})
    engine = start_engine(source, root=tmp_path, session=BERLIN)
    try:
        table = engine.open(source, Data(source="x"), ("at", *names)).table
        rows = engine.fetch(table.mutate(t=table.t.cast("timestamp")).order_by("at"))
        with pytest.raises(CxCausalError, match=r"typed column j D215 .*jsonb[\s\S]*typed column a D215"):
            engine.open(source, Data(source="x"), ("j", "a"))
        with pytest.raises(CxCausalError, match=r"D210 .*did you mean 'day'"):
            engine.open(source, Data(source="x"), ("days",))
    finally:
        engine.close()
    first = dict(zip(names, rows[0][1:], strict=True))
    assert np.isnan(first.pop("d"))
    assert first.pop("day").isoformat() == "2026-02-01"
    assert first.pop("t") == datetime.fromisoformat("2026-01-01T01:00")
    assert first == {
        "f": 0.5,
        "n": 12345678901234567168.0,
        "m": 1.25,
        "u": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "e": "Ok",
        "c": "ab",
        "b": True,
        "s": None,
    }
    assert [row[3] for row in rows[1:]] == [float("inf"), float("-inf"), 0.0, 0.1]


@pytest.mark.parametrize(("name", "types"), list(zip(cases.PLANS, cycle(TYPES), strict=False)))
def test_plans_that_use_everything_give_the_same_numbers(
    postgres: Server, tmp_path: Path, name: str, types: Mapping[str, str]
) -> None:
    frame, changes = cases.everything(), cases.PLANS[name]
    file = cases.written(frame, tmp_path / "x.parquet")
    url = postgres.table("everything", frame, types)
    spec = cases.plan_over({"source": file}, changes)
    theirs = analysed(spec, tmp_path, session=BERLIN)
    mine = analysed(spec, tmp_path, on=url, session=BERLIN)
    assert len(theirs["effects"]) > 3
    assert not list(apart(mine, theirs))


@pytest.mark.parametrize("name", shipped.EACH)
def test_shipped_plans_give_the_same_numbers(postgres: Server, shared_data: Path, tmp_path: Path, name: str) -> None:
    file = shipped.file_of(name, shared_data, tmp_path)
    spec = planned(shipped.ROOT / f"experiments/{name}.yaml")
    theirs = shipped.embedded(name, file, tmp_path)
    mine = analysed(spec, tmp_path, on=postgres.table("shipped", shipped.frame_of(name, file)))
    assert theirs["effects"]
    assert not list(apart(mine, theirs))


@pytest.fixture(scope="module")
def tables(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, str]]:
    """The world of event tables as files, and as tables of a schema of its own."""
    folder = tmp_path_factory.mktemp("events")
    frames = events.world(folder)
    postgres.admin.execute("CREATE SCHEMA IF NOT EXISTS shop")
    return folder, {name: postgres.table(f"shop.{name}", frame) for name, frame in frames.items()}


@pytest.mark.parametrize(
    "block",
    [{}, {"exposure": {"source": "orders", "where": "shop == 'web'", "within": "14d"}}, {"repeated": "first"}],
    ids=["plain", "exposed", "first"],
)
def test_event_tables_give_what_the_flat_table_gives(
    tables: tuple[Path, Mapping[str, str]], postgres: Server, block: Mapping[str, Any]
) -> None:
    folder, _ = tables
    theirs = analysed(events.plan(**block), folder)
    sources = {
        name: {**{key: value for key, value in source.items() if key != "path"}, "table": f"shop.{name}"}
        for name, source in events.SOURCES.items()
    }
    spec = events.plan(sources=sources, **block)
    here = spec.model_copy(update={"data": spec.data.model_copy(update={"source": "units"})})
    session = Session(engine=postgres.url())
    mine = analysed(here, folder, session=session, sources={"units": {"table": "shop.assigned"}})
    assert not list(apart(mine, theirs))


def test_the_flat_table_gives_what_event_tables_give(postgres: Server, tables: tuple[Path, Mapping[str, str]]) -> None:
    folder, _ = tables
    frames = {name: pd.read_parquet(folder / f"data/{name}.parquet") for name in ("assigned", "orders")}
    flat = events.twin({**frames, "exits": pd.read_csv(folder / "data/exits.csv")})
    # Rows settle three days after a window: the flat table says so by counting them as observed for less long.
    flat["until"] = flat["until"] - pd.Timedelta(days=3)
    spec = events.plan()
    block = {"source": postgres.url(), "table": "flat", "unit": "customer", "time_zero": "assigned_at"}
    data = Data.model_validate({**block, "observed_until": "until"})
    postgres.table("flat", flat.drop(columns="mature"))
    mine = analysed(spec.model_copy(update={"data": data}), folder)
    theirs = analysed(spec, folder)
    assert len(mine["effects"]) > 20
    assert not list(apart(mine["effects"], theirs["effects"]))


def test_only_aggregates_cross(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg  # noqa: PLC0415 - an extra

    frame = cases.everything(3_000)
    frame["customer_id"] = [f"canary{at}" for at in range(len(frame))]
    frame["household_id"] = [f"canary-home{at // 3}" for at in range(len(frame))]
    crossed: list[list[tuple[Any, ...]]] = []
    fetch = psycopg.Cursor.fetchall

    def spy(cursor: Any) -> list[tuple[Any, ...]]:
        crossed.append(fetch(cursor))
        return crossed[-1]

    url = postgres.table("crossing", frame)
    copied: list[bytes] = []
    copy = Postgres.copied

    def copy_spy(engine: Postgres, statement: str) -> bytes:
        copied.append(copy(engine, statement))
        return copied[-1]

    monkeypatch.setattr(Postgres, "copied", copy_spy)
    monkeypatch.setattr(psycopg.Cursor, "fetchall", spy)
    for alone in ("fetchone", "fetchmany", "__iter__", "stream"):
        monkeypatch.setattr(psycopg.Cursor, alone, lambda *_: pytest.fail("read otherwise"))
    for name in ("clusters", "money", "surveys"):
        analysed(cases.plan_over({"source": "x.parquet"}, cases.PLANS[name]), tmp_path, on=url)
    assert len(crossed) > 60
    assert max(map(len, crossed)) < len(frame) / 5  # the thinned ranks of a quantile; all else has a row per cell
    assert not copied
    homes = {**cases.PLANS["clusters"], "covariates": ["age"]}
    analysed(cases.plan_over({"source": "x.parquet"}, homes), tmp_path, on=url)
    assert copied  # adjusted for, sums leave per cluster and arm, and without its name
    assert "canary" not in repr((crossed, copied))


@pytest.mark.parametrize("name", cases.BAD)
def test_bad_data_are_refused_alike(postgres: Server, tmp_path: Path, name: str) -> None:
    values, changes = cases.BAD[name]
    frame = cases.spoilt(values)
    spec = cases.plan_over({"source": cases.written(frame, tmp_path / "x.parquet")}, changes)
    assert _codes(spec, tmp_path, None) == _codes(spec, tmp_path, postgres.table("bad", frame)) != []


def _codes(spec: Any, root: Path, on: str | None) -> list[tuple[type, str, str]]:
    with pytest.raises(CxCausalError) as caught:
        analysed(spec, root, on=on)
    return [(type(caught.value), one.code, one.what.split(" (")[0]) for one in caught.value.problems]
