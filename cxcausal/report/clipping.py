"""Long words cut short so that they still tell one thing from another."""

from collections.abc import Sequence

GAP = "…"


def clipped(text: str, limit: int | None, others: Sequence[str] = ()) -> str | None:
    """Return a text of at most `limit` signs that is unlike the others cut the same way; None where none is.

    Example:
        >>> clipped("a long label", 8), clipped("short", 8)
        ('a long …', 'short')
        >>> clipped("a long label, one", 12, ["a long label, two"])
        'a long … one'
        >>> clipped("twin", 8, ["twin"]) is None
        True
    """
    for cut in (_head, _head_and_tail):
        mine = cut(text, limit)
        if mine not in {cut(other, limit) for other in others}:
            return mine
    return None


def _head(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}{GAP}"


def _head_and_tail(text: str, limit: int | None) -> str:
    if limit is None or len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - 1 - tail]}{GAP}{text[-tail:]}"
