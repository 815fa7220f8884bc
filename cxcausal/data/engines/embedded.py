"""The embedded DuckDB behind Ibis: its limits, and its failures in our words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import ibis
import numpy.typing as npt
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from cxcausal.core.errors import CxCausalError, DataError, MachineError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import RAW, Columns, Engine, Opened, Row, Table
from cxcausal.data.engines.embedded_files import opened, paths_for_engine
from cxcausal.data.functions import DIGEST_DIGITS, OwnFunctions
from cxcausal.data.memory import VARIABLE, in_words, memory_limit
from cxcausal.data.sources import Source

THREADS: int | None = None
"""How many threads the engine may use; None for as many as there are cores."""

_COMPILED: dict[Any, str] = {}
"""The SQL of every expression of this process; sessions differ in their rows, never in what they make of words."""
_MOST_COMPILED = 4_000


_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.SerializationException,
    duckdb.ConversionException,
    duckdb.NotSupportedError,
    duckdb.OutOfRangeException,
)
"""What the engine raises for a file that it can't read; and its bare `Error`, which is a reader's of one format."""


class _Compiler(OwnFunctions, DuckDBCompiler):  # type: ignore[misc] # Ibis is not fully typed
    """DuckDB's SQL, which is what other engines are held to."""

    __slots__ = ()

    def digest(self, text: sge.Expression) -> sge.Expression:
        """Return the first 60 bits of a text's MD5."""
        first = self.f.concat("0x", self.f.left(self.f.md5(text), DIGEST_DIGITS))
        return sge.cast(first, "bigint", dialect=self.dialect)

    def moment_in(self, zone: sge.Expression, at: sge.Expression) -> sge.Expression:
        """Return a time without a zone, in the zone of the session."""
        return sge.cast(self.f.anon.timezone(zone, at), "timestamp", dialect=self.dialect)


@dataclass(frozen=True, kw_only=True)
class Embedded(Engine):
    """One private in-memory database.

    Attributes:
        spill: where the engine puts what does not fit into memory.
        kept: every table that was kept, by name and expression.
    """

    at_home: ClassVar[bool] = True

    spill: Path
    kept: dict[tuple[str, Any], Table] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What DuckDB raises."""
        return duckdb.Error, MemoryError

    def failure(self, error: Exception) -> CxCausalError | None:
        """Return that the memory did not suffice, or that a file is damaged."""
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or str(self.spill) in str(error):
            return self._too_large()
        if not isinstance(error, _UNREADABLE) and type(error) is not duckdb.Error:
            return None
        what = "a file is damaged, is not of the kind that its name says, or differs in its columns from the others"
        return DataError(Problem(where=self.label, code="D121", what=what, mend="export the data again"))

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows."""
        found: list[Row] = self.backend.raw_sql(statement).fetchall()
        return found

    def arrays(self, expr: Table) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of an expression that aggregates."""
        with self.translated():
            found: dict[str, npt.NDArray[Any]] = self.backend.raw_sql(self.noted(self.sql(expr))).fetchnumpy()
        return found

    def open(self, source: Source, data: Data, needed: tuple[str, ...], name: str = RAW) -> Opened:
        """Return the rows of files or of a DuckDB database."""
        with self.translated():
            return opened(self, source, data, needed, name)

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once, as a temporary table."""
        with self.translated():
            known = (name, expr.op())
            # The name is one of our own.
            self.backend.raw_sql(self.noted(f"CREATE TEMP TABLE {name} AS {self.typed(expr)}"))
            if known not in self.kept:
                self.kept[known] = self.backend.table(name)
            return self.kept[known]

    def load(self, name: str, columns: Columns) -> Table:
        """Return a small table of ours."""
        import pyarrow as pa  # noqa: PLC0415 - Ibis brings it, and only regressions need it here

        return self.backend.create_table(name, ibis.memtable(pa.table(dict(columns))), temp=True)

    def forget(self, name: str) -> None:
        """Drop a table that `keep` or `load` made."""
        self.backend.raw_sql(f"DROP TABLE {name}")  # the name is one of our own; Ibis 12 forgets it here

    def lock(self, opened: Sequence[Opened]) -> None:
        """Let the engine read these files from now on, write nowhere, and change no setting."""
        files = [one.source.files for one in opened if not one.kept]
        paths = ", ".join(_quoted(path) for these in files for path in (*map(str, these), *paths_for_engine(these)))
        self.backend.raw_sql(f"SET allowed_paths=[{paths}]")
        self.backend.raw_sql("SET enable_external_access=false")
        self.backend.raw_sql("SET lock_configuration=true")

    def close(self) -> None:
        """Free the memory and the files."""
        self.backend.disconnect()

    def _too_large(self) -> MachineError:
        limit = in_words(memory_limit())
        what = f"the data need more than the {limit} of memory that the engine may use, and it can't use the disk"
        mend = f"make .cxcausal/tmp writable with space left, allow more with {VARIABLE}, or store the data as Parquet"
        return MachineError(Problem(where=self.label, code="D120", what=what, mend=mend))


def start(url: str, *, label: str, root: Path, timezone: str) -> Embedded:
    """Return a fresh engine that loads no extension; it spills to `.cxcausal/tmp` below the root where it must."""
    del url  # there is nothing to connect to
    backend, spill = ibis.duckdb.connect(), root / ".cxcausal" / "tmp"
    backend.compiler = _Compiler()
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": _quoted(f"{memory_limit()}B"),
        "temp_directory": _quoted(str(spill)),
        "TimeZone": _quoted(timezone),
        "enable_progress_bar": "false",
        # A Parquet file's smallest and largest value leave NaN out, and with them isnan() would be folded to false.
        "disabled_optimizers": _quoted("statistics_propagation"),
    }
    if THREADS is not None:
        settings["threads"] = str(THREADS)
    for name, value in settings.items():
        backend.raw_sql(f"SET {name}={value}")
    if len(_COMPILED) > _MOST_COMPILED:
        _COMPILED.clear()
    return Embedded(backend=backend, label=label, timezone=timezone, spill=spill, compiled=_COMPILED)


def _quoted(text: str) -> str:
    """Return an SQL text literal."""
    return "'" + text.replace("'", "''") + "'"
