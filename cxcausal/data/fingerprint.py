"""What was read, as hashes of the files' bytes, after a check that no compressed file is cut short."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from cxcausal.core.canonical import sha256_of
from cxcausal.core.errors import DataError, MachineError, Problem
from cxcausal.data.sources import Source

_CHUNK = 1 << 20
Stamps = tuple[tuple[Path, tuple[int, int]], ...]
"""Input files with the time of their last change, in nanoseconds, and their size in bytes."""


def hash_inputs(source: Source) -> tuple[tuple[str, str], ...]:
    """Return (name, SHA-256 of the bytes) of every input file.

    Raises:
        DataError: a compressed file is cut short or damaged, or a database has changes beside its file.
        MachineError: a file can't be read.
    """
    pairs = tuple(zip(source.files, source.names, strict=True))
    inputs = tuple((name, _sha256(file, name)) for file, name in pairs)
    problems = tuple(problem for file, name in pairs for problem in _flaws(file, name))
    if problems:
        raise DataError(problems)
    return inputs


def stamps_of(sources: Iterable[Source]) -> Stamps:
    """Return when each input file was last written, and how large it was then."""
    files = dict.fromkeys(file for source in sources for file in source.files)
    return tuple((file, (stat.st_mtime_ns, stat.st_size)) for file in files for stat in (file.stat(),))


def refuse_changed(stamps: Stamps) -> None:
    """Refuse files that were written while they were read: their hash would not be that of what was computed.

    Raises:
        DataError: a file has changed, or is gone.
    """
    changed = [file.name for file, then in stamps if _stamp(file) != then]
    if changed:
        what, mend = "the file changed while it was read", "wait until it is complete, and run again"
        raise DataError(Problem(where=name, code="D114", what=what, mend=mend) for name in changed)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def fingerprint_of(inputs: tuple[tuple[str, str], ...]) -> str:
    """Return one hash over the contents, whatever the files are called.

    Example:
        >>> fingerprint_of((("a.csv", "1" * 64),)) == fingerprint_of((("b.csv", "1" * 64),))
        True
    """
    return sha256_of([digest for _, digest in inputs])


def _sha256(file: Path, name: str) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
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
