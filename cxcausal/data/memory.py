"""How much memory the engine may use: what the user declares, and never more than most of what the machine has."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cxcausal.core.errors import MachineError, Problem

VARIABLE = "CXCAUSAL_MEMORY_LIMIT"
DEFAULT = 4_000_000_000
SMALLEST = 100_000_000
_SHARE = 0.8
"""The rest is for Python, and for what an engine holds beside its own account."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_CGROUPS, _MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def memory_limit() -> int:
    """Return the bytes that the engine may use: `CXCAUSAL_MEMORY_LIMIT`, or 4 GB, and at most 80 % of the machine's.

    Raises:
        MachineError: the variable is no size, or too small a one to work with.
    """
    text = os.environ.get(VARIABLE)
    wanted = DEFAULT if text is None else size_of(text)
    if wanted is None or wanted < SMALLEST:
        what = "the memory limit is no size such as 512MB or 2GB" if wanted is None else "the memory limit is too small"
        mend = f"write {VARIABLE}=2GB, {in_words(SMALLEST)} or more, or leave it out"
        raise MachineError(Problem(where=VARIABLE, code="D122", what=what, mend=mend))
    return min([wanted, *(int(_SHARE * found) for found in _limits())])


def machine_limit() -> int:
    """Return 80 % of what this process may have of the machine's memory, in bytes."""
    return min((int(_SHARE * found) for found in _limits()), default=DEFAULT)


def size_of(text: str) -> int | None:
    """Return a size in bytes; None where the text is none.

    Example:
        >>> size_of("1.5 GB"), size_of("512MiB"), size_of("half")
        (1500000000, 536870912, None)
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    base: int = 1024 if found[3] else 1000
    return round(float(found[1]) * float(base ** _POWERS[found[2].lower()]))


def in_words(size: int) -> str:
    """Return bytes as people write them.

    Example:
        >>> in_words(4_000_000_000), in_words(512_000_000)
        ('4 GB', '512 MB')
    """
    giga = 1_000_000_000
    return f"{size / giga:.3g} GB" if size >= giga else f"{size / 1_000_000:.0f} MB"


def _limits() -> Iterator[int]:
    """Yield the machine's memory, and what the groups of processes that this one belongs to may use."""
    if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(os.sysconf_names):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield from group_limits(_CGROUPS, _MEMBERSHIP)


def group_limits(groups: Path, membership: Path) -> Iterator[int]:
    """Yield the limits of this process's control groups and of all above them, in either version of Linux's kind.

    Args:
        groups: where the groups are mounted.
        membership: lines of number, controllers and path, as Linux tells them.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _upwards(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _upwards(groups / "memory", path, "memory.limit_in_bytes")


def _upwards(mount: Path, path: str, file: str) -> Iterator[int]:
    """Yield the limits from a group up to its root; inside a container the path may lie outside of what is mounted."""
    group = mount / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(mount) and (folder / file).is_file():
            text = (folder / file).read_text(encoding="utf-8").strip()
            if text.isdigit():
                yield int(text)
