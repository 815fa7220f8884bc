"""From files and tables of a catalog to views in Spark; text files stay text until their role is known."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import ibis
import ibis.expr.datatypes as dt

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.csv_files import Structure, delimiter_of, encoding_of, structure_of
from cxcausal.data.engine import Opened, Row, Table
from cxcausal.data.engines.spark_session import set_where_allowed
from cxcausal.data.sources import Source
from cxcausal.data.tables import nearest, require_columns

Frame = Any
"""Spark's."""
_SMALL, _PART, _MOST_PARTS = 20_000, 250_000, 200
"""Rows that are read faster without compiling, rows in a part of a shuffle, and parts."""
_PATTERN_SIGNS = "*?[]{}\\"
_TABLES_LISTED = 20
_NOT_READ = frozenset({"BinaryType", "ArrayType", "MapType", "StructType", "VariantType", "CalendarIntervalType"})


class Home(Protocol):
    """What an engine of Spark offers to its openers."""

    @property
    def session(self) -> Any:  # noqa: ANN401 - Spark's own
        """The session."""

    @property
    def sizes(self) -> list[int]:
        """Rows of the tables that were opened."""

    def fetch(self, expr: Table) -> list[Row]:
        """Return the rows of an expression that aggregates."""

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` computed once."""


def opened(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    """Return the rows of files or of a table; those of text files are copied into Spark's cache.

    Raises:
        DataError: a file is not well formed, or lacks a needed column.
        PlanError: the CSV dialect can't be read, or there is no such table.
    """
    openers: dict[str, Callable[..., Opened]] = {
        "csv": _open_csv,
        "json": _open_json,
        "parquet": _open_parquet,
        "stata": _open_stata,
        "table": _open_table,
    }
    return openers[source.kind](engine, source, data, needed, name)


def paths_for_spark(files: tuple[Path, ...]) -> list[str]:
    r"""Return paths in which Spark sees no pattern, and no file system but the one of this machine.

    Example:
        >>> paths_for_spark((Path("/data/a[1].csv"),))
        ['file:///data/a\\[1\\].csv']
    """
    plain = ("".join(f"\\{sign}" if sign in _PATTERN_SIGNS else sign for sign in str(file)) for file in files)
    return [f"file://{path}" for path in plain]


def _fit_to_size(engine: Home, rows: int) -> None:
    """Set how statements are run by the largest table so far.

    Of small data, every part of a shuffle costs more than it saves, and so does compiling each statement to bytecode.
    """
    engine.sizes.append(rows)
    most = max(engine.sizes)
    large = str(most > _SMALL).lower()
    settings = {
        "spark.sql.shuffle.partitions": str(max(1, min(_MOST_PARTS, most // _PART))),
        "spark.sql.adaptive.enabled": large,
        "spark.sql.codegen.wholeStage": large,
        "spark.sql.codegen.factoryMode": "FALLBACK" if most > _SMALL else "NO_CODEGEN",
    }
    set_where_allowed(engine.session, settings)


def _open_csv(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    found = [structure_of(file, label, data.csv) for file, label in source.named_files]
    header = found[0].header
    for label, structure in zip(source.names, found, strict=True):
        if structure.header != header:
            what, mend = f"its columns differ from those of {source.names[0]}", "give all files the same header"
            raise DataError(Problem(where=f"{label} row 1", code="D211", what=what, mend=mend))
    require_columns(source.label, header, needed, data)
    encoding = {"latin-1": "ISO-8859-1"}.get(encoding_of(data.csv), encoding_of(data.csv).upper())
    options = {"sep": delimiter_of(data.csv, source.files[0]), "quote": '"', "escape": '"', "encoding": encoding}
    rows = _csv_rows(engine, source, found, options)
    return _kept(engine, source, _texts(rows, needed), needed, name)


def _csv_rows(engine: Home, source: Source, found: Sequence[Structure], options: dict[str, str]) -> Frame:
    """Return the rows line by line, on all cores; where that gives other than the known number, file by file.

    A field with a line break makes more lines than rows, and never as many.
    """
    schema = ", ".join(f"`{column.replace('`', '``')}` STRING" for column in found[0].header)
    expected = sum(structure.rows for structure in found)
    for several in (True,) if options["encoding"] == "UTF-16" else (False, True):
        reader = engine.session.read.schema(schema).options(header=True, multiLine=several, mode="FAILFAST", **options)
        rows = reader.csv(paths_for_spark(source.files))
        # Columns that are not asked for are not parsed, and all lines are alike then.
        if rows.select(rows.columns[0]).count() == expected:
            return rows
    what, mend = "the rows can't be told apart for certain", "quote fields with line breaks, and end rows alike"
    raise DataError(Problem(where=source.label, code="D213", what=what, mend=mend))


def _open_json(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    options = {"multiLine": any(_is_array(file) for file in source.files), "mode": "FAILFAST"}
    paths = paths_for_spark(source.files)
    columns = tuple(engine.session.read.options(primitivesAsString=True, **options).json(paths).columns)
    require_columns(source.label, columns, needed, data)
    schema = ", ".join(f"`{column.replace('`', '``')}` STRING" for column in needed)
    rows = engine.session.read.schema(schema).options(**options).json(paths)
    return _kept(engine, source, _texts(rows, needed), needed, name)


def _is_array(file: Path) -> bool:
    """Tell whether a JSON file is one list instead of one object per line."""
    with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as stream:
        start: bytes = stream.read(1 << 12)
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _open_stata(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    """Read a Stata file; labelled values stay the numbers they are stored as."""
    import pandas as pd  # noqa: PLC0415 - a second to import, for the rarest source
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        frame = pd.read_stata(source.files[0], convert_categoricals=False)
    except (ValueError, OSError):
        what, mend = "the file is not a Stata file that can be read", "save it as .dta of version 117 or later"
        raise DataError(Problem(where=source.label, code="D121", what=what, mend=mend)) from None
    require_columns(source.label, tuple(map(str, frame.columns)), needed, data)
    arrow = pa.Table.from_pandas(frame.loc[:, list(needed)], preserve_index=False)
    return _kept(engine, source, engine.session.createDataFrame(arrow), needed, name)


def _open_parquet(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    schemas = [_footer(file, source) for file in source.files]
    if any(set(one.names) != set(schemas[0].names) for one in schemas):
        what = "a file is damaged, is not of the kind that its name says, or differs in its columns from the others"
        raise DataError(Problem(where=source.label, code="D121", what=what, mend="export the data again"))
    require_columns(source.label, tuple(schemas[0].names), needed, data)
    rows = engine.session.read.parquet(*paths_for_spark(source.files))
    return _viewed(engine, source, rows.selectExpr(*_columns(schemas[0], rows)), name)


def _footer(file: Path, source: Source) -> Any:  # noqa: ANN401 - pyarrow is not typed
    """Return the schema that a Parquet file tells of itself."""
    import pyarrow as pa  # noqa: PLC0415 - Ibis brings it, and only Parquet needs it here
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError):
        what = "a file is damaged, is not of the kind that its name says, or differs in its columns from the others"
        raise DataError(Problem(where=source.label, code="D121", what=what, mend="export the data again")) from None


def _columns(schema: Any, rows: Frame) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield every column as it is; Spark knows no nanoseconds and has whole numbers for them."""
    stored = set(rows.columns)
    for name in schema.names:
        quoted, kind = f"`{name.replace('`', '``')}`", schema.field(name).type
        if name in stored and str(kind).startswith("timestamp[ns"):
            micros = f"{quoted} div 1000"
            local = f"timestampadd(MICROSECOND, {micros}, TIMESTAMP_NTZ '1970-01-01 00:00:00')"
            yield f"{f'timestamp_micros({micros})' if kind.tz else local} AS {quoted}"
        elif name in stored:
            yield quoted


def _open_table(engine: Home, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    parts = str(source.table).split(".")
    found = ".".join(f"`{part.replace('`', '``')}`" for part in parts)
    if not engine.session.catalog.tableExists(found):
        known = _tables(engine, parts[:-1])
        near = nearest(str(source.table), known)
        listed = ", ".join(known[:_TABLES_LISTED]) or "none"
        mend = f"did you mean '{near}'?" if near else f"tables: {listed}"
        what = f"the catalog has no table '{source.table}'"
        raise PlanError(Problem(where="data.table", code="D107", what=what, mend=mend))
    rows = engine.session.table(found)
    require_columns(source.label, tuple(rows.columns), needed, data)
    return _viewed(engine, source, rows.select(*(f"`{column.replace('`', '``')}`" for column in needed)), name)


def _tables(engine: Home, parts: Sequence[str]) -> tuple[str, ...]:
    """Return the tables beside the one that is asked for, as a plan names them."""
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - half a second, for this engine only

    place = ".".join(f"`{part.replace('`', '``')}`" for part in parts)
    try:
        found = engine.session.sql(f"SHOW TABLES IN {place}" if parts else "SHOW TABLES").collect()
    except AnalysisException:
        return ()
    return tuple(sorted(".".join((*parts, row.tableName)) for row in found if not row.isTemporary))


def _viewed(engine: Home, source: Source, rows: Frame, name: str) -> Opened:
    """Return rows that are read again by every statement; Spark does not number them."""
    rows.createOrReplaceTempView(name)
    table = ibis.table(_schema(rows), name=name)
    return Opened(
        table=table,
        columns=tuple(table.columns),
        rows=_count(engine, source, table),
        source=source,
        first_row=1,
        row=None,
    )


def _kept(engine: Home, source: Source, rows: Frame, needed: tuple[str, ...], name: str) -> Opened:
    """Copy text into Spark's cache once."""
    rows.createOrReplaceTempView(f"{name}_text")
    table = engine.keep(name, ibis.table(_schema(rows), name=f"{name}_text"))
    total = _count(engine, source, table)
    return Opened(table=table, columns=needed, rows=total, source=source, first_row=1, row=None, kept=True)


def _texts(rows: Frame, needed: tuple[str, ...]) -> Frame:
    return rows.select(*(f"`{column.replace('`', '``')}`" for column in needed))


def _schema(rows: Frame) -> ibis.Schema:
    """Return the columns that have a type of ours; those of nested or binary values are not offered."""
    from ibis.backends.pyspark.datatypes import PySparkType  # noqa: PLC0415 - imports pyspark

    fields = {field.name: field.dataType for field in rows.schema.fields}
    moments = {"TimestampType": dt.Timestamp("UTC"), "TimestampNTZType": dt.Timestamp()}
    return ibis.schema(
        {
            name: moments.get(type(kind).__name__) or PySparkType.to_ibis(kind)
            for name, kind in fields.items()
            if type(kind).__name__ not in _NOT_READ
        }
    )


def _count(engine: Home, source: Source, table: Table) -> int:
    """Return how many rows there are, after fitting the session to them; none is refused."""
    rows = int(engine.fetch(table.aggregate(n=table.count()))[0][0])
    if rows == 0:
        raise DataError(
            Problem(where=source.label, code="D207", what="there are no rows", mend="export the data again")
        )
    _fit_to_size(engine, rows)
    return rows
