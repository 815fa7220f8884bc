"""The embedded DuckDB behind Ibis: its limits, its one way to hand out aggregates, and its failures in our words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy.typing as npt

from cxcausal.core.errors import DataError, MachineError, Problem
from cxcausal.data.memory import VARIABLE, in_words, memory_limit

Table = Any
"""An Ibis table expression; Ibis is not fully typed."""
Value = Any
"""An Ibis column or scalar expression."""

THREADS: int | None = None
"""How many threads the engine may use; None for as many as there are cores."""
_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.SerializationException,
    duckdb.ConversionException,
    duckdb.NotSupportedError,
    duckdb.OutOfRangeException,
)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One private in-memory database.

    Attributes:
        backend: Ibis's connection.
        label: names the data in messages.
        spill: where the engine puts what does not fit into memory.
        compiled: the SQL of every expression so far; compiling one again costs more than running it on small data.
        kept: every table that was kept, by name and expression. again: the SQL of those that were kept again.
    """

    backend: Any
    label: str
    spill: Path
    compiled: dict[Any, str] = field(default_factory=dict)
    kept: dict[tuple[str, Any], Table] = field(default_factory=dict)
    again: dict[tuple[str, Any], str] = field(default_factory=dict)

    def fetch(self, expr: Table) -> list[tuple[Any, ...]]:
        """Return the rows of an expression that aggregates; exact integers of any size stay integers.

        Raises:
            MachineError: the data need more memory than the limit.
            DataError: a file turned out to be damaged.
        """
        with self.translated():
            operation = expr.op()
            if operation not in self.compiled:
                self.compiled[operation] = self.backend.compile(expr)
            cursor = self.backend.raw_sql(self.compiled[operation])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def arrays(self, expr: Table) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of an expression that aggregates, for answers of very many rows; none may be null.

        Raises:
            MachineError: the data need more memory than the limit.
            DataError: a file turned out to be damaged.
        """
        with self.translated():
            found: dict[str, npt.NDArray[Any]] = self.backend.raw_sql(self.backend.compile(expr)).fetchnumpy()
        return found

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once, as a table inside the engine."""
        with self.translated():
            known = (name, expr.op())
            if known not in self.kept:
                self.kept[known] = self.backend.create_table(name, expr, temp=True)
                return self.kept[known]
            if known not in self.again:
                self.again[known] = self.backend.compile(expr)
            self.backend.raw_sql(f"CREATE TEMP TABLE {name} AS {self.again[known]}")  # the name is one of our own
            return self.kept[known]

    def forget(self, name: str) -> None:
        """Drop a table that `keep` made."""
        self.backend.raw_sql(f"DROP TABLE {name}")  # the name is one of our own; Ibis 12 forgets it here

    def lock(self, files: Sequence[str]) -> None:
        """Let the engine read these files from now on, write nowhere, and change no setting."""
        paths = ", ".join(_quoted(file) for file in files)
        self.backend.raw_sql(f"SET allowed_paths=[{paths}]")
        self.backend.raw_sql("SET enable_external_access=false")
        self.backend.raw_sql("SET lock_configuration=true")

    def close(self) -> None:
        """Free the memory and the files."""
        self.backend.disconnect()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the engine's failures into ours; its own messages could quote rows, so they are not passed on."""
        try:
            yield
        except (duckdb.OutOfMemoryException, MemoryError):
            raise self._too_large() from None
        except _UNREADABLE as error:
            if str(self.spill) in str(error):
                raise self._too_large() from None
            what = "a file is damaged, is not of the kind that its name says, or differs in its columns from the others"
            raise DataError(Problem(where=self.label, code="D121", what=what, mend="export the data again")) from None

    def _too_large(self) -> MachineError:
        limit = in_words(memory_limit())
        what = f"the data need more than the {limit} of memory that the engine may use, and it can't use the disk"
        mend = f"make .cxcausal/tmp writable with space left, allow more with {VARIABLE}, or store the data as Parquet"
        return MachineError(Problem(where=self.label, code="D120", what=what, mend=mend))


def start_engine(label: str, *, root: Path, timezone: str) -> Engine:
    """Return a fresh engine that loads no extension; it spills to `.cxcausal/tmp` below the root where it must."""
    limit, spill = memory_limit(), root / ".cxcausal" / "tmp"
    backend = ibis.duckdb.connect()
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": _quoted(f"{limit}B"),
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
    return Engine(backend=backend, label=label, spill=spill)


def _quoted(text: str) -> str:
    """Return an SQL text literal."""
    return "'" + text.replace("'", "''") + "'"
