"""Signs that mislead the eye: invisible ones, look-alikes and letters in two forms, made visible in what we print."""

import json
import re
import unicodedata

MAX_TOLD = 2_000
_TWINS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u0261\u0131"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u2010\u2011\u2012\u2013\u2014\u2212\u2018\u2019\u201c\u201d",
    "aeopcyxijsdqwhgiABEKMHOPCTYXIJSaopviABEZHIKMNOPTYX------''\"\"",
)
"""Cyrillic, Greek and typographic signs that print like those of a keyboard."""
_BLANKS = re.compile(r"\s+")
_FLAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))
"""Tags, of which the flags of regions are made."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str, most: int = MAX_TOLD) -> str:
    r"""Return text that can't break a line, move a cursor or hide a sign: unprintable ones are named.

    Example:
        >>> visible("none\u200b \x1b[31m")
        'none<U+200B> <U+001B>[31m'
    """
    short = text if len(text) <= most else f"{text[:most]}…"
    return short if short.isprintable() else "".join(s if s.isprintable() else f"<U+{ord(s):04X}>" for s in short)


def likeness(text: str) -> str:
    r"""Return what is left of a text when case, blanks at its ends, invisible signs and look-alikes are put aside.

    Example:
        >>> likeness(" Caf\u0065\u0301\u200b") == likeness("caf\u00e9"), likeness("n\u043ene")
        (True, 'none')
    """
    composed = unicodedata.normalize("NFKC", "".join(sign for sign in text if unicodedata.category(sign) != "Cf"))
    return _BLANKS.sub(" ", composed.translate(_TWINS)).strip().casefold()


def differences(text: str, other: str) -> str:
    r"""Say which sign of a text makes it another one than its look-alike; nothing where the eye can see it.

    Example:
        >>> differences("n\u043ene", "none")
        'its sign 2 is U+043E, CYRILLIC SMALL LETTER O'
    """
    if text == other or likeness(text) != likeness(other) or text.casefold().strip() == other.casefold().strip():
        return ""
    at = next((at for at, pair in enumerate(zip(text, other, strict=False)) if pair[0] != pair[1]), len(other))
    if at >= len(text):
        return f"it lacks U+{ord(other[at]):04X}, {unicodedata.name(other[at], 'a control sign')}"
    return f"its sign {at + 1} is U+{ord(text[at]):04X}, {unicodedata.name(text[at], 'a control sign')}"


def quoted(text: str) -> str:
    r"""Return a text as YAML in double quotes, with every sign escaped that a reader could not type or tell.

    Example:
        >>> quoted("none\u200b"), quoted("caf\u00e9")
        ('"none\\u200b"', '"café"')
    """
    return f'"{"".join(_escaped(sign) for sign in text)}"'


def key_of(text: str) -> str:
    """Return a text as a key of a plan, in quotes where it needs them.

    Example:
        >>> key_of("tier"), key_of("tier 2")
        ('tier', '"tier 2"')
    """
    return text if text.isascii() and text.isidentifier() else quoted(text)


def _escaped(sign: str) -> str:
    if sign.isprintable() and unicodedata.category(sign)[0] != "M" and sign.translate(_TWINS) == sign:
        return json.dumps(sign, ensure_ascii=False)[1:-1]
    return f"\\u{ord(sign):04x}" if ord(sign) < 1 << 16 else f"\\U{ord(sign):08x}"


def misleading(text: str) -> str | None:
    r"""Return the first sign that no plan may hold, however it is written: it controls a terminal or turns text round.

    Line breaks and tabs are not among them.

    Example:
        >>> misleading("a\x1b[31m"), misleading("two\nlines")
        ('\x1b', None)
    """
    signs = (s for s in text if s in _BIDI or (unicodedata.category(s) in {"Cc", "Zl", "Zp"} and s not in "\n\t"))
    return next(signs, None)


def unseen(text: str) -> str | None:
    r"""Return the first sign that has no width and stands where no script needs it.

    Joiners inside a word belong to some scripts and to emoji.

    Example:
        >>> unseen("ow\u200bner"), unseen("\U0001f469\u200d\U0001f4bb")
        ('\u200b', None)
    """
    kept = {"\u200c", "\u200d", "\ufe0e", "\ufe0f"}
    odd = (s for s in text if s in _BIDI or (unicodedata.category(s) == "Cf" and s not in kept))
    return next((s for s in odd if s not in _FLAGS), None)
