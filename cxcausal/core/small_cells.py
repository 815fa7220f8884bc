"""Counts of so few customers that telling them may tell who they are."""

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
