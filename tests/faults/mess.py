"""What can be wrong with a project before a command meets it; some of it is held while the command runs."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tests.conftest import absent
from tests.e2e.project import customers

Mess = Callable[[Path], None]


def modes(name: str, mode: int) -> Mess:
    """Set a file's mode; a process without privileges is bound by it."""
    return lambda root: (root / name).chmod(mode)


def content(name: str, whole: bytes) -> Mess:
    def write(root: Path) -> None:
        (root / name).write_bytes(whole)

    return write


def appended(name: str, more: bytes) -> Mess:
    def write(root: Path) -> None:
        (root / name).write_bytes((root / name).read_bytes() + more)

    return write


def cut(name: str, at: int) -> Mess:
    def write(root: Path) -> None:
        (root / name).write_bytes((root / name).read_bytes()[:at])

    return write


def removed(name: str) -> Mess:
    return lambda root: (root / name).unlink()


def as_parquet(root: Path) -> None:
    """Store the data once more, in a file that is read while it is analysed."""
    with duckdb.connect() as engine:
        engine.read_csv(str(root / "data/callback.csv")).write_parquet(str(root / "data/callback.parquet"))


def many_customers(root: Path) -> None:
    """Store more rows than little memory holds, and let the engine put none of them aside."""
    customers(60_000).to_csv(root / "data/callback.csv", index=False)
    (root / ".cxcausal/tmp").mkdir()
    (root / ".cxcausal/tmp").chmod(0o500)


def strange_schema(root: Path) -> None:
    with sqlite3.connect(root / ".cxcausal/mlflow.db") as store:
        store.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    store.close()


def folder_for_store(root: Path) -> None:
    (root / ".cxcausal/mlflow.db").unlink()
    (root / ".cxcausal/mlflow.db").mkdir()


@contextmanager
def locked_store(root: Path) -> Iterator[None]:
    """Hold MLflow's database as another program would that writes to it."""
    store = sqlite3.connect(root / ".cxcausal/mlflow.db", isolation_level=None)
    store.execute("BEGIN EXCLUSIVE")
    yield
    store.close()


@contextmanager
def locked_ledger(root: Path) -> Iterator[None]:
    with (root / ".cxcausal/ledger.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _repository(root: Path) -> Path:
    git = shutil.which("git")
    if git is None:
        absent("needs git")
    subprocess.run([git, "init", "--quiet", str(root)], check=True, capture_output=True)
    return root / ".git"


def broken_repository(root: Path) -> None:
    (_repository(root) / "HEAD").write_bytes(b"\xff" * 40)


def locked_repository(root: Path) -> None:
    (_repository(root) / "index.lock").write_bytes(b"")


def foreign_repository(root: Path) -> None:
    if os.getuid() != 0:
        absent("needs root, to give a repository to another user")
    _repository(root)
    os.chown(root, 65534, 65534)
    os.chown(root / ".git", 65534, 65534)


def hanging_git(root: Path) -> None:
    (root / "bin").mkdir()
    (root / "bin/git").write_text("#!/bin/sh\nexec /bin/sleep 60\n", encoding="utf-8")
    (root / "bin/git").chmod(0o755)
