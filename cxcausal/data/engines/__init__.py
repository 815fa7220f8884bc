"""Engines: where the tables of a plan are read and aggregated, and which of them a source needs."""

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.progress import SILENT, Progress
from cxcausal.data.engine import Engine
from cxcausal.data.sources import Source
from cxcausal.data.urls import refuse_password, scheme_of

EMBEDDED = "duckdb"

_ENGINES = {
    EMBEDDED: "cxcausal.data.engines.embedded:start",
    "bigquery": "cxcausal.data.engines.bigquery:start",
    "snowflake": "cxcausal.data.engines.snowflake:start",
    "spark": "cxcausal.data.engines.spark:start",
    "sc": "cxcausal.data.engines.spark:start",
    **dict.fromkeys(("postgresql", "postgres"), "cxcausal.data.engines.postgres:start"),
}
"""By the scheme of a URL, or the name in `configs/project.yaml`: the function that starts it."""
_READ_FILES = frozenset({EMBEDDED, "spark", "sc"})
"""Engines that read files; a database reads its own tables."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """What an engine is started with: what the project's file says of it, and who listens.

    Attributes:
        engine: `duckdb`, `spark`, or a URL, in which `${env:NAME}` may stand.
        timezone: of times without one, such as `Europe/Berlin`.
        progress: told what is being read, and of every statement.
    """

    engine: str = EMBEDDED
    timezone: str = "UTC"
    progress: Progress = SILENT


PLAIN = Session()
"""The embedded engine, in UTC."""


def start_engine(source: Source, *, root: Path, session: Session) -> Engine:
    """Return the engine that reads a source.

    A table named without a URL lies in the project's engine. Files are read by the project's engine where that reads
    files, and else by the embedded one.

    Args:
        source: what is to be read.
        root: the project's.
        session: the project's engine and time zone.

    Raises:
        PlanError: there is no such engine.
        MachineError: it can't be reached, or its package is not installed.
    """
    url = url_of(source, session.engine)
    scheme = scheme_of(url)
    if source.database is None:
        refuse_password(url, "configs/project.yaml engine")
    if source.kind == "table" and scheme == EMBEDDED:
        what = "a table without a file or a URL lies in the project's engine, and that is no database"
        mend = "say engine: postgresql://… in configs/project.yaml, or name a file"
        raise PlanError(Problem(where=source.label, code="D101", what=what, mend=mend))
    if scheme not in _ENGINES:
        what, mend = f"'{scheme}' is not an engine of this version", f"use one of {', '.join(_ENGINES)}"
        raise PlanError(Problem(where="configs/project.yaml engine", code="D101", what=what, mend=mend))
    module, _, function = _ENGINES[scheme].partition(":")
    start = getattr(import_module(module), function)
    started: Engine = start(url, label=source.label, root=root, timezone=session.timezone)
    return replace(started, progress=session.progress)


def url_of(source: Source, engine: str) -> str:
    """Return which engine reads a source, of those that `start_engine` knows.

    Example:
        >>> url_of(Source(kind="csv", files=(), names=()), "postgresql://localhost/shop")
        'duckdb'
        >>> url_of(Source(kind="table", files=(), names=(), table="units"), "postgresql://localhost/shop")
        'postgresql://localhost/shop'
    """
    url = source.database or engine
    if source.kind == "duckdb":
        return EMBEDDED
    return url if source.kind == "table" or scheme_of(url) in _READ_FILES else EMBEDDED


def refuse_table(source: Source, verb: str) -> None:
    """Refuse a table of a database where this version reads files only.

    Raises:
        PlanError: it is one.
    """
    if source.kind == "table":
        what = f"`{verb}` reads files, and this is a table of a database"
        mend = "export it to a Parquet or CSV file, and name that"
        raise PlanError(Problem(where=source.label, code="D117", what=what, mend=mend))
