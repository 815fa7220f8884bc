"""Writes that are whole or absent, locks between processes, and hashes of files."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxcausal.core.errors import MachineError, Problem

TEMPORARY_SUFFIX = ".partial"
_CHUNK = 1 << 20
_PAUSE = 0.02


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old bytes or the new ones, never a part.

    The bytes go to a temporary file beside it, are synced to the disk, and are renamed into place. What is no file,
    such as a pipe or `/dev/null`, is written to and never replaced; nor is a link, but the file that it names.

    Raises:
        MachineError: the disk is full, read-only or broken; the old file stays as it was.
    """
    target = path.resolve() if path.is_symlink() else path
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        raise machine_error(path, "write", error) from error


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file and rename it into place; leave none behind where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        _discard(temporary)


def write_over(path: Path, content: bytes) -> bool:
    """Write `content` over a small file that exists, where a disk has no room for a second one; tell if it was done."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            done = os.pwrite(descriptor, content, 0) == len(content)
            if done:
                os.ftruncate(descriptor, len(content))
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return done


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, read in pieces.

    Raises:
        MachineError: the file can't be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while piece := handle.read(_CHUNK):
                digest.update(piece)
    except OSError as error:
        raise machine_error(path, "read", error) from error
    return digest.hexdigest()


@contextmanager
def locked(path: Path, *, timeout: float = 30.0) -> Iterator[None]:
    """Hold an exclusive lock between processes; the kernel frees it when its holder dies.

    Args:
        path: the lock file, created when absent and never removed.
        timeout: seconds to wait for another holder.

    Raises:
        MachineError: the lock stayed taken, or its file can't be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise machine_error(path, "lock", error) from error
    try:
        _acquire(descriptor, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    """Try for the lock until the deadline."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise MachineError(
                    Problem(
                        where=path.name,
                        code="E602",
                        what="another process holds this lock",
                        mend="wait until the other run has ended, then try again",
                    )
                ) from None
            time.sleep(_PAUSE)
        except OSError as error:
            raise machine_error(path, "lock", error) from error
        else:
            return


def machine_error(path: Path, verb: str, error: OSError) -> MachineError:
    """Return the error that tells which file failed, how, and what to look at."""
    reason = error.strerror or type(error).__name__
    return MachineError(
        Problem(
            where=str(path),
            code="E601",
            what=f"could not {verb} this file: {reason}",
            mend="check space and permissions of the project folder, then run again; earlier results are unchanged",
        )
    )


def _discard(path: Path) -> None:
    """Remove a temporary file where the disk still allows it."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
