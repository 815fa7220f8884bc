"""What can be wrong with a machine, done for real to the process that asks for it: mounts, limits, closed pipes."""

import ctypes
import itertools
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from shutil import copytree
from typing import Any

NEW_MOUNTS, NEW_USER = 0x20000, 0x10000000
BIND, REMOUNT, READ_ONLY, PRIVATE = 0x1000, 0x20, 0x1, 0x40000 | 0x4000
UNSHARED = "a mount namespace of its own (root, or unprivileged user namespaces)"
_LIBC = ctypes.CDLL(None, use_errno=True)


def own_mounts() -> None:
    """Leave the machine's mounts for private ones, which vanish with this process."""
    user, group = os.getuid(), os.getgid()
    _done(_LIBC.unshare(NEW_MOUNTS if user == 0 else NEW_MOUNTS | NEW_USER))
    if user:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _mount("none", "/", None, PRIVATE, "")


def small_disk(root: str, free: int) -> None:
    """Put the project on a disk of its own, with `free` bytes left once it is copied there."""
    own_mounts()
    aside = Path(root).with_name(f"aside-{os.getpid()}")
    aside.mkdir()
    _mount(root, str(aside), None, BIND, "")
    _mount("none", root, "tmpfs", 0, "size=1g")
    copytree(aside, root, dirs_exist_ok=True, symlinks=True)
    held = os.statvfs(root)
    used = (held.f_blocks - held.f_bfree) * held.f_frsize
    _mount("none", root, "tmpfs", REMOUNT, f"size={used + free}")


def read_only(*folders: str) -> None:
    """Make folders read-only, as a mount that root too can't write to."""
    own_mounts()
    for folder in folders:
        _mount(folder, folder, None, BIND, "")
        _mount("none", folder, None, BIND | REMOUNT | READ_ONLY, "")


def without(folder: str) -> None:
    """Hide a folder, such as /dev/shm, behind an empty one that can't be written."""
    own_mounts()
    _mount("none", folder, "tmpfs", READ_ONLY, "size=4k")


def no_privileges() -> None:
    """Let file modes bind root as well: give up every capability."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _done(_LIBC.capset(header, (ctypes.c_uint32 * 6)()))


def limit_files(size: int) -> None:
    """Let no file grow beyond `size` bytes, with the error that a full quota gives."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def limit_descriptors(count: int) -> None:
    """Let so many files be open at once."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def engine_memory(limit: str) -> None:
    """Let the engine take so much memory, though it were too little for any user."""
    from cxcausal.data import memory  # noqa: PLC0415 - only in the process that shall be ill

    memory.SMALLEST = 0
    os.environ[memory.VARIABLE] = limit


def close(descriptor: int) -> None:
    """Start without stdin or stdout, as `command <&-` does; Python's own stream is then None."""
    os.close(descriptor)
    setattr(sys, ("stdin", "stdout", "stderr")[descriptor], None)


def broken_pipe() -> None:
    """Write to a pipe whose reader has gone, as `| head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)
    os.close(writing)


def encoding(name: str) -> None:
    """Speak to a terminal that knows few letters."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=name, errors="strict" if stream is sys.stdout else "backslashreplace")  # type: ignore[union-attr]


def clock(days: int) -> None:
    """Let every clock that the package reads be `days` off."""
    import cxcausal.tracking.ulid as ulids  # noqa: PLC0415 - only in the process that shall be ill

    off = timedelta(days=days)
    shifted = type("datetime", (datetime,), {"now": classmethod(_shifted(off))})
    for name, module in list(sys.modules.items()):
        if name.startswith("cxcausal") and getattr(module, "datetime", None) is datetime:
            module.datetime = shifted  # type: ignore[attr-defined]
    right = ulids._SOURCE._clock
    ulids._SOURCE._clock = lambda: right() + int(off.total_seconds() * 1000)


def _shifted(off: timedelta) -> Callable[..., datetime]:
    def now(_: type, zone: tzinfo | None = None) -> datetime:
        return datetime.now(zone) + off

    return now


def fails(function: str, error: int, first: int, times: int) -> None:
    """Let the system call behind `os.<function>` fail `times` times, from the `first`-th time on that it is asked."""
    right, asked = getattr(os, function), itertools.count(1)

    def wrong(*given: Any, **named: Any) -> Any:
        if first <= next(asked) < first + times:
            raise OSError(error, os.strerror(error))
        return right(*given, **named)

    setattr(os, function, wrong)


def when(begun: str, name: str, *given: Any) -> None:
    """Do another ill at the moment when the command begins what is called `begun`, while it runs."""
    from cxcausal.core.progress import Progress  # noqa: PLC0415 - only in the process that shall be ill

    right = Progress.stage

    def stage(progress: Progress, stage_name: str, *rest: Any, **named: Any) -> Any:
        if stage_name.startswith(begun):
            globals()[name](*given)
        return right(progress, stage_name, *rest, **named)

    Progress.stage = stage  # type: ignore[method-assign, assignment]


def after_hashing(name: str, *given: Any) -> None:
    """Do another ill between the hashing of the input files and their reading."""
    from cxcausal.data import opening  # noqa: PLC0415 - only in the process that shall be ill

    right = opening.hash_inputs  # type: ignore[attr-defined]

    def hashed(*asked: Any) -> Any:
        found = right(*asked)
        globals()[name](*given)
        return found

    opening.hash_inputs = hashed  # type: ignore[attr-defined, assignment]


def timed(note: str) -> None:
    """Write down how many seconds the command was busy with MLflow, from the first attempt on."""
    from cxcausal.tracking import sync  # noqa: PLC0415 - as above

    right = sync.send  # type: ignore[attr-defined]

    def send(*given: Any, **named: Any) -> str:
        began = time.monotonic()
        try:
            return right(*given, **named)
        finally:
            Path(note).write_text(str(time.monotonic() - began), encoding="ascii")

    sync.send = send  # type: ignore[attr-defined]


def remove(path: str) -> None:
    """Delete a file or a folder with all that is in it."""
    import shutil  # noqa: PLC0415 - as above

    shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()


def append(path: str, text: str) -> None:
    """Add a line to a file."""
    with Path(path).open("a", encoding="utf-8") as handle:
        handle.write(text)


def shout(descriptor: int) -> None:
    """Write past Python to a standard stream, as libraries in C do."""
    os.write(descriptor, b"noise from a library\n")


def die(number: int) -> None:
    """Send this process a signal, and wait for it."""
    os.kill(os.getpid(), number)
    time.sleep(1)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    texts = (source.encode(), target.encode(), kind.encode() if kind else None)
    _done(_LIBC.mount(*texts, ctypes.c_ulong(flags), options.encode() or None))


def _done(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
