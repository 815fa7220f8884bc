"""A store is looked at before MLflow opens it, and never left half-made."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from cxcausal.core.errors import MachineError
from cxcausal.tracking.sqlite_store import ailment_of, made_whole, runs_in


def made(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("CREATE TABLE runs (run_uuid TEXT)")
        store.execute("INSERT INTO runs VALUES ('a1')")


def test_a_sound_store_is_not_changed_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c.db"
    made(path)
    before = path.read_bytes()
    assert ailment_of(path) is None
    assert runs_in(path) == frozenset({"a1"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_is_waited_for_and_then_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    made(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = ailment_of(path, seconds=0.1)
    assert found is not None
    assert found.what == "another process has the database locked"
    assert ailment_of(path, seconds=0.1) is None


def test_what_is_absent_empty_or_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert ailment_of(path) is None
    assert runs_in(path) == frozenset()
    path.write_bytes(b"")
    assert ailment_of(path) is None
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    found = ailment_of(path)
    assert found is not None
    assert "move this file away" in found.mend
    assert runs_in(path) is None


def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state/x.db"

    def killed(making: Path) -> NoReturn:
        made(making)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_whole(path, killed)
    assert not path.exists()
    made_whole(path, made)
    assert runs_in(path) == frozenset({"a1"})
    made_whole(path, killed)
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    def full(_: Path) -> NoReturn:
        raise OSError(28, "No space left on device")

    with pytest.raises(MachineError, match="E601 could not make this file: No space left"):
        made_whole(tmp_path / "x.db", full)
