"""The structure of CSV files, read strictly and in full before the engine sees them: header, widths, encoding."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.personal import told_name
from cxcausal.core.progress import SILENT, CountedReader, Progress
from cxcausal.core.signs import likeness
from cxcausal.core.spec.models import Csv
from cxcausal.data.csv_scan import regular_rows

_ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1"}
_ALIASES = {"utf8": "utf-8", "utf-8-sig": "utf-8", "utf16": "utf-16", "latin1": "latin-1", "iso-8859-1": "latin-1"}
_DELIMITERS = (";", "\t", "|", ",")
_LONGEST_FIELD = 1_000_000
_RESERVED = "__cxcausal"
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
    lines = _Lines(stream=stream, name=name)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows, ragged, begins, ends = 0, [], 1, dict[str, int]()
    try:
        header = tuple(next(reader, ()))
        _refuse_header(header, name, delimiter)
        ends.setdefault(lines.end, 1)
        for row in reader:
            rows += bool(row)
            if row and len(row) != len(header):
                ragged.append((begins + 1, len(row)))
            begins = reader.line_num
            ends.setdefault(lines.end, begins)
    except csv.Error as error:
        raise DataError(_broken(f"{name} row {begins + (rows > 0)}", error)) from None
    if ragged:
        raise DataError(_ragged(name, len(header), ragged))
    if rows == 0:
        what = "the file has a header and no rows"
        raise DataError(Problem(where=name, code="D207", what=what, mend="export it again, with its rows"))
    _refuse_mixed_ends(ends, name)
    return Structure(header=header, rows=rows)


def _broken(where: str, error: csv.Error) -> Problem:
    if "field larger than field limit" in str(error):
        what = f"a field is longer than {_LONGEST_FIELD:,} signs: a quote is left open, or the file is not CSV"
        return Problem(where=where, code="D206", what=what, mend="close every quote, or export the data again")
    what = "a quoted field is not closed, or goes on behind its closing quote"
    mend = "double the quotes inside a field, and close every quote"
    return Problem(where=where, code="D206", what=what, mend=mend)


def _refuse_mixed_ends(ends: dict[str, int], name: str) -> None:
    """Refuse rows that end in several ways; the last row may end with the file."""
    known = {end: row for end, row in ends.items() if end}
    if len(known) > 1:
        row = sorted(known.values())[1]
        what = "rows end in several ways from here on (CR LF in some systems, LF in others)"
        mend = "give all rows one end: save the file anew with LF line ends"
        raise DataError(Problem(where=f"{name} row {row}", code="D215", what=what, mend=mend))


@dataclass(kw_only=True)
class _Lines:
    """The lines of a text for the reader, and how the latest of them ended."""

    stream: TextIO
    name: str
    end: str = ""

    def __iter__(self) -> Iterator[str]:
        """Yield the lines; a NUL byte is refused."""
        for number, line in enumerate(self.stream, start=1):
            if "\0" in line:
                what, mend = (
                    "there is a NUL byte in the text",
                    "export it again; the file may be damaged, or not be text",
                )
                raise DataError(Problem(where=f"{self.name} row {number}", code="D204", what=what, mend=mend))
            self.end = line[len(line.rstrip("\r\n")) :][-2:]
            self.end = self.end if self.end == "\r\n" else self.end[-1:]
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
    if header[0].lower().startswith("sep="):
        sign = header[0][4:5] or delimiter
        what = "the first row is a note for spreadsheets (sep=), and no header"
        mend = f'remove that row, and say csv: {{delimiter: "{sign}"}} below data'
        raise DataError(Problem(where=f"{name} row 1", code="D219", what=what, mend=mend))
    other = next((sign for sign in _DELIMITERS if sign != delimiter and sign in header[0]), None)
    if len(header) == 1 and other is not None:
        shown = "\\t" if other == "\t" else other
        what, mend = (
            f"the whole header is one column; it holds '{shown}'",
            f'say csv: {{delimiter: "{shown}"}} below data',
        )
        raise DataError(Problem(where=f"{name} row 1", code="D208", what=what, mend=mend))
    _refuse_twins(header, name)
    if "" in header:
        what, mend = "a column has no name", "name every column, or remove the delimiter at the header's end"
        if len(header) > 2 and not any(header[1:]):  # noqa: PLR2004 - a title and its empty fields
            mend = "remove what stands above the header, such as a title; or name every column"
        raise DataError(Problem(where=f"{name} row 1", code="D209", what=what, mend=mend))
    if any(column.startswith(_RESERVED) for column in header):
        what, mend = f"names that begin with {_RESERVED} are kept for cxcausal itself", "give the column another name"
        raise DataError(Problem(where=f"{name} row 1", code="D209", what=what, mend=mend))


def _refuse_twins(header: tuple[str, ...], name: str) -> None:
    """Refuse column names that are repeated, or that only their case, blanks or hidden signs tell apart."""
    alike = [likeness(column) for column in header]
    often = Counter(alike)
    twice = [column for column, shape in zip(header, alike, strict=True) if column and often[shape] > 1]
    if twice:
        named = ", ".join(f"'{told_name(column)}'" for column in twice[:_SHOWN])
        what = f"column names are repeated, or differ in case, blanks or hidden signs only: {named}"
        mend = "give every column its own name"
        raise DataError(Problem(where=f"{name} row 1", code="D209", what=what, mend=mend))


def _ragged(name: str, width: int, ragged: list[tuple[int, int]]) -> Problem:
    row, fields = ragged[0]
    others = ", ".join(str(line) for line, _ in ragged[:_SHOWN])
    what = f"this row has {fields} fields and the header {width}; {len(ragged)} rows are so (rows {others})"
    quoted = "put fields that hold the delimiter or a decimal comma in quotes, as most exports can"
    mend = f"{quoted}, or set csv.delimiter and csv.decimal"
    if width == 1:
        what = f"the first row has 1 field, and this one {fields}"
        mend = "remove what stands above the header, such as a title; or set csv.delimiter"
    elif all(found == 1 for _, found in ragged):
        mend = "remove the row if it is blank or a note, or set csv.delimiter"
    elif all(found < width for _, found in ragged):
        mend = "export the data again: a row that is too short was cut, or lost a delimiter"
    return Problem(where=f"{name} row {row}", code="D205", what=what, mend=mend)


def _binary(file: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if file.suffix.lower() == ".gz" else file.open("rb")


def _opened(file: Path, encoding: str) -> TextIO:
    if file.suffix.lower() == ".gz":
        return gzip.open(file, "rt", encoding=encoding, newline="")
    return file.open(encoding=encoding, newline="")
