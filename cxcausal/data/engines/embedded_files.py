"""From input files to one table in DuckDB, whatever their kind; text files stay text until their role is known."""

import struct
import warnings
from pathlib import Path

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.csv_files import delimiter_of, encoding_of, structure_of
from cxcausal.data.engine import Engine, Opened, Table
from cxcausal.data.sources import Source
from cxcausal.data.tables import nearest, require_columns

_FILE = "__cxcausal_file"
_ROW = "__cxcausal_row"
_PARQUET_ROW = "file_row_number"
_NOT_STATA = (ValueError, OSError, LookupError, OverflowError, AttributeError, struct.error, UnicodeWarning)
"""What the reader of Stata files raises for one that is damaged, or of another kind."""


def opened(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    """Return the rows of files or of a database file, restricted to the needed columns where they have to be copied.

    Raises:
        DataError: a file is not well formed, or lacks a needed column.
        PlanError: the CSV dialect can't be read.
    """
    openers = {
        "csv": _open_csv,
        "json": _open_json,
        "parquet": _open_parquet,
        "duckdb": _open_duckdb,
        "stata": _open_stata,
    }
    return openers[source.kind](engine, source, data, needed, name)


def _open_csv(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    found = [structure_of(file, label, data.csv, engine.progress) for file, label in source.named_files]
    header = found[0].header
    for label, structure in zip(source.names, found, strict=True):
        if structure.header != header:
            what, mend = f"its columns differ from those of {source.names[0]}", "give all files the same header"
            raise DataError(Problem(where=f"{label} row 1", code="D211", what=what, mend=mend))
    require_columns(source.label, header, needed, data)
    rows = engine.backend.read_csv(
        paths_for_engine(source.files),
        table_name=f"{name}_text",
        columns=dict.fromkeys(header, "VARCHAR"),
        auto_detect=False,
        header=True,
        delim=delimiter_of(data.csv, source.files[0]),
        quote='"',
        escape='"',
        nullstr="",
        encoding=encoding_of(data.csv),
        filename=_FILE,
    )
    opened = _kept(engine, source, rows, needed, name=name, first_row=2)
    if opened.rows != sum(structure.rows for structure in found):
        what, mend = "the rows can't be told apart for certain", "quote fields with line breaks, and end rows alike"
        raise DataError(Problem(where=source.label, code="D213", what=what, mend=mend))
    return opened


def _open_json(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    found = tuple(
        engine.backend.read_json(paths_for_engine(source.files), table_name=f"{name}_probe", sample_size=-1).columns
    )
    require_columns(source.label, found, needed, data)
    rows = engine.backend.read_json(
        paths_for_engine(source.files),
        table_name=f"{name}_text",
        columns=dict.fromkeys(needed, "VARCHAR"),
        filename=_FILE,
    )
    return _kept(engine, source, rows, needed, name=name, first_row=1)


def _open_stata(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    """Read a Stata file; labelled values stay the numbers they are stored as."""
    import pandas as pd  # noqa: PLC0415 - a second to import, for the rarest source
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnicodeWarning)  # pandas would guess an encoding, and say so on stderr
            frame = pd.read_stata(source.files[0], convert_categoricals=False)
    except _NOT_STATA:
        what, mend = "the file is not a Stata file that can be read", "save it as .dta of version 117 or later"
        raise DataError(Problem(where=source.label, code="D121", what=what, mend=mend)) from None
    require_columns(source.label, tuple(map(str, frame.columns)), needed, data)
    arrow = pa.Table.from_pandas(frame.loc[:, list(needed)], preserve_index=False)
    engine.backend.con.register(f"{name}_rows", arrow)
    table = engine.keep(name, engine.backend.table(f"{name}_rows"))
    rows = _count(engine, source, table)
    table = table.mutate(**{_ROW: table.rowid()})
    return Opened(table=table, columns=needed, rows=rows, source=source, first_row=1, row=table[_ROW], kept=True)


def _kept(engine: Engine, source: Source, rows: Table, needed: tuple[str, ...], *, name: str, first_row: int) -> Opened:
    """Copy text into the engine once, in the order of the files."""
    several = len(source.files) > 1
    table = engine.keep(name, rows.select(*needed, *([_FILE] if several else [])))
    total = _count(engine, source, table)
    table = table.mutate(**{_ROW: table.rowid()})
    return Opened(
        table=table,
        columns=needed,
        rows=total,
        source=source,
        first_row=first_row,
        row=table[_ROW],
        file=table[_FILE] if several else None,
        kept=True,
    )


def _open_parquet(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    paths, several = paths_for_engine(source.files), len(source.files) > 1
    columns = tuple(engine.backend.read_parquet(paths, table_name=f"{name}_probe").columns)
    require_columns(source.label, columns, needed, data)
    numbered = _PARQUET_ROW not in columns
    options = {"file_row_number": numbered, **({"filename": _FILE} if several else {})}
    table = engine.backend.read_parquet(paths, table_name=name, **options)
    return Opened(
        table=table,
        columns=columns,
        rows=_count(engine, source, table),
        source=source,
        first_row=1,
        row=table[_PARQUET_ROW] if numbered else None,
        file=table[_FILE] if several else None,
    )


def _open_duckdb(engine: Engine, source: Source, data: Data, needed: tuple[str, ...], name: str) -> Opened:
    path = str(source.files[0]).replace("'", "''")  # Ibis puts it between quotes as it is
    engine.backend.attach(path, name=f"{name}_source", read_only=True)
    known = _tables(engine, f"{name}_source")
    if source.table not in known:
        near = nearest(str(source.table), tuple(known))
        mend = f"did you mean '{near}'?" if near else f"tables: {', '.join(known) or 'none'}"
        what = f"the database has no table '{source.table}'"
        raise PlanError(Problem(where="data.table", code="D107", what=what, mend=mend))
    table = engine.backend.table(source.table, database=f"{name}_source.main")
    require_columns(source.label, tuple(table.columns), needed, data)
    rows, columns = _count(engine, source, table), tuple(table.columns)
    if known[str(source.table)] != "BASE TABLE":
        return Opened(table=table, columns=columns, rows=rows, source=source, first_row=1, row=None)
    table = table.mutate(**{_ROW: table.rowid()})
    return Opened(table=table, columns=columns, rows=rows, source=source, first_row=1, row=table[_ROW])


def _tables(engine: Engine, catalog: str) -> dict[str, str]:
    """Return the tables and views of the attached database, with their kind."""
    listing = engine.backend.table("tables", database="system.information_schema")
    mine = listing.filter(listing.table_catalog == catalog, listing.table_schema == "main")
    return dict(engine.fetch(mine.select("table_name", "table_type").order_by("table_name")))


def _count(engine: Engine, source: Source, table: Table) -> int:
    """Return how many rows there are; none is refused."""
    rows = int(engine.fetch(table.aggregate(n=table.count()))[0][0])
    if rows == 0:
        raise DataError(
            Problem(where=source.label, code="D207", what="there are no rows", mend="export the data again")
        )
    return rows


def paths_for_engine(files: tuple[Path, ...]) -> list[str]:
    """Return paths in which the engine sees no pattern."""
    return [_without_pattern(str(file)) for file in files]


def _without_pattern(path: str) -> str:
    """Return a path with the signs of patterns in brackets.

    Example:
        >>> _without_pattern("a[1].csv")
        'a[[]1].csv'
    """
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)
