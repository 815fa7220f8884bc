"""What is wrong with input files as files, told before an engine reads them: their kind, repeats, columns and ends."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.signs import likeness
from cxcausal.data.json_files import json_problems
from cxcausal.data.sources import Source

_START = 64
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_MAGIC: Mapping[bytes, tuple[str, str]] = {
    _GZIP: ("is compressed with gzip", "give its name the ending .gz, also in data.source"),
    _ZIP: ("is a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV (UTF-8)"),
    _PARQUET: ("is a Parquet file", "give its name the ending .parquet, also in data.source"),
    b"\xd0\xcf\x11\xe0": ("is an old spreadsheet", "save the sheet as CSV (UTF-8)"),
    b"%PDF": ("is a PDF", "export the data as CSV or Parquet"),
    b"SQLite format 3": ("is an SQLite database", "export the table as CSV or Parquet"),
}
_FAMILY = re.compile(r"u?int(?=\d)|timestamp(?=\[\w+\]$)|timestamp\[\w+, |date")


def refuse_bad_files(source: Source, inputs: tuple[tuple[str, str], ...], needed: tuple[str, ...]) -> None:
    """Refuse files that are not of their kind, that are there twice, or that don't fit each other.

    Args:
        source: the files.
        inputs: (name, SHA-256) of each.
        needed: the columns that will be read: others may differ from file to file.

    Raises:
        DataError: all problems at once.
    """
    problems = (*_repeats(inputs), *_of_another_kind(source))
    if not problems and source.kind == "parquet":
        problems = tuple(_parquet_problems(source, needed))
    if not problems and source.kind == "json":
        problems = tuple(json_problems(source, needed))
    if problems:
        raise DataError(problems)


def _repeats(inputs: tuple[tuple[str, str], ...]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, digest in inputs:
        if digest in first:
            what = f"the file is the same as {first[digest]}, byte for byte, and would count twice"
            mend = "remove one, or let data.source match one of them"
            yield Problem(where=name, code="D217", what=what, mend=mend)
        first.setdefault(digest, name)


def _of_another_kind(source: Source) -> Iterator[Problem]:
    """Yield files whose first bytes are those of another kind than their name says."""
    for file, name in source.named_files:
        start = _start(file)
        if source.kind == "parquet" and start and not start.startswith(_PARQUET):
            mend = "export the data again"
            if start.decode("utf-8", "replace").replace("\r", "\n").replace("\n", "").isprintable():
                mend = "give its name the ending .csv, if it is one, also in data.source"
            yield Problem(
                where=name, code="D218", what="the file is no Parquet file, whatever its name says", mend=mend
            )
        if source.kind not in {"csv", "json"} or file.suffix.lower() == ".gz":
            continue
        found = next((told for magic, told in _MAGIC.items() if start.startswith(magic)), None)
        if found is None and start.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() in {b"<!doc", b"<html", b"<?xml"}:
            found = ("is a web page or XML", "export the data again; a page may say why, such as a login that ended")
        if found is not None:
            what = f"the file {found[0]}, whatever its name says"
            yield Problem(where=name, code="D218", what=what, mend=found[1])


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_START)


def _parquet_problems(source: Source, needed: tuple[str, ...]) -> Iterator[Problem]:
    """Yield columns that an engine would take for one another, rename or convert without a word."""
    schemas = {name: _columns(file) for file, name in source.named_files}
    known = {name: columns for name, columns in schemas.items() if columns is not None}
    for name, columns in known.items():
        yield from twin_columns(name, tuple(column for column, _ in columns))
    first, columns = next(iter(known.items()), ("", []))
    wanted = {column: kind for column, kind in columns if column in needed}
    for name, others in known.items():
        found = dict(others)
        for column, kind in wanted.items():
            where = f"{name} column {column}"
            if column not in found:
                what = f"the file lacks the column, and {first} has it"
                yield Problem(where=where, code="D211", what=what, mend="give all files the same columns")
            elif not _is_kept(found[column], kind):
                what = f"the column holds {found[column]} here and {kind} in {first}, and would be converted"
                mend = f"write '{column}' with one type in every file"
                yield Problem(where=where, code="D216", what=what, mend=mend)


def _is_kept(kind: str, wanted: str) -> bool:
    """Tell whether values of one type survive as another: engines give every file the first one's types.

    Example:
        >>> _is_kept("int64", "double"), _is_kept("double", "int64"), _is_kept("timestamp[ns]", "timestamp[us]")
        (True, False, True)
    """
    if kind in {wanted, "null"} or (_FAMILY.match(kind) or [""])[0] == (_FAMILY.match(wanted) or [0])[0]:
        return True
    return wanted == "double" and (kind.startswith(("int", "uint")) or kind in {"float", "halffloat"})


def twin_columns(name: str, columns: tuple[str, ...], where: str = "") -> Iterator[Problem]:
    """Yield that column names are repeated, or look the same."""
    seen: dict[str, str] = {}
    for column in columns:
        first = seen.setdefault(likeness(column), column)
        if column is not first:
            what = f"column names are repeated, or look the same: '{first}' and '{column}'"
            yield Problem(where=f"{name}{where}", code="D209", what=what, mend="give every column its own name")


def _columns(file: Path) -> list[tuple[str, str]] | None:
    """Return the names and types of a Parquet file's columns; None where it is no such file, which the engine tells."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only for these files
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError):
        return None
    return [(field.name, _plain(field.type)) for field in schema]


def _plain(kind: object) -> str:
    """Return a type's name, a dictionary's being that of its values, and all texts' the same."""
    value = getattr(kind, "value_type", None) if str(kind).startswith("dictionary") else None
    return str(value if value is not None else kind).removeprefix("large_")
