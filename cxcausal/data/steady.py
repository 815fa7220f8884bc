"""Files that must stay as they were from the hash to the last answer, or what was read is not what was hashed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cxcausal.core.errors import DataError, Problem
from cxcausal.data.sources import Source


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A file, its name in messages, and its size and time of change; None where it was not there."""

    path: Path
    name: str
    mark: tuple[int, int] | None


class Unchanged:
    """A context manager: raises at its end where a file changed or went, in place of any error that this caused.

    Example:
        >>> with Unchanged(()):
        ...     pass
    """

    def __init__(self, stamps: Iterable[Stamp]) -> None:
        """Take the marks of the files as they were before anything was read."""
        self._stamps = tuple(stamps)

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Compare, unless the process is asked to stop.

        Raises:
            DataError: one problem per file that is not what it was.
        """
        if error is not None and not isinstance(error, Exception):
            return
        problems = [_problem(stamp) for stamp in self._stamps if _mark(stamp.path) != stamp.mark]
        if problems:
            raise DataError(problems) from None


def stamps_of(sources: Iterable[Source]) -> tuple[Stamp, ...]:
    """Return the marks of all files; to be taken before they are hashed."""
    pairs = (pair for source in sources for pair in source.named_files)
    return tuple(Stamp(path=path, name=name, mark=_mark(path)) for path, name in pairs)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _problem(stamp: Stamp) -> Problem:
    what = "the file was removed" if _mark(stamp.path) is None else "the file changed"
    return Problem(
        where=stamp.name,
        code="D119",
        what=f"{what} while it was read",
        mend="wait until whoever writes it is done, then run again",
    )
