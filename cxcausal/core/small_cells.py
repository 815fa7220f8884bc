"""Counts of so few customers that telling them may tell who they are."""

from collections import Counter
from collections.abc import Iterable

SMALLEST_CELL = 10
"""From this many customers on a count is told; fewer are not, nor what was computed of them alone."""


def is_small(count: int | None) -> bool:
    """Return whether a count of customers must not be told: more than none, and fewer than ten.

    Example:
        >>> is_small(0), is_small(9), is_small(10), is_small(None)
        (False, True, False, False)
    """
    return count is not None and 0 < count < SMALLEST_CELL


def told_count(count: int) -> int | None:
    """Return a count that may be told; None in place of a small one.

    Example:
        >>> told_count(9), told_count(10)
        (None, 10)
    """
    return None if is_small(count) else count


def without_levels(columns: Iterable[str]) -> tuple[str, ...]:
    """Return names of columns, those of `column=level` as how many there are of a column: few may have such a level.

    Example:
        >>> without_levels(["age", "town=Ulm", "town=Bonn", "tier=9"])
        ('age', '2 values of town', '1 value of tier')
    """
    parted = [name.partition("=") for name in columns]
    levels = Counter(name for name, is_level, _ in parted if is_level)
    told = {f"{n} value{'s' if n > 1 else ''} of {name}": None for name, n in levels.items()}
    return (*(name for name, is_level, _ in parted if not is_level), *told)
