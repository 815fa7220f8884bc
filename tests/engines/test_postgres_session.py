"""One session with PostgreSQL: it reads one state of the tables and nothing else, and says plainly when it can't."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.errors import CxCausalError, MachineError, PlanError
from cxcausal.core.queries import CountQuery
from cxcausal.data import Dataset
from cxcausal.data.engines import Session, start_engine
from cxcausal.data.engines.postgres import Postgres
from cxcausal.data.enrolment import read_enrolment
from cxcausal.data.history import open_history
from cxcausal.data.opening import open_dataset
from cxcausal.data.pooled import open_pooled
from cxcausal.data.sources import Confines, Source, find_source
from tests.e2e.project import PLAN, Project, customers, new_project
from tests.engines import cases
from tests.engines.postgres import Server
from tests.engines.same import analysed, apart

PASSWORD = "p@ss/word:canary"  # noqa: S105 - of a server that lives for a test


@contextmanager
def _started(url: str, root: Path) -> Iterator[Postgres]:
    address, _, table = url.partition("#")
    source = Source(kind="table", files=(), names=("units",), table=table, database=address)
    engine = start_engine(source, root=root, session=Session())
    assert isinstance(engine, Postgres)
    try:
        yield engine
    finally:
        engine.close()


def _opened(url: str, root: Path, name: str = "clusters") -> Dataset:
    spec = cases.plan_over({"source": "x.parquet"}, cases.PLANS[name])
    return open_dataset(spec, root, on=url)


@pytest.fixture
def units(postgres: Server) -> str:
    return postgres.table("units", cases.everything(300))


@pytest.fixture
def guarded(postgres: Server, units: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a user with a password, who may read the table and make no temporary ones."""
    run = postgres.admin.execute
    run("REVOKE TEMP ON DATABASE postgres FROM PUBLIC")
    run("DROP OWNED BY guarded" if run("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'").fetchall() else "SELECT 1")
    run("DROP ROLE IF EXISTS guarded")
    run(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
    run("GRANT SELECT ON units TO guarded")
    monkeypatch.setenv("CX_TEST_PASSWORD", PASSWORD)
    return f"{postgres.url(user='guarded', password='${env:CX_TEST_PASSWORD}')}#units"  # noqa: S106 - a name


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM public.units", "CREATE TABLE mine (a int)", "CREATE TEMP TABLE mine (a int)", "VACUUM"],
)
def test_the_session_reads_only(units: str, tmp_path: Path, statement: str) -> None:
    import psycopg  # noqa: PLC0415 - an extra

    with _opened(units, tmp_path) as dataset:
        assert isinstance(dataset.engine, Postgres)
        assert dataset.engine.writes
        with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.ActiveSqlTransaction)):
            dataset.engine.backend.con.execute(statement)


def test_a_table_that_is_kept_is_filled_while_reading_only(postgres: Server, units: str, tmp_path: Path) -> None:
    run = postgres.admin.execute
    run("CREATE OR REPLACE FUNCTION sly() RETURNS text LANGUAGE sql AS 'DELETE FROM units RETURNING arm'")
    run("CREATE OR REPLACE VIEW sly_units AS SELECT *, sly() AS slyly FROM units")
    spec = cases.plan_over({"source": "x.parquet"}, {"segments": ["slyly"]})
    with pytest.raises(MachineError, match="D116"):
        open_dataset(spec, tmp_path, on=units.replace("#units", "#sly_units"))
    assert run("SELECT count(*) FROM units").fetchall() == [(300,)]
    run("DROP VIEW sly_units")


def test_a_run_sees_one_state_of_the_tables(postgres: Server, units: str, tmp_path: Path) -> None:
    with _opened(units, tmp_path) as dataset:
        postgres.admin.execute("DELETE FROM units WHERE arm = 'gig'")
        postgres.admin.execute("UPDATE units SET churned = 1 - churned")
        table = dataset.opened.table
        assert dataset.engine.fetch(table.aggregate(n=table.count())) == [(300,)]
        kept = dataset.engine.keep("later", table.select("arm"))
        assert dataset.engine.fetch(kept.aggregate(n=kept.count())) == [(300,)]
    with _opened(units, tmp_path) as dataset:
        assert dataset.opened.rows < 300


def test_nothing_is_left_behind(postgres: Server, units: str, tmp_path: Path) -> None:
    with _opened(units, tmp_path) as dataset:
        assert any("CREATE TEMP TABLE" in statement.sql for statement in dataset.engine.sent)
        dataset.answer((CountQuery(),))
    left = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
    until = time.monotonic() + 5
    while postgres.admin.execute(left).fetchall() != [(0,)]:  # the server needs a moment to see that we are gone
        assert time.monotonic() < until
        time.sleep(0.05)


def test_without_the_right_to_temporary_tables_the_numbers_are_the_same(
    postgres: Server, units: str, guarded: str, tmp_path: Path
) -> None:
    for name in ("clustered surveys", "money", "immature"):
        spec = cases.plan_over({"source": "x.parquet"}, cases.PLANS[name])
        with open_dataset(spec, tmp_path, on=guarded) as dataset:
            assert isinstance(dataset.engine, Postgres)
            assert not dataset.engine.writes
        assert not list(apart(analysed(spec, tmp_path, on=guarded), analysed(spec, tmp_path, on=units)))


def test_more_columns_than_a_row_can_have_are_packed(units: str, tmp_path: Path) -> None:
    with _opened(units, tmp_path) as dataset:
        table = dataset.opened.table
        wide = {f"s{at}": (table.orders * at).sum() for at in range(1_700)}
        wide |= {f"f{at}": table.revenue.max() * at for at in range(200)}
        found = dataset.engine.fetch(table.group_by("arm").aggregate(**wide))
    for row in found:
        assert len(row) == 1_901
        assert list(row[1:1701]) == [row[2] * at for at in range(1_700)]
        assert list(row[1701:]) == pytest.approx([row[1702] * at for at in range(200)])


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT pg_sleep(9)", "ended a statement that took too long"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "D116 the server ended the connection"),
        ("SELECT 1e300::float8 * 1e300::float8", "D306 a number is too large"),
        ("SELECT * FROM nowhere", "D116 the database failed (42P01)"),
    ],
)
def test_failures_in_the_middle_are_told_without_traceback(
    units: str, tmp_path: Path, statement: str, told: str
) -> None:
    with _started(units, tmp_path) as engine:
        engine.backend.con.execute("SET LOCAL statement_timeout = '200ms'")
        with pytest.raises(CxCausalError) as caught, engine.translated():
            engine.rows(statement)
    assert told in str(caught.value)


def test_a_table_that_may_not_be_read_is_told(postgres: Server, guarded: str, tmp_path: Path) -> None:
    postgres.admin.execute("REVOKE SELECT ON units FROM guarded")
    with pytest.raises(MachineError, match=r"units D116 this user may not read the table — .*GRANT SELECT"):
        _opened(guarded, tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://x:canary@127.0.0.1:1/shop", "nothing answers at that host and port"),
        ("postgresql://x:canary@no-such-host.invalid/shop", "there is no such host"),
        ("{server}&dbname=canary", "it has no database of that name"),
        ("{guarded}", "it refuses the user or the password"),
        ("{server}&port=canary", "can't be reached"),
    ],
)
def test_a_server_that_cant_be_reached_is_told_quickly(
    postgres: Server, guarded: str, tmp_path: Path, url: str, told: str
) -> None:
    asked = url.format(server=postgres.url(), guarded=postgres.url(user="guarded", password="canary"))  # noqa: S106 - a wrong one
    began = time.monotonic()
    with pytest.raises(MachineError) as caught:
        _opened(f"{asked}#units", tmp_path)
    assert time.monotonic() - began < 10
    assert "units D115 the database can't be reached" in str(caught.value)
    assert told in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_secret_that_is_not_set_is_named(units: str, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"D113 the environment variable CX_TEST_UNSET is not set"):
        _opened("postgresql://x:${env:CX_TEST_UNSET}@localhost/shop#units", tmp_path)


def test_without_the_driver_the_extra_is_named(units: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MachineError, match=r"units D114 .*pip install 'cxcausal\[postgres\]'"):
        _opened(units, tmp_path)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("unit", "did you mean 'units'"),
        ("public.Units", "did you mean 'public.units'"),
        ("qqq", "tables that this user can see: .*units"),
        ("pg_class", "D107 the database has no table 'pg_class'"),
    ],
)
def test_a_table_that_is_not_there_is_told_with_the_nearest(units: str, tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        _opened(units.replace("#units", f"#{table}"), tmp_path)


def test_an_empty_table_is_refused(postgres: Server, tmp_path: Path) -> None:
    url = postgres.table("vacant", cases.everything(300).head(0))
    with pytest.raises(CxCausalError, match="vacant D207 there are no rows"):
        _opened(url, tmp_path)


def test_verbs_that_read_files_say_so(units: str, tmp_path: Path) -> None:
    spec = cases.plan_over({"source": "x.parquet"}, {})
    with pytest.raises(PlanError, match=r"units D117 `aa` reads files.* export it"):
        open_pooled(spec, tmp_path, on=units)
    with pytest.raises(PlanError, match=r"units D117 `plan --history` reads files"):
        open_history(spec, tmp_path, units, wanted=("churn",), cluster=None)
    with pytest.raises(PlanError, match=r"units D117 `assign` reads files"):
        read_enrolment(spec, tmp_path, units, with_arm=False)


def test_where_a_database_may_be_named(postgres: Server, units: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("CX_TEST_URL", postgres.url())
    spec = cases.plan_over({"source": "${env:CX_TEST_URL}", "table": "units"}, {})
    named = spec.model_copy(update={"data": spec.data.model_copy(update={"source": "customers", "table": None})})
    entries = [{"path": postgres.url(), "table": "public.units"}, {"table": "units"}, "${env:CX_TEST_URL}#units"]
    with open_dataset(spec, tmp_path) as dataset:
        first = (dataset.opened.source.label, dataset.fingerprint)
    for entry in entries:
        session = Session(engine="${env:CX_TEST_URL}")
        with open_dataset(named, tmp_path, sources={"customers": entry}, session=session) as dataset:
            assert [name.removeprefix("public.") for name, _ in dataset.inputs] == ["units"]
    assert first[0] == "units"
    with pytest.raises(PlanError, match=r"D108 the URL holds a password — write \$\{env:NAME\}"):
        find_source(
            spec.data.model_copy(update={"source": "postgresql://a:b@c/d"}),
            Confines(root=tmp_path),
            on=None,
            sources={},
        )
    with pytest.raises(PlanError, match=r"units D101 .*say engine: postgresql://"):
        open_dataset(named, tmp_path, sources={"customers": {"table": "units"}})


def test_a_run_records_the_table_and_no_secret(
    postgres: Server, units: str, guarded: str, tmp_path: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
    project: Project = new_project(tmp_path / "project", mlflow_template)
    postgres.table("called", customers())
    postgres.admin.execute("GRANT SELECT ON called TO guarded")
    address = guarded.partition("#")[0]
    plan = project.plan(data={**PLAN["data"], "source": address, "table": "called"}, retrospective=True)
    done = project.cx("run", plan, "--json")
    assert done.code == 0, done.err
    ((name, fingerprint),) = done.json["data"]["inputs"]
    assert (name, bool(re.fullmatch("[0-9a-f]{64}", fingerprint))) == ("called", True)
    again = project.cx("run", plan, "--json", "--on", f"{postgres.url()}#called")
    assert again.json["data"]["inputs"] == [[name, fingerprint]]
    assert project.cx("audit", "verify").code == 0
    told = [done.out, done.err, again.out, again.err, *_kept(project.root)]
    assert not [text[:80] for text in told if "canary" in text or "guarded" in text or "owner@/" in text]


def _kept(root: Path) -> Iterator[str]:
    """Yield every file of the record, but for the plan that the user wrote."""
    for part in (".cxcausal", "audit", "reports"):
        yield from (path.read_bytes().decode(errors="replace") for path in (root / part).rglob("*") if path.is_file())


def test_a_digest_depends_on_values_and_not_on_their_order(postgres: Server, tmp_path: Path) -> None:
    frame = cases.everything(300)
    found = []
    for rows in (frame, frame.sample(frac=1, random_state=1), frame.assign(spend=frame["spend"] + 0.01)):
        with _opened(postgres.table("hashed", rows), tmp_path, "money") as dataset:
            found.append(dataset.fingerprint)
    assert found[0] == found[1] != found[2]
