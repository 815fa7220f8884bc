"""BigQuery and Snowflake: nothing here can run them, so their SQL is compiled, and translated back to be run."""

from pathlib import Path
from typing import Any

import ibis
import pytest
import sqlglot

from cxcausal import api
from cxcausal.data.engine import Row, Table
from cxcausal.data.engines.bigquery_sql import BigQuery
from cxcausal.data.engines.embedded import Embedded, start
from cxcausal.data.engines.inline import inlined, listed
from cxcausal.data.engines.snowflake_sql import Snowflake
from cxcausal.data.functions import digest, moment_in
from tests.e2e.project import Project, customers, new_project
from tests.engines.translated import Translated

ROOT = Path(__file__).resolve().parents[2]
NASTY = (0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 3.7, -3.7, 4503599627370497.5, 1e17, -1e17)
WHOLE = (0, 1, -1, 5, -5, 1 << 30, -(1 << 30), (1 << 60) - 1, -(1 << 60) + 1, 391837872233119744, -391837872233119744)


def _compilers() -> dict[str, Any]:
    return {"bigquery": BigQuery("UTC"), "snowflake": Snowflake("UTC")}


@pytest.fixture
def translated(monkeypatch: pytest.MonkeyPatch) -> Translated:
    """Have every answer of the embedded engine computed by the SQL of both warehouses too."""
    listener = Translated(compilers=_compilers())
    original = Embedded.fetch

    def fetch(engine: Embedded, expr: Table) -> list[Row]:
        rows = original(engine, expr)
        listener.listen(engine, expr, rows)
        return rows

    monkeypatch.setattr(Embedded, "fetch", fetch)
    return listener


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no table but those of files, as where nobody may make one."""
    original = Embedded.keep

    def keep(engine: Embedded, name: str, expr: Table) -> Table:
        return original(engine, name, expr) if name.startswith(("raw", "events")) else inlined(engine, expr)

    monkeypatch.setattr(Embedded, "keep", keep)
    monkeypatch.setattr(Embedded, "load", lambda engine, _, columns: listed(engine, columns))
    monkeypatch.setattr(Embedded, "forget", lambda _, __: None)


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


@pytest.fixture
def outreach(tmp_path: Path) -> tuple[Path, str]:
    """The shipped plan of proactive outreach, over a small draw of its world."""
    out = tmp_path / "outreach.parquet"
    api.simulate("outreach", out, n=2000, seed=3)
    return ROOT / "experiments" / "proactive_outreach.yaml", str(out)


def test_the_shipped_plan_compiles_and_computes_the_same(outreach: tuple[Path, str], translated: Translated) -> None:
    plan, data = outreach
    api.statements(plan, on=data)
    assert not translated.unlike, translated.unlike[0]
    assert set(translated.seen) == {"bigquery", "snowflake"}
    assert min(translated.seen.values()) > 50


def test_statements_that_stand_inside_others_answer_the_same(
    project: Project, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = customers(400)
    frame = frame.assign(house=[f"h{at % 130}" for at in range(400)], age=[float(at * 7 % 61) for at in range(400)])
    project.data(frame)
    data = {"source": "data/callback.csv", "unit": "customer_id", "cluster": "house"}
    plan = project.root / project.plan(data=data, covariates=["age"])
    answers: list[list[tuple[str, ...]]] = []
    original = Embedded.fetch

    def fetch(engine: Embedded, expr: Table) -> list[Row]:
        rows = original(engine, expr)
        answers[-1].append(tuple(sorted(map(repr, rows))))
        return rows

    monkeypatch.setattr(Embedded, "fetch", fetch)
    for _ in range(2):
        answers.append([])
        statements = api.statements(plan, root=project.root)
        request.getfixturevalue("inline")
    kept, inside = answers
    assert kept == inside
    assert sum(one.sql.startswith("CREATE") for one in statements) == 1


@pytest.mark.parametrize("name", ["bigquery", "snowflake"])
def test_casts_shifts_and_remainders_of_nasty_numbers(name: str, tmp_path: Path) -> None:
    engine = start("duckdb", label="x", root=tmp_path, timezone="UTC")
    numbers = engine.load("numbers", {"x": NASTY})
    wholes = engine.load("wholes", {"q": WHOLE})
    compiler = _compilers()[name]
    asked = (
        numbers.select("x", cast=numbers.x.cast("int64"), rest=numbers.x % 1.0, mark=numbers.x % 1.0 == 0),
        wholes.select("q", high=wholes.q >> 30, low=wholes.q & ((1 << 30) - 1), third=wholes.q / 3),
        wholes.aggregate(total=wholes.q.sum(), many=(wholes.q.abs() * 1).sum()),
    )
    listener = Translated(compilers={name: compiler})
    for expr in asked:
        listener.listen(engine, expr, engine.fetch(expr))
    assert not listener.unlike, listener.unlike[0]
    engine.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bigquery", ("'Europe/Paris'", "safe.timestamp", "SAFE_CAST", "to_hex(md5(", "AS NUMERIC", "datetime_add")),
        ("snowflake", ("'Europe/Paris'", "AS TIMESTAMPLTZ", "CONVERT_TIMEZONE", "TO_NUMBER(SUBSTR(MD5(", "DATEADD")),
    ],
)
def test_times_and_fingerprints_are_spelled_in_the_dialect(name: str, expected: tuple[str, ...]) -> None:
    kinds: dict[str, Any] = {"bigquery": BigQuery, "snowflake": Snowflake}
    compiler = kinds[name]("Europe/Paris")
    table = ibis.table({"text": "string", "at": "timestamp", "moment": "timestamp('UTC')", "q": "int64"}, name="t")
    expr = table.mutate(
        read=table.text.try_cast("timestamp('UTC')").cast("timestamp"),
        local=table.moment.cast("timestamp"),
        shown=moment_in("Europe/Berlin", table["at"]),
        later=table["at"] + ibis.interval(days=30),
        print=digest(table.text),
    )
    expr = expr.group_by("print").aggregate(
        s=expr.q.sum(), a=expr["read"].max(), b=expr.local.max(), c=expr.shown.max(), d=expr.later.max()
    )
    written = compiler.to_sqlglot(expr).sql(dialect=compiler.dialect)
    sqlglot.parse_one(written, dialect=compiler.dialect)
    assert all(part in written for part in expected), written
