"""What was read, as hashes of the files' bytes, after a check that no compressed file is cut short."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path

import ibis

from cxcausal.core.canonical import sha256_of
from cxcausal.core.errors import DataError, MachineError, Problem
from cxcausal.core.progress import SILENT, CountedReader, Progress, Stage
from cxcausal.data.engine import Engine, Opened, Value
from cxcausal.data.functions import digest
from cxcausal.data.sources import Source

_CHUNK = 1 << 20


def hash_inputs(source: Source, progress: Progress = SILENT) -> tuple[tuple[str, str], ...]:
    """Return (name, SHA-256 of the bytes) of every input file; nothing for a table of a database.

    Raises:
        DataError: a compressed file is cut short or damaged, or a database has changes beside its file.
        MachineError: a file can't be read.
    """
    pairs = source.named_files
    with progress.stage(f"hashing {source.label}", _size(source.files), "bytes") as hashing:
        inputs = tuple((name, _sha256(file, name, hashing)) for file, name in pairs)
    with progress.stage(f"checking that {source.label} is whole"):
        problems = tuple(problem for file, name in pairs for problem in _flaws(file, name))
    if problems:
        raise DataError(problems)
    return inputs


def hash_table(engine: Engine, opened: Opened) -> tuple[tuple[str, str], ...]:
    """Return (name, SHA-256) of a table of a database, from an aggregate over its rows; nothing for files.

    Every row's columns that the plan reads become one text, of which 120 bits of MD5 are added up: the result depends
    neither on the order of the rows nor on where they lie, and changes with every value. It is comparable within one
    kind of database, as each writes numbers as text in its own way.
    """
    if opened.source.kind != "table":
        return ()
    table, columns = opened.table, sorted(opened.columns)
    # Step by step, so that no engine writes a value as text more than once.
    texts = table.select(**{f"c{at}": table[name].cast("string") for at, name in enumerate(columns)})
    whole = texts.select(text=reduce(add, (_told(texts[name]) for name in texts.columns)))
    rows = whole.select(
        one=digest(ibis.literal("1").concat(whole.text)), two=digest(ibis.literal("2").concat(whole.text))
    )
    sums = engine.fetch(rows.aggregate(n=rows.count(), one=rows.one.sum(), two=rows.two.sum()))[0]
    told = [
        *columns,
        *(str(opened.table[name].type()) for name in columns),
        *(str(int(number or 0)) for number in sums),
    ]
    return ((opened.source.label, sha256_of(told)),)


def _told(text: Value) -> Value:
    """Return a text that ends where the next begins, and differs where it is missing."""
    return text.length().cast("string").concat(":").concat(text).fill_null("-")


def fingerprint_of(inputs: tuple[tuple[str, str], ...]) -> str:
    """Return one hash over the contents, whatever the files are called.

    Example:
        >>> fingerprint_of((("a.csv", "1" * 64),)) == fingerprint_of((("b.csv", "1" * 64),))
        True
    """
    return sha256_of([digest for _, digest in inputs])


def _size(files: tuple[Path, ...]) -> int | None:
    """Return the bytes of all files; None where one can't be looked at, which its reading then tells."""
    try:
        return sum(file.stat().st_size for file in files)
    except OSError:
        return None


def _sha256(file: Path, name: str, hashing: Stage) -> str:
    try:
        with file.open("rb") as stream:
            digest, counted = hashlib.sha256(), CountedReader(stream, hashing)
            while piece := counted.read(_CHUNK):
                digest.update(piece)
            return digest.hexdigest()
    except OSError as error:
        what = f"the file can't be read: {error.strerror}"
        raise MachineError(Problem(where=name, code="D110", what=what, mend="check its permissions")) from None


def _flaws(file: Path, name: str) -> Iterator[Problem]:
    """Yield what is wrong with a file as a container."""
    if file.suffix.lower() == ".gz" and not _decompresses(file):
        what, mend = "the compressed file is cut short or damaged", "copy or export it again"
        if not _is_gzip(file):
            what, mend = "the file is not compressed", "remove the ending .gz from its name, also in data.source"
        yield Problem(where=name, code="D111", what=what, mend=mend)
    if file.with_name(f"{file.name}.wal").exists():
        what = "another process is writing to the database, or did not finish"
        yield Problem(where=name, code="D112", what=what, mend="close every connection to it, then run again")


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _decompresses(file: Path) -> bool:
    try:
        with gzip.open(file) as stream:
            while stream.read(_CHUNK):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
