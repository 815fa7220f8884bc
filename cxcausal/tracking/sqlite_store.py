"""What can be told about a SQLite store before MLflow opens it, which would try again for minutes."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cxcausal.tracking.files import machine_error, sync_folder

LOCK_SECONDS = 3.0
_MAGIC = b"SQLite format 3\x00"
_SAFE = "the results are safe on disk"
_AGAIN = f"{_SAFE}; run 'cxcausal sync' when it is free again"
_WRITABLE = f"{_SAFE}; make it writable, then run 'cxcausal sync'"
_ANEW = f"{_SAFE}; move this file away, then run 'cxcausal sync', which makes a new one with every run"


@dataclass(frozen=True, kw_only=True)
class Ailment:
    """Why a store can't be written, and what to do about it."""

    what: str
    mend: str


def ailment_of(path: Path, *, seconds: float = LOCK_SECONDS) -> Ailment | None:
    """Return what ails the file, or None where it can be written, is empty or does not exist yet.

    Args:
        path: the SQLite file.
        seconds: how long to wait for another process that has it locked.
    """
    try:
        with path.open("rb") as handle:
            start = handle.read(len(_MAGIC))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Ailment(what=f"the file can't be read: {error.strerror}", mend=_WRITABLE)
    if start == b"":
        return None
    if start != _MAGIC:
        return Ailment(what="the file is not a SQLite database", mend=_ANEW)
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return Ailment(what="the database or its folder can't be written", mend=_WRITABLE)
    return _refusal(path, seconds)


def _refusal(path: Path, seconds: float) -> Ailment | None:
    """Return why a transaction can't begin; a transaction that can is taken back at once and changes no byte."""
    try:
        with closing(_opened(path, "rw", seconds)) as store:
            store.execute("BEGIN IMMEDIATE")
            store.execute("ROLLBACK")
            store.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return _told(error)
    return None


def _told(error: sqlite3.DatabaseError) -> Ailment:
    """Return SQLite's refusal in our words."""
    code = error.sqlite_errorcode & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Ailment(what="another process has the database locked", mend=_AGAIN)
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return Ailment(what="the database or its folder can't be written", mend=_WRITABLE)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Ailment(what="the database is damaged", mend=_ANEW)
    return Ailment(what=f"the database refuses: {error.sqlite_errorname}", mend=_WRITABLE)


def made_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Make an absent or empty store elsewhere and rename it into place, so that nobody meets one half-made.

    Args:
        path: where the store shall be; the caller holds its lock.
        make: makes a store in the file it is given, which takes MLflow some seconds.

    Raises:
        MachineError: the disk refuses.
    """
    making = path.with_name(f"{path.name}.making")
    try:
        if path.exists() and path.stat().st_size:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in (making, making.with_name(f"{making.name}-journal")):
            left.unlink(missing_ok=True)
        make(making)
        making.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise machine_error(path, "make", error) from error


def runs_in(path: Path) -> frozenset[str] | None:
    """Return MLflow's ids of the runs in a store, none where it does not exist; None where nobody can tell."""
    if not path.exists():
        return frozenset()
    try:
        with closing(_opened(path, "ro", LOCK_SECONDS)) as store:
            return frozenset(str(row[0]) for row in store.execute("SELECT run_uuid FROM runs"))
    except sqlite3.DatabaseError:
        return None


def _opened(path: Path, mode: str, seconds: float) -> sqlite3.Connection:
    """Open the file without making it."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=seconds, isolation_level=None)
