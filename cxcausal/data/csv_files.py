"""The structure of CSV files, read strictly and in full before the engine sees them: header, widths, encoding."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.progress import SILENT, CountedReader, Progress
from cxcausal.core.spec.models import Csv
from cxcausal.data.csv_scan import regular_rows

_ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1"}
_ALIASES = {"utf8": "utf-8", "utf-8-sig": "utf-8", "utf16": "utf-16", "latin1": "latin-1", "iso-8859-1": "latin-1"}
_DELIMITERS = (";", "\t", "|", ",")
_LONGEST_FIELD = 1_000_000
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The column names of a CSV file, and how many rows it has."""

    header: tuple[str, ...]
    rows: int


def encoding_of(dialect: Csv) -> str:
    """Return the encoding's name as the engine knows it.

    Raises:
        PlanError: it can't be read.

    Example:
        >>> encoding_of(Csv(encoding="ISO-8859-1"))
        'latin-1'
    """
    name = dialect.encoding.lower()
    name = _ALIASES.get(name, name)
    if name in _ENCODINGS:
        return name
    near = get_close_matches(name, _ENCODINGS, n=1)
    mend = f"did you mean {near[0]}?" if near else f"convert the file to UTF-8, or use one of {', '.join(_ENCODINGS)}"
    what = f"the encoding '{dialect.encoding}' is not known"
    raise PlanError(Problem(where="data.csv.encoding", code="D201", what=what, mend=mend))


def delimiter_of(dialect: Csv, file: Path) -> str:
    r"""Return the delimiter: the plan's, or a tab for `.tsv` files of which the plan says nothing.

    Example:
        >>> delimiter_of(Csv(), Path("x.tsv.gz"))
        '\t'
    """
    tabbed = ".tsv" in [suffix.lower() for suffix in file.suffixes]
    return "\t" if tabbed and dialect.delimiter == "," else dialect.delimiter


def structure_of(file: Path, name: str, dialect: Csv, progress: Progress = SILENT) -> Structure:
    """Read a whole CSV file for its structure: fast where it is plain, and else row by row.

    Raises:
        DataError: the file has no rows, another encoding or delimiter, repeated column names, rows that are too long
            or too short, open quotes, or NUL bytes.
        PlanError: the encoding is not known.
    """
    encoding, delimiter = encoding_of(dialect), delimiter_of(dialect, file)
    _refuse_utf16(file, name, encoding)
    plain = _plain_structure(file, name, encoding, delimiter, progress)
    if plain is not None:
        return plain
    with progress.stage(f"checking {name} row by row"), _opened(file, _ENCODINGS[encoding]) as stream:
        previous = csv.field_size_limit(_LONGEST_FIELD)
        try:
            return _read(stream, name, delimiter)
        except UnicodeError:
            what, mend = "the file is not UTF-8", "save it as UTF-8, or say csv: {encoding: latin-1}"
            raise DataError(Problem(where=name, code="D203", what=what, mend=mend)) from None
        finally:
            csv.field_size_limit(previous)


def _plain_structure(file: Path, name: str, encoding: str, delimiter: str, progress: Progress) -> Structure | None:
    """Return the structure of a file in which every row has the header's width, None where that is not certain."""
    if encoding == "utf-16":
        return None
    total = None if file.suffix.lower() == ".gz" else file.stat().st_size
    with progress.stage(f"checking {name}", total, "bytes") as checking, _binary(file) as stream:
        counted = cast("BinaryIO", CountedReader(stream, checking))
        found = regular_rows(counted, delimiter, utf8=encoding == "utf-8")
    if found is None:
        return None
    first, rows = found
    header = tuple(next(csv.reader(StringIO(first.decode(encoding), newline=""), delimiter=delimiter, strict=True)))
    _refuse_header(header, name, delimiter)
    return Structure(header=header, rows=rows)


def _read(stream: TextIO, name: str, delimiter: str) -> Structure:
    reader = csv.reader(_without_nul(stream, name), delimiter=delimiter, strict=True)
    rows, ragged, begins = 0, [], 1
    try:
        header = tuple(next(reader, ()))
        _refuse_header(header, name, delimiter)
        for row in reader:
            rows += bool(row)
            if row and len(row) != len(header):
                ragged.append((begins + 1, len(row)))
            begins = reader.line_num
    except csv.Error:
        what = "a quoted field is not closed, or goes on behind its closing quote"
        mend = "double the quotes inside a field, and close every quote"
        raise DataError(Problem(where=f"{name} row {begins + (rows > 0)}", code="D206", what=what, mend=mend)) from None
    if ragged:
        raise DataError(_ragged(name, len(header), ragged))
    if rows == 0:
        what = "the file has a header and no rows"
        raise DataError(Problem(where=name, code="D207", what=what, mend="export it again, with its rows"))
    return Structure(header=header, rows=rows)


def _without_nul(stream: TextIO, name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        if "\0" in line:
            what, mend = "there is a NUL byte in the text", "export it again; the file may be damaged, or not be text"
            raise DataError(Problem(where=f"{name} row {number}", code="D204", what=what, mend=mend))
        yield line


def _refuse_utf16(file: Path, name: str, encoding: str) -> None:
    with _binary(file) as stream:
        start = stream.read(2)
    if start in {b"\xff\xfe", b"\xfe\xff"} and encoding != "utf-16":
        mend = "say csv: {encoding: utf-16} below data, or save it as UTF-8"
        raise DataError(Problem(where=name, code="D203", what="the file is UTF-16", mend=mend))


def _refuse_header(header: tuple[str, ...], name: str, delimiter: str) -> None:
    """Refuse a header that can't name columns; its words are shown only where they are repeated names."""
    if not header:
        what, mend = "the file is empty", "export it again, with a header and rows"
        raise DataError(Problem(where=name, code="D207", what=what, mend=mend))
    other = next((sign for sign in _DELIMITERS if sign != delimiter and sign in header[0]), None)
    if len(header) == 1 and other is not None:
        shown = "\\t" if other == "\t" else other
        what, mend = (
            f"the whole header is one column; it holds '{shown}'",
            f'say csv: {{delimiter: "{shown}"}} below data',
        )
        raise DataError(Problem(where=f"{name} row 1", code="D208", what=what, mend=mend))
    folded = [column.casefold() for column in header]
    twice = [column for column in header if column and folded.count(column.casefold()) > 1]
    if twice:
        named = ", ".join(f"'{column}'" for column in twice)
        what, mend = f"column names are repeated, or differ in case only: {named}", "give every column its own name"
        raise DataError(Problem(where=f"{name} row 1", code="D209", what=what, mend=mend))
    if "" in header:
        what, mend = "a column has no name", "name every column, or remove the delimiter at the header's end"
        raise DataError(Problem(where=f"{name} row 1", code="D209", what=what, mend=mend))


def _ragged(name: str, width: int, ragged: list[tuple[int, int]]) -> Problem:
    row, fields = ragged[0]
    others = ", ".join(str(line) for line, _ in ragged[:_SHOWN])
    return Problem(
        where=f"{name} row {row}",
        code="D205",
        what=f"this row has {fields} fields and the header {width}; {len(ragged)} rows are so (rows {others})",
        mend="put fields that hold the delimiter or a decimal comma in quotes, or set csv.delimiter and csv.decimal",
    )


def _binary(file: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if file.suffix.lower() == ".gz" else file.open("rb")


def _opened(file: Path, encoding: str) -> TextIO:
    if file.suffix.lower() == ".gz":
        return gzip.open(file, "rt", encoding=encoding, newline="")
    return file.open(encoding=encoding, newline="")
