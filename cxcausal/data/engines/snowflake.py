"""Snowflake: `snowflake://user:${env:PASSWORD}@account/database/schema?warehouse=name`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import ibis

from cxcausal.core.errors import PlanError, Problem
from cxcausal.data.engine import Table
from cxcausal.data.engines.snowflake_sql import Snowflake
from cxcausal.data.engines.warehouse import Warehouse, parts_of, required, unreached
from cxcausal.data.urls import expanded

_OPTIONS = frozenset({"warehouse", "role", "authenticator"})
_PATIENCE = 10
"""Seconds until a login that isn't answered is given up."""


@dataclass(frozen=True, kw_only=True)
class SnowflakeEngine(Warehouse):
    """One session, in the project's time zone."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What the connector raises."""
        from snowflake.connector.errors import Error  # noqa: PLC0415 - an extra

        return (Error,)

    def names(self, schema: str | None) -> Sequence[str]:
        """Return the tables of a schema."""
        found: Sequence[str] = self.backend.list_tables(database=schema)
        return found

    def found(self, name: str, schema: str | None) -> Table:
        """Return a table of a schema."""
        return self.backend.table(name, database=schema)

    def answered(self, statement: str) -> Sequence[Sequence[object]]:
        """Send a statement and return its rows."""
        with self.backend.con.cursor() as cursor:
            rows: Sequence[Sequence[object]] = cursor.execute(statement).fetchall()
        return rows


def start(url: str, *, label: str, root: Path, timezone: str) -> SnowflakeEngine:
    """Return a session of the account in the URL, in which Ibis makes nothing of its own.

    Raises:
        PlanError: the URL names no account, user or database, or has an option that is not known.
        MachineError: the connector is not installed, or the account refuses.
    """
    del root
    required("snowflake.connector", "snowflake", label)
    split, names, options = parts_of(expanded(url, label))
    unknown = sorted(set(options) - _OPTIONS)
    if not split.hostname or not split.username or len(names) not in {1, 2} or unknown:
        what = f"the URL has the unknown option '{unknown[0]}'" if unknown else "the URL is not one of a database"
        mend = "write snowflake://user:${env:SNOWFLAKE_PASSWORD}@account/database/schema?warehouse=name"
        raise PlanError(Problem(where="data.source", code="D118", what=what, mend=mend))
    from snowflake.connector.errors import Error  # noqa: PLC0415 - an extra

    try:
        backend = ibis.snowflake.connect(
            user=unquote(split.username),
            password=unquote(split.password or ""),
            account=split.hostname,
            database="/".join(names),
            create_object_udfs=False,
            login_timeout=_PATIENCE,
            session_parameters={"TIMEZONE": timezone, "QUERY_TAG": "cxcausal"},
            **options,
        )
    except Error:
        raise unreached(label, "Snowflake", "check the account, the user and the secrets' variables") from None
    backend.compiler = Snowflake(timezone)
    return SnowflakeEngine(backend=backend, label=label, timezone=timezone)
