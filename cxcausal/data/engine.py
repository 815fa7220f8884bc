"""What an engine is: where a plan's tables lie and are aggregated, whichever database computes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import sqlglot as sg
import sqlglot.expressions as sge

from cxcausal.core.errors import CxCausalError
from cxcausal.core.progress import SILENT, Progress, Queried
from cxcausal.core.spec.models import Data
from cxcausal.data.sources import Source

if TYPE_CHECKING:
    import pyarrow as pa

Table = Any
"""An Ibis table expression; Ibis is not fully typed."""
Value = Any
"""An Ibis column or scalar expression."""
Row = tuple[Any, ...]
Columns = Mapping[str, Sequence[str | float | None]]
"""A small table of ours: every column has at least one value that is not None, of which all others are alike."""
RAW = "raw"
_TYPED = "typed"
"""How the table of units is named inside an engine."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The rows as they are stored.

    Attributes:
        table: the columns, under their own names.
        columns: the names that may be asked for.
        rows: how many there are.
        source: the files.
        first_row: the row number of the first row: 2 below a header.
        row: the number of a row in its file, from 0; None where the store has none.
        file: the path of a row's file, where there are several.
        kept: the rows were copied into the engine, and the files are not read again.
    """

    table: Table
    columns: tuple[str, ...]
    rows: int
    source: Source
    first_row: int
    row: Value | None
    file: Value | None = None
    kept: bool = False


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement in the engine's own dialect, and what it was sent for."""

    purpose: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class Engine(ABC):
    """One connection, private to a run, that hands out aggregates.

    Every engine gives the same numbers: a cast from a float to a whole number rounds to the nearest, halves to even;
    sums of whole numbers are exact at any size; a division of whole numbers is one of floats; text is compared byte by
    byte; times without a zone are of the project's. Where a database does it otherwise, its engine's compiler mends it.

    Attributes:
        backend: Ibis's connection.
        label: names the data in messages.
        timezone: the project's.
        compiled: the SQL of every expression so far; compiling one again costs more than running it on small data.
            An engine whose sessions all speak alike may share it among them: it holds no data.
        sent: every statement that was sent, in order.
        purposes: what is being done, the innermost last; see `doing`.
        progress: is told of every statement.
        at_home: rows lie in files of this machine, so that a run may keep what is needed of them.
    """

    at_home: ClassVar[bool] = False

    backend: Any
    label: str
    timezone: str
    compiled: dict[Any, str] = field(default_factory=dict)
    sent: list[Statement] = field(default_factory=list)
    purposes: list[str] = field(default_factory=list)
    progress: Progress = SILENT

    def fetch(self, expr: Table) -> list[Row]:
        """Return the rows of an expression that aggregates; exact integers of any size stay integers.

        Raises:
            MachineError: the data need more memory than the limit, or the database can't be reached.
            DataError: a file turned out to be damaged.
        """
        with self.translated():
            return self.rows(self.noted(self.sql(expr)))

    def arrays(self, expr: Table) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of an expression that aggregates, for answers of very many rows; none may be null.

        Raises:
            MachineError, DataError: as `fetch`.
        """
        columns = list(zip(*self.fetch(expr), strict=True)) or [()] * len(expr.columns)
        return {name: np.array(column) for name, column in zip(expr.columns, columns, strict=True)}

    def columns(self, expr: Table) -> "pa.Table":
        """Return rows as Arrow columns: the one way by which rows leave an engine, into the memory of this run.

        Raises:
            MachineError, DataError: as `fetch`.
        """
        with self.translated():
            self.noted(self.sql(expr))
            return self.backend.to_pyarrow(expr)

    def sql(self, expr: Table) -> str:
        """Return the statement of an expression in the engine's own dialect."""
        operation = expr.op()
        known = self.compiled.get(operation)
        if known is None:
            known = self.compiled[operation] = self.backend.compile(expr)
        return known

    def typed(self, expr: Table) -> str:
        """Return the statement of an expression whose columns have the types that Ibis takes them for.

        Databases give sums of whole numbers a wider type, which shifts and joins would trip over.
        """
        key = (_TYPED, expr.op())
        known = self.compiled.get(key)
        if known is None:
            known = self.compiled[key] = self._typed(expr)
        return known

    def _typed(self, expr: Table) -> str:
        compiler = self.backend.compiler
        columns = (
            sge.cast(sge.column(name, quoted=True), compiler.type_mapper.from_ibis(kind)).as_(name, quoted=True)
            for name, kind in expr.schema().items()
        )
        selected = ", ".join(column.sql(dialect=compiler.dialect) for column in columns)
        return f"SELECT {selected} FROM ({self.sql(expr)}) AS typed"  # noqa: S608 - compiled and quoted

    def noted(self, statement: str) -> str:
        """Return a statement that is about to be sent."""
        self.progress.tell(Queried())
        self.sent.append(Statement(purpose=self.purposes[-1] if self.purposes else "", sql=statement))
        return statement

    def statements(self) -> tuple[Statement, ...]:
        """Return what was sent, laid out for a reader."""
        dialect = self.backend.compiler.dialect
        return tuple(
            Statement(purpose=one.purpose, sql=sg.transpile(one.sql, read=dialect, write=dialect, pretty=True)[0])
            for one in self.sent
        )

    @contextmanager
    def doing(self, purpose: str) -> Iterator[None]:
        """Note, with every statement that is sent within, what it is sent for."""
        self.purposes.append(purpose)
        try:
            yield
        finally:
            self.purposes.pop()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the engine's failures into ours; its own messages could quote rows, so they are not passed on."""
        try:
            yield
        except self.failures as error:
            found = self.failure(error)
            if found is None:
                raise
            raise found from None

    @property
    @abstractmethod
    def failures(self) -> tuple[type[Exception], ...]:
        """What the database raises."""

    @abstractmethod
    def failure(self, error: Exception) -> CxCausalError | None:
        """Return what one of `failures` means, in our words; None where it is a mistake of ours."""

    @abstractmethod
    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows."""

    @abstractmethod
    def open(self, source: Source, data: Data, needed: tuple[str, ...], name: str = RAW) -> Opened:
        """Return the rows of a source, restricted to the needed columns where they have to be copied.

        Args:
            source: files, or a table of the database.
            data: the dialect, and the columns that the plan computes.
            needed: the columns that must be there.
            name: of the table inside the engine, a different one for every source of a plan.

        Raises:
            DataError: a file is not well formed, or lacks a needed column.
            PlanError: the dialect can't be read, or there is no such table.
        """

    @abstractmethod
    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once, as a table inside the engine."""

    @abstractmethod
    def load(self, name: str, columns: Columns) -> Table:
        """Return a small table of ours inside the engine; `forget` drops it."""

    @abstractmethod
    def forget(self, name: str) -> None:
        """Drop a table that `keep` or `load` made."""

    @abstractmethod
    def lock(self, opened: Sequence[Opened]) -> None:
        """Let the engine read nothing but what was opened from now on, and write nowhere, where it can be told so."""

    @abstractmethod
    def close(self) -> None:
        """Free the memory and the files, or the connection."""
