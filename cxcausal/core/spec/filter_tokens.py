"""The tokens of the small language of filters and formulas, each with its place in the text."""

import re
from dataclasses import dataclass

NUMBER_MEND = "write it as 12, 0.5 or 1e-3, without a leading zero"
FILTER_MEND = "a filter has columns, numbers, quoted text, and/or/not, comparisons, in [...], is null and + - * / only"
CLOSE_QUOTE, CLOSE_BACKTICK = "close the quote", "close the backtick"
_TOKENS = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
      | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<quoted>`[^`]+`)
      | (?P<name>[^\W\d]\w*)
      | (?P<symbol>==|!=|<=|>=|[-<>+*/()\[\],])""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})
_MENDS = {
    "=": "compare with ==",
    "&": "write and",
    "|": "write or",
    "!": "write not, or != to compare",
    ".": "a filter has columns and literals only; put a name with a point between backticks, a decimal as 0.5",
    "'": CLOSE_QUOTE,
    '"': CLOSE_QUOTE,
    "`": CLOSE_BACKTICK,
}


class FilterError(ValueError):
    """A filter that is not of this language: what is wrong, how to mend it, and at which character (from 1)."""

    def __init__(self, what: str, mend: str, position: int) -> None:
        """Keep the three parts beside the message."""
        self.what, self.mend, self.position = what, mend, position
        super().__init__(f"{what} at character {position} — {mend}")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A piece of the text: a number, text, quoted or plain name, a sign or word as its own kind, or the end."""

    kind: str
    text: str
    position: int


def tokens_of(text: str) -> list[Token]:
    """Return the tokens, the end among them; a name that is a word of the language gets the word as its kind.

    Raises:
        FilterError: something else stands in the text.

    Example:
        >>> [token.kind for token in tokens_of("a is null")]
        ['name', 'is', 'null', 'end']
    """
    tokens, position = [], 0
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None:
            raise _unreadable(text, position)
        kind, piece = found.lastgroup or "", found.group()
        if kind == "symbol" or piece in _WORDS:
            kind = piece
        if kind != "blank":
            tokens.append(Token(kind=kind, text=piece, position=position + 1))
        position = found.end()
    return [*tokens, Token(kind="end", text="the end", position=len(text) + 1)]


def _unreadable(text: str, position: int) -> FilterError:
    sign = text[position]
    if sign.isdigit():
        return FilterError("this is not a number", NUMBER_MEND, position + 1)
    return FilterError(f"{sign!r} doesn't belong in a filter", _MENDS.get(sign, FILTER_MEND), position + 1)
