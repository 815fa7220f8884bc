"""Pieces of a sentence: fixed words, numbers with the key they come from, and quotes of the plan or the result."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

FIXED_PHRASES = ("Out of 1,000", "out of 1,000", "Per 1,000", "per 1,000", "in 1,000", "SHA-256")
"""Every fixed phrase of the page that holds a digit; all other digits are numbers or quotes with a key."""

MISSING = "\N{EN DASH}"
_STEERING = frozenset({"Cc", "Cf", "Cs"})
_LONG_WORD = 22


class Html(str):
    """Text that is HTML already, so that templates don't escape it again."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return itself, by the protocol of template engines."""
        return str(self)


@dataclass(frozen=True, kw_only=True)
class Number:
    """One printed number: the key it comes from, its exact value, and the text that readers see."""

    key: str
    value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Words that are not ours: text of the plan or of the result at `path`, whole or a part of it."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Strong:
    """A stressed part of a sentence."""

    pieces: tuple["Piece", ...]


Piece = str | Number | Quote | Strong
Sentence = tuple[Piece, ...]


def plain(sentence: Iterable[Piece]) -> str:
    """Return a sentence as text, with the page's own blanks.

    Example:
        >>> plain(("about ", Strong(pieces=(Number(key="k", value=12.0, text="12"), " fewer"))))
        'about 12 fewer'
    """
    return "".join(_plain(piece) for piece in sentence)


def on_terminal(sentence: Iterable[Piece]) -> str:
    r"""Return a sentence as text for a terminal, where no blank is of a special kind.

    Example:
        >>> on_terminal((Number(key="k", value=0.07, text="7\N{NO-BREAK SPACE}%"), " of these customers"))
        '7 % of these customers'
    """
    return plain(sentence).replace("\N{NO-BREAK SPACE}", " ")


def _plain(piece: Piece) -> str:
    if isinstance(piece, Strong):
        return plain(piece.pieces)
    return piece if isinstance(piece, str) else _tame(piece.text) if isinstance(piece, Quote) else piece.text


def _tame(text: str) -> str:
    """Return others' words on one line, without signs that would steer a terminal or turn the text around them."""
    joiner = "\N{ZERO WIDTH JOINER}"
    kept = (sign for sign in text if sign.isspace() or sign == joiner or unicodedata.category(sign) not in _STEERING)
    return " ".join("".join(kept).split())


def html(sentence: Iterable[Piece]) -> Html:
    """Return a sentence as HTML: numbers as `<data>`, quotes isolated from the direction of the text around them.

    Example:
        >>> html(("a < b: ", Number(key="n", value=3, text="3")))
        'a &lt; b: <data value="3" data-key="n">3</data>'
    """
    return Html("".join(_html(piece) for piece in sentence))


def _html(piece: Piece) -> str:
    match piece:
        case Number():
            return f'<data value="{piece.value!r}" data-key="{safe(piece.key)}">{safe(piece.text)}</data>'
        case Quote():
            long = max(map(len, piece.text.split()), default=0) > _LONG_WORD
            shape = ' class="long"' if long else ""
            return f'<bdi{shape} data-{origin(piece)}="{safe(piece.path)}">{parted(safe(piece.text))}</bdi>'
        case Strong():
            return f"<strong>{html(piece.pieces)}</strong>"
        case str():
            return safe(piece)


def parted(text: str) -> Html:
    """Return safe text; a long name may be broken into lines behind its underscores, and not within a word.

    Example:
        >>> parted(Html("differential_missingness"))
        'differential_<wbr>missingness'
    """
    return Html(text.replace("_", "_<wbr>")) if len(text) > _LONG_WORD and text.isidentifier() else Html(text)


def compact(sentence: Sentence, base: str, span: int = 1) -> Html:
    """Return the cell of a long table: one number or quote with its key relative to the row's record, or any words.

    The exact value is left out: it stands at the key, and the text shows it as far as the data can bear.

    Example:
        >>> compact((Number(key="effects.7.point", value=0.01234, text="0.012"),), "effects.7")
        '<td class="n" data-key=".point">0.012</td>'
    """
    match sentence:
        case (Number() as number,):
            return Html(f'<td class="n" data-key="{safe(relative(number.key, base))}">{safe(number.text)}</td>')
        case (Quote() as quote,):
            return Html(f'<td><bdi data-key="{safe(relative(quote.path, base))}">{safe(quote.text)}</bdi></td>')
    wide = f' colspan="{span}"' if span > 1 else ""
    return Html(f"<td{wide}>{html(sentence)}</td>")


def relative(key: str, base: str) -> str:
    """Return a key without the path of its record, wherever the key names it.

    Example:
        >>> relative("derived:percent(effects.7.level)", "effects.7")
        'derived:percent(.level)'
    """
    return re.sub(rf"(?<![^(,]){re.escape(base)}(?=\.)", "", key)


def origin(quote: Quote) -> str:
    """Return `plan` for words of the plan, `key` for words of the result."""
    return "plan" if quote.path.startswith("plan.") else "key"


def safe(text: str) -> str:
    """Escape text for HTML and XML, without the control characters that neither allows."""
    return escape("".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"}))
