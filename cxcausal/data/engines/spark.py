"""Spark behind Ibis: tables of its catalog and files, aggregated on this machine or on a cluster."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy.typing as npt

from cxcausal.core.errors import CxCausalError, DataError, MachineError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import RAW, Columns, Engine, Opened, Row, Table
from cxcausal.data.engines.spark_files import opened
from cxcausal.data.engines.spark_session import session_of, spark_errors
from cxcausal.data.engines.spark_sql import SparkCompiler
from cxcausal.data.sources import Source

_FULL = ("OutOfMemory", "No space left on device", "UNABLE_TO_ACQUIRE_MEMORY")
_UNREADABLE = ("FAILED_READ_FILE", "CANNOT_READ_FILE_FOOTER", "MALFORMED", "PARQUET_", "is not a Parquet file")
_UNFIT = ("ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "CAST_INVALID_INPUT", "NUMERIC_VALUE_OUT_OF_RANGE", "DIVIDE_BY_ZERO")
_ABSENT = ("FILE_NOT_EXIST", "PATH_NOT_FOUND", "FileNotFoundException")
_CANCEL_WAIT = 2.0

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Spark(Engine):
    """A session of our own; what it keeps is cached in memory, and on disk where that is full.

    Attributes:
        session: Spark's.
        frames: what is cached now, by name.
        sizes: rows of the tables that were opened.
        abandoned: holds something once a statement was broken off, after which nothing more is sent.
    """

    session: Any
    frames: dict[str, Any] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    abandoned: list[bool] = field(default_factory=list)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What Spark raises, and what is raised where it is gone."""
        return spark_errors()

    def failure(self, error: Exception) -> CxCausalError:
        """Return that memory did not suffice, that a file is damaged or not there, or that Spark is gone."""
        text = str(error)
        if any(sign in text for sign in _FULL):
            what = "the data need more memory or disk than Spark may use"
            mend = "free space below .cxcausal/tmp, or give its driver and executors more memory"
            return MachineError(Problem(where=self.label, code="D120", what=what, mend=mend))
        if any(sign in text for sign in _ABSENT):
            what = "Spark does not find a file of the data"
            mend = "let data lie on storage that every machine of the cluster sees under the same path"
            return MachineError(Problem(where=self.label, code="D116", what=what, mend=mend))
        if any(sign in text for sign in (*_UNREADABLE, *_UNFIT)):
            what = "a file is damaged, is not of the kind that its name says, or differs in its columns from the others"
            return DataError(Problem(where=self.label, code="D121", what=what, mend="export the data again"))
        what, mend = (
            "Spark broke off the computation, or can't be reached any more",
            "look into its logs, and run again",
        )
        return MachineError(Problem(where=self.label, code="D116", what=what, mend=mend))

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows; what Spark widened to decimals are whole numbers again."""
        found = self._finished(lambda: self.session.sql(statement).collect())
        return [tuple(int(one) if isinstance(one, Decimal) else one for one in row) for row in found]

    def arrays(self, expr: Table) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of an expression that aggregates, through Arrow."""
        found = self.columns(expr)
        return {name: found.column(name).to_numpy() for name in found.column_names}

    def columns(self, expr: Table) -> "pa.Table":
        """Return rows as Arrow columns."""
        with self.translated():
            statement = self.noted(self.sql(expr))
            return self._finished(lambda: self.session.sql(statement).toArrow())

    def open(self, source: Source, data: Data, needed: tuple[str, ...], name: str = RAW) -> Opened:
        """Return the rows of files, or of a table of Spark's catalog."""
        with self.translated():
            return opened(self, source, data, needed, name)

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once, as a cached view."""
        with self.translated():
            frame = self.session.sql(self.noted(self.typed(expr))).persist()
            frame.createOrReplaceTempView(name)
        self.frames[name] = frame
        return ibis.table(expr.schema(), name=name)

    def load(self, name: str, columns: Columns) -> Table:
        """Return a small table of ours, which goes to every machine when it is joined."""
        import pyarrow as pa  # noqa: PLC0415 - Ibis brings it, and only regressions need it here

        rows = pa.table(dict(columns))
        with self.translated():
            self.session.createDataFrame(rows).hint("broadcast").createOrReplaceTempView(name)
        return ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=name)

    def forget(self, name: str) -> None:
        """Drop a view that `keep` or `load` made."""
        with self.translated():
            self.session.catalog.dropTempView(name)
            frame = self.frames.pop(name, None)
            if frame is not None:
                frame.unpersist()

    def lock(self, opened: Sequence[Opened]) -> None:
        """Do nothing: Spark can't be told to; every statement of ours reads, and its views are the session's own."""

    def close(self) -> None:
        """Free what was kept; the machine stays, as starting it anew would cost seconds."""
        if self.abandoned or sys.exc_info()[0] in {KeyboardInterrupt, SystemExit}:
            return
        with self.translated():
            for name in list(self.frames):
                self.forget(name)
            if _remote(self.session):
                self.session.stop()

    def _finished(self, action: Any) -> Any:  # noqa: ANN401 - what Spark returns
        """Run a statement to its end; break it off inside Spark too where somebody breaks it off here."""
        done = False
        try:
            found = action()
            done = True
        finally:
            if not done and not isinstance(sys.exc_info()[1], Exception):
                self.abandoned.append(True)
                self._cancelled()
        return found

    def _cancelled(self) -> None:
        """Ask from another thread, whose line to Spark is free, and don't wait for long."""
        stop = self.session.interruptAll if _remote(self.session) else self.session.sparkContext.cancelAllJobs
        asking = threading.Thread(target=stop, daemon=True)
        asking.start()
        asking.join(_CANCEL_WAIT)


def _remote(session: Any) -> bool:  # noqa: ANN401 - either of Spark's two kinds
    return "connect" in type(session).__module__


def start(url: str, *, label: str, root: Path, timezone: str) -> Spark:
    """Return a fresh engine; the first one of a process starts Spark.

    Raises:
        MachineError: pyspark or Java is not installed, a secret is not set, or nobody answers at the address.
    """
    session = session_of(url, label=label, root=root, timezone=timezone)
    backend = ibis.pyspark.connect(session)
    backend.compiler = SparkCompiler()
    session.conf.set("spark.sql.session.timeZone", timezone)  # Ibis sets its own
    return Spark(backend=backend, label=label, timezone=timezone, session=session)
