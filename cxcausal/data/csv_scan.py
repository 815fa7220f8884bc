"""A fast, exact look at a CSV file: either all of its rows have the header's width for certain, or nothing is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

_CHUNK = 1 << 24
_LINE, _QUOTE, _RETURN = ord("\n"), ord('"'), ord("\r")
_BOM = b"\xef\xbb\xbf"
Bytes = npt.NDArray[np.uint8]


def regular_rows(stream: BinaryIO, delimiter: str, *, utf8: bool) -> tuple[bytes, int] | None:
    r"""Return the header's bytes and the number of rows below it; None where a slower reader must judge.

    Every sign that is a delimiter, a line's end or a quote is looked at, and no other: outside of quotes, exactly
    every n-th of them must end a line, n being the number of columns. Quotes must open behind a delimiter or line's
    end and close before one. Blank lines, lone carriage returns, NUL bytes, broken UTF-8, a single column and whatever
    else is not plain are left to the slower reader.

    Args:
        stream: of an encoding in which ASCII signs are single bytes that stand for nothing else.
        delimiter: one sign.
        utf8: whether the text must be UTF-8.

    Example:
        >>> import io
        >>> regular_rows(io.BytesIO(b'a,b\n1,"2, or 3"\n'), ",", utf8=True)
        (b'a,b\n', 1)
        >>> regular_rows(io.BytesIO(b'a,b\n1,2,3\n4\n'), ",", utf8=True) is None
        True
    """
    if not delimiter.isascii() or delimiter in '"\r\n':
        return None
    header, width, lines, returns = b"", 0, 0, 0
    for block in _blocks(stream, delimiter, utf8=utf8):
        if block is None or not _plain(block.text, utf8=utf8):
            return None
        if not header:
            width = int(np.argmax(block.signs == _LINE)) + 1
            header = block.text[: block.places[width - 1] + 1]
        if width == 1 or not _regular(block.signs, width):
            return None
        lines += len(block.signs) // width
        returns += _returns(block)
    alike = returns in {0, lines} or (returns == lines - 1 and header.endswith(b"\r\n"))
    return (header, lines - 1) if lines > 1 and alike else None


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Whole lines; where delimiters and line ends stand in them, outside of quotes, and which it is."""

    text: bytes
    places: npt.NDArray[np.int64]
    signs: Bytes


def _blocks(stream: BinaryIO, delimiter: str, *, utf8: bool) -> Iterator[_Block | None]:
    """Yield the file, many lines at a time; None, at last, where a line is too long or quotes are not plain."""
    kept = stream.read(len(_BOM)).removeprefix(_BOM if utf8 else b"")
    while read := stream.read(_CHUNK):
        block = _block(kept + read, delimiter)
        yield block
        if block is None:
            return
        kept = (kept + read)[len(block.text) :]
    if kept:
        yield _block(kept if kept.endswith(b"\n") else kept + b"\n", delimiter, last=True)


def _block(text: bytes, delimiter: str, *, last: bool = False) -> _Block | None:
    """Return the whole lines of a text; the last text must be whole lines."""
    found = _line_ends(text, delimiter)
    if found is None:
        return None
    places, signs = found
    lines = np.flatnonzero(signs == _LINE)
    count = int(lines[-1]) + 1 if len(lines) else 0
    end = int(places[count - 1]) + 1 if count else 0
    if end == 0 or (last and end < len(text)):
        return None
    return _Block(text=text[:end], places=places[:count], signs=signs[:count])


def _line_ends(text: bytes, delimiter: str) -> tuple[npt.NDArray[np.int64], Bytes] | None:
    """Return where delimiters and line ends stand outside of quotes, and which; None where quotes are not plain."""
    signs = np.frombuffer(text, dtype=np.uint8)
    mark = ord(delimiter)
    if _QUOTE not in text:
        places = np.flatnonzero((signs == _LINE) | (signs == mark))
        return places, signs[places]
    places = np.flatnonzero((signs == _LINE) | (signs == mark) | (signs == _QUOTE))
    found = signs[places]
    quotes = found == _QUOTE
    inside = np.cumsum(quotes) % 2 == 1
    opening, closing = places[quotes & inside], places[quotes & ~inside]
    around = (_LINE, mark, _QUOTE)
    before = signs[opening[opening > 0] - 1]
    after = signs[closing[closing < len(signs) - 1] + 1]
    if not (np.isin(before, around).all() and np.isin(after, (*around, ord("\r"))).all()):
        return None
    outside = ~quotes & ~inside
    return places[outside], found[outside]


def _regular(signs: Bytes, width: int) -> bool:
    """Tell whether every line has the same number of delimiters."""
    if len(signs) % width:
        return False
    table = signs.reshape(-1, width) == _LINE
    return bool(table[:, -1].all() and not table[:, :-1].any())


def _returns(block: _Block) -> int:
    """Return how many lines end with a carriage return before the line feed."""
    ends = block.places[(block.signs == _LINE) & (block.places > 0)] - 1
    return int((np.frombuffer(block.text, dtype=np.uint8)[ends] == _RETURN).sum())


def _plain(text: bytes, *, utf8: bool) -> bool:
    """Tell whether a block has no NUL, no carriage return but in a line's end, and the encoding that is wanted."""
    if b"\0" in text or text.count(b"\r") != text.count(b"\r\n"):
        return False
    try:
        text.decode("utf-8" if utf8 else "latin-1")
    except UnicodeDecodeError:
        return False
    return True
