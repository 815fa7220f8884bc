"""A whole run over tables of a warehouse: its client is played by an embedded database, all else is what users get."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pytest

from cxcausal.data.engine import Row, Table
from cxcausal.data.engines import _ENGINES
from cxcausal.data.engines.embedded import _Compiler
from cxcausal.data.engines.warehouse import Warehouse
from tests.e2e.project import Project, customers, new_project

URL = "bigquery://shop-project/experiments"


@dataclass(frozen=True, kw_only=True)
class Played(Warehouse):
    """A warehouse whose tables lie in a file; every row that crosses is remembered."""

    crossed: list[Sequence[Row]]

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        return (duckdb.Error,)

    def names(self, schema: str | None) -> Sequence[str]:
        listed = "SELECT table_name FROM duckdb_tables() WHERE schema_name = coalesce($schema, 'main')"
        return tuple(name for (name,) in self.backend.con.execute(listed, {"schema": schema}).fetchall())

    def found(self, name: str, schema: str | None) -> Table:
        return self.backend.table(name, database=schema)

    def answered(self, statement: str) -> Sequence[Sequence[object]]:
        rows: list[Row] = self.backend.raw_sql(statement).fetchall()
        self.crossed.append(rows)
        return rows


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


@pytest.fixture
def crossed(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Row]]:
    """Let the warehouse of the URL be a file beside the project, with one table of customers."""
    frame = _frame()
    path = project.root.parent / "warehouse.duckdb"
    with duckdb.connect(path) as shop:
        shop.register("frame", frame)
        shop.execute("CREATE SCHEMA shop; CREATE TABLE shop.units AS SELECT * FROM frame; CREATE TABLE none (x INT)")
    crossed: list[Sequence[Row]] = []

    def start(url: str, *, label: str, root: Path, timezone: str) -> Played:
        assert url == URL
        assert root == project.root
        backend = ibis.duckdb.connect(path, read_only=True)
        backend.compiler = _Compiler()
        return Played(backend=backend, label=label, timezone=timezone, crossed=crossed)

    monkeypatch.setitem(_ENGINES, "bigquery", f"{__name__}:start")
    monkeypatch.setitem(globals(), "start", start)
    return crossed


def _frame() -> pd.DataFrame:
    frame = customers(1200)
    return frame.assign(house=[f"HOUSE{at % 400}" for at in range(1200)], age=[at * 7 % 61 for at in range(1200)])


def _effects(project: Project, *words: str) -> list[dict[str, Any]]:
    done = project.cx("run", *words, "--json", "--quiet")
    assert done.code == 0, done.err
    rows: list[dict[str, Any]] = done.json["effects"]
    return rows


def _plan(project: Project, source: str, table: str | None = None) -> str:
    data = {"source": source, "unit": "customer_id", "cluster": "house", **({"table": table} if table else {})}
    return project.plan(data=data, covariates=["age"], retrospective=True)


def test_a_table_gives_the_numbers_of_its_export(project: Project, crossed: list[Sequence[Row]]) -> None:
    project.data(_frame())
    flat = _effects(project, _plan(project, "data/callback.csv"))
    assert not crossed
    plan = _plan(project, URL, "shop.units")
    assert _effects(project, plan) == flat
    assert crossed
    # Clusters' sums are the finest that cross, and no name of a customer or of a house is among them.
    texts = {value for rows in crossed for row in rows for value in row if isinstance(value, str)}
    assert texts <= {"none", "call", ""}
    assert max(len(rows) for rows in crossed) <= 2 * 400


def test_the_records_name_the_table_and_not_the_address(project: Project, crossed: list[Sequence[Row]]) -> None:
    assert crossed == []
    done = project.cx("run", _plan(project, URL, "shop.units"), "--json")
    ((name, fingerprint),) = done.json["data"]["inputs"]
    assert name == "shop.units"
    assert len(fingerprint) == 64
    again = project.cx("run", _plan(project, "data/x.csv"), "--json", "--on", f"{URL}#shop.units")
    assert again.json["data"]["inputs"] == [[name, fingerprint]]


def test_a_fingerprint_changes_with_any_value(project: Project, crossed: list[Sequence[Row]]) -> None:
    assert crossed == []
    plan = _plan(project, URL, "shop.units")
    before = project.cx("run", plan, "--json").json["data"]["inputs"]
    with duckdb.connect(project.root.parent / "warehouse.duckdb") as shop:
        shop.execute("UPDATE shop.units SET age = age + 1 WHERE customer_id = 'CUST0000007'")
    after = project.cx("run", plan, "--json").json["data"]["inputs"]
    assert before != after
    with duckdb.connect(project.root.parent / "warehouse.duckdb") as shop:
        shop.execute("CREATE TABLE shop.again AS SELECT * FROM shop.units ORDER BY age DESC")
    shuffled = project.cx("run", _plan(project, URL, "shop.again"), "--json").json["data"]["inputs"]
    assert shuffled[0][1] == after[0][1]


def test_a_table_that_is_not_there(project: Project, crossed: list[Sequence[Row]]) -> None:
    assert crossed == []
    left = project.cx("run", _plan(project, URL, "shop.unit"))
    assert left.code == 3
    assert "D107 data.table: the database has no table 'shop.unit' — did you mean 'units'?" in left.err


def test_a_table_without_its_name_and_a_client_that_is_not_installed(project: Project) -> None:
    left = project.cx("run", _plan(project, URL))
    assert (left.code, "P318 a database source needs its table" in left.err) == (3, True)
    for url, extra in ((URL, "bigquery"), ("snowflake://ann:${env:SHOP_PASSWORD}@account/shop", "snowflake")):
        left = project.cx("run", _plan(project, url, "units"))
        assert left.code == 6, left.err
        assert f"D114 reading from {extra} needs" in left.err
        assert f"pip install 'cxcausal[{extra}]'" in left.err
