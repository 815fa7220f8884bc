"""`explain --sql`: every statement of a run, each with what it is for, and nothing recorded."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlglot

from cxcausal import api
from cxcausal.data.engine import Row
from cxcausal.data.engines.embedded import Embedded
from tests.e2e.project import Project, customers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(project: Project) -> str:
    project.data(customers())
    return project.plan(segments=["half"], reruns={"keep_units": False}, data={**_DATA, "filter": "churned >= 0"})


_DATA = {"source": "data/callback.csv", "unit": "customer_id", "columns": {"half": {"formula": "churned * 2"}}}


def _plain(statements: Iterable[str]) -> list[str]:
    """Write statements in one way, without the making of tables, which fetches nothing."""
    parsed = [sqlglot.parse_one(sql, dialect="duckdb").sql(dialect="duckdb") for sql in statements]
    return [sql for sql in parsed if not sql.startswith("CREATE")]


def test_every_statement_is_shown_with_what_it_is_for(project: Project, path: str) -> None:
    before = project.fingerprint()
    shown = project.cx("explain", path, "--sql")
    assert shown.code == 0, shown.err
    assert project.fingerprint() == before
    told = project.cx("explain", path, "--sql", "--json").json["statements"]
    assert shown.out.count(";\n") == len(told) > 10
    assert all(one["purpose"] and f"-- {one['purpose']}\n" in shown.out for one in told)
    assert told[0]["purpose"] == "open data/callback.csv as raw: which columns, and how many rows"
    assert "CUST" not in shown.out


def test_they_are_what_a_run_sends(project: Project, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = project.root / path
    told = api.statements(plan, root=project.root)
    sent: list[str] = []
    original = Embedded.rows

    def spy(engine: Embedded, statement: str) -> list[Row]:
        sent.append(statement)
        return original(engine, statement)

    monkeypatch.setattr(Embedded, "rows", spy)
    api.run_experiment(plan, root=project.root)
    assert _plain(one.sql for one in told) == _plain(sent)


def test_data_are_replaced_only_where_statements_are_shown(project: Project, path: str) -> None:
    left = project.cx("explain", path, "--on", "data/callback.csv")
    assert left.code == 2
    assert "U204" in left.err
    other = project.root / "data" / "other.csv"
    other.write_text((project.root / "data" / "callback.csv").read_text())
    assert "open data/other.csv as raw" in project.cx("explain", path, "--sql", "--on", str(other)).out


def test_a_run_that_reads_units_shows_how_it_reads_them(tmp_path: Path) -> None:
    out = tmp_path / "handoff.parquet"
    api.simulate("handoff", out, n=800, seed=2)
    sent = api.statements(ROOT / "experiments" / "human_handoff.yaml", on=str(out))
    assert any("units themselves" in statement.purpose for statement in sent)
