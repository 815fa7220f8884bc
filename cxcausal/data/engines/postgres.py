"""PostgreSQL behind Ibis: one read-only snapshot per run, and its own tables for what is computed once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops
import numpy.typing as npt
import sqlglot.expressions as sge

from cxcausal.core.errors import CxCausalError, DataError, MachineError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import RAW, Columns, Engine, Opened, Row, Table
from cxcausal.data.engines.inline import inlined, listed
from cxcausal.data.engines.postgres_failures import ended, unreached
from cxcausal.data.engines.postgres_packing import MOST_COLUMNS, packed, unpacked
from cxcausal.data.engines.postgres_sql import Compiler
from cxcausal.data.engines.postgres_tables import COLUMNS, LISTED, Stored, found_table, readable, table_of
from cxcausal.data.sources import Source
from cxcausal.data.urls import expanded

WORK_MEMORY = "256MB"
"""For each sort and hash table of a statement, before the server spills."""
_PATIENCE = 5
"""Seconds until a server that doesn't answer is given up."""
_OLDEST = 120_000
_FEELS_FOR_US = 140_000
"""The first version that notices while it computes that whoever asked is gone."""
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_BYTEWISE = ' COLLATE "C"'
_READING = "SAVEPOINT reading; SET TRANSACTION READ ONLY"
_ABLE = """
SELECT NOT pg_is_in_recovery() AND has_database_privilege(current_database(), 'TEMP'),
  current_setting('server_version_num')::int
"""


@dataclass(frozen=True, kw_only=True)
class Postgres(Engine):
    """One connection with one transaction, which sees the tables as they were when it began, whoever writes to them.

    The transaction reads only, but for the moment in which a temporary table of ours is made: that can't be done while
    reading only, so what was read before is released, the empty table is made, and reading only begins anew; then it is
    filled. A server that makes no temporary tables (a standby, or without the TEMP privilege) computes expressions
    wherever they are used. Nothing is left behind.

    Attributes:
        writes: the server makes temporary tables for us.
        kept: every table that was kept, by name and expression.
    """

    writes: bool
    kept: dict[tuple[str, Any], Table] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""
        import psycopg  # noqa: PLC0415 - an extra

        return (psycopg.Error,)

    def failure(self, error: Exception) -> CxCausalError:
        """Return that the connection was lost, the server refused, or a number was too large."""
        return ended(getattr(error, "sqlstate", None), self.label)

    def sql(self, expr: Table) -> str:
        """Return the statement of an expression, in which very many columns are packed into a few."""
        operation = expr.op()
        if operation not in self.compiled:
            found = self.backend.compiler.to_sqlglot(expr)
            self.compiled[operation] = packed(found, expr.as_table().schema()).sql(dialect="postgres")
        return self.compiled[operation]

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows."""
        with self.backend.con.cursor() as cursor:
            cursor.execute(statement)
            found: list[Row] = cursor.fetchall()
        return unpacked(found)

    def arrays(self, expr: Table) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of an expression that aggregates; they come in bulk, and not row by row."""
        if len(expr.columns) > MOST_COLUMNS:
            return super().arrays(expr)
        import pyarrow as pa  # noqa: PLC0415 - Ibis brings it, and only clusters need it here
        from pyarrow import csv  # noqa: PLC0415 - as above

        with self.translated():
            copied = self.copied(self.noted(f"COPY ({self.sql(expr)}) TO STDOUT (FORMAT csv, HEADER)"))
        kinds = csv.ConvertOptions(column_types=expr.schema().to_pyarrow())
        found = csv.read_csv(pa.BufferReader(copied), convert_options=kinds)
        return {name: found[name].to_numpy() for name in expr.columns}

    def copied(self, statement: str) -> bytes:
        """Return what a statement copies."""
        with self.backend.con.cursor() as cursor, cursor.copy(statement) as parts:
            return b"".join(parts)

    def open(self, source: Source, data: Data, needed: tuple[str, ...], name: str = RAW) -> Opened:
        """Return the needed columns of a table or view."""
        del name  # nothing is copied
        with self.translated():
            schema, table, oid = found_table(self.rows(self.noted(LISTED)), source)
            found = self.rows(self.noted(COLUMNS.format(oid=oid)))
            parts = ("name", "type", "kind", "modifier", "category")
            stored = tuple(Stored(**dict(zip(parts, row, strict=True))) for row in found)
            mine = readable(stored, source, data, needed)
            rows = table_of(self.backend, schema, table, mine)
            count = int(self.fetch(rows.aggregate(n=rows.count()))[0][0])
        if count == 0:
            mend = "fill the table, or check what the view leaves out"
            raise DataError(Problem(where=source.label, code="D207", what="there are no rows", mend=mend))
        return Opened(table=rows, columns=needed, rows=count, source=source, first_row=1, row=None, kept=self.writes)

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once, as a temporary table; where the server makes none, wherever it is used."""
        if not self.writes:
            return inlined(self, expr)
        self._made(name, expr.schema())
        with self.translated():
            self._run(f'INSERT INTO pg_temp."{name}" {self.typed(expr)}')  # the name is one of our own
            self._run(f'RELEASE SAVEPOINT reading; ANALYZE pg_temp."{name}"; {_READING}')
        known = (name, expr.op())
        if known not in self.kept:
            self.kept[known] = self._table(name, expr.schema())
        return self.kept[known]

    def load(self, name: str, columns: Columns) -> Table:
        """Return a small table of ours as a list of values, which needs no right but to read."""
        del name
        return listed(self, columns)

    def forget(self, name: str) -> None:
        """Drop a table that `keep` made."""
        if self.writes:
            with self.translated():
                self._run(f'RELEASE SAVEPOINT reading; DROP TABLE IF EXISTS pg_temp."{name}"; {_READING}')

    def lock(self, opened: Sequence[Opened]) -> None:
        """Do nothing: the transaction reads only from its beginning."""

    def close(self) -> None:
        """Give the connection up, and with it the transaction and all that was made in it."""
        self.backend.con.close()

    def _made(self, name: str, schema: Any) -> None:  # noqa: ANN401 - Ibis's
        """Make an empty temporary table."""
        mapper = self.backend.compiler.type_mapper
        columns = ", ".join(
            f"{_quoted(column)} {mapper.from_ibis(kind).sql(dialect='postgres')}{_BYTEWISE if kind.is_string() else ''}"
            for column, kind in schema.items()
        )
        made = f'CREATE TEMP TABLE "{name}" ({columns}) ON COMMIT DROP'
        with self.translated():
            self._run(f"RELEASE SAVEPOINT reading; {made}; {_READING}")

    def _table(self, name: str, schema: Any) -> Table:  # noqa: ANN401 - Ibis's
        return ops.DatabaseTable(
            name, schema=schema, source=self.backend, namespace=ops.Namespace(database="pg_temp")
        ).to_expr()

    def _run(self, statements: str) -> None:
        with self.backend.con.cursor() as cursor:
            cursor.execute(self.noted(statements))


def _quoted(name: str) -> str:
    return str(sge.to_identifier(name, quoted=True).sql(dialect="postgres"))


def start(url: str, *, label: str, root: Path, timezone: str) -> Postgres:
    """Return a connection to a server, which sees its tables as they are now.

    Raises:
        MachineError: the driver is not installed, a secret is not set, or the server can't be reached.
    """
    del root  # nothing is stored here
    try:
        import psycopg  # noqa: PLC0415 - an extra
        from ibis.backends.postgres import Backend  # noqa: PLC0415 - as above
    except ImportError:
        what, mend = "the engine needs the package psycopg", "pip install 'cxcausal[postgres]'"
        raise MachineError(Problem(where=label, code="D114", what=what, mend=mend)) from None
    address = expanded(url, label)
    try:
        connection = _connected(address)
    except psycopg.Error as error:
        raise unreached(error, label) from None
    # Ibis's own way to take a connection over would set things for the session, which poolers share among many.
    backend = Backend()
    backend.con, backend.compiler = connection, Compiler()
    try:
        writes = _begun(connection, timezone, label)
    except psycopg.Error as error:
        connection.close()
        raise ended(error.sqlstate, label) from None
    return Postgres(backend=backend, label=label, timezone=timezone, writes=writes)


def _connected(address: str) -> Any:  # noqa: ANN401 - an extra's type
    """Return a connection in which nothing hangs for ever; what the URL says of these settings wins."""
    import psycopg  # noqa: PLC0415 - an extra
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as above

    wanted: dict[str, Any] = {
        "connect_timeout": _PATIENCE,
        "application_name": "cxcausal",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        **conninfo_to_dict(address),
    }
    connection = psycopg.connect(autocommit=True, prepare_threshold=None, **wanted)
    connection.adapters.register_loader("numeric", _whole_loader())
    return connection


def _whole_loader() -> Any:  # noqa: ANN401 - an extra's type
    """Return what reads decimals, which are nothing but sums of whole numbers here."""
    from psycopg.adapt import Loader  # noqa: PLC0415 - an extra

    class Whole(Loader):  # type: ignore[misc] # an extra's type
        def load(self, data: Any) -> int:  # noqa: ANN401 - bytes or a view of them
            return int(bytes(data))

    return Whole


def _begun(connection: Any, timezone: str, label: str) -> bool:  # noqa: ANN401 - an extra's type
    """Begin the one transaction of a run, and tell whether temporary tables can be made in it."""
    ((writes, version),) = connection.execute(_ABLE).fetchall()
    if version < _OLDEST:
        what, mend = "the server is older than PostgreSQL 12", "use a newer one, or export the table to Parquet"
        raise MachineError(Problem(where=label, code="D115", what=what, mend=mend))
    settings = {
        "TimeZone": timezone,
        "DateStyle": "ISO, YMD",
        "extra_float_digits": "1",
        "standard_conforming_strings": "on",
        "work_mem": WORK_MEMORY,
        "jit": "off",
        "enable_nestloop": "off",  # what is joined here is joined by equality, and is large where it was thought small
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "0",
        **({"client_connection_check_interval": "5s"} if version >= _FEELS_FOR_US else {}),
    }
    local = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    connection.execute(f"{_BEGIN} {'READ WRITE' if writes else 'READ ONLY'}; {local}; {_READING}")
    connection.execute("SELECT 1")  # the snapshot is that of the first query
    return bool(writes)
