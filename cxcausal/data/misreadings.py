"""What a value that can't be read most likely is, by its shape, so that the mend fits; the value is never told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cxcausal.core.signs import key_of, quoted
from cxcausal.data.columns import DECIMAL_COMMA
from cxcausal.data.engine import Value

_BLANKS = "[ \t\u00a0\u2007\u202f]"
_THREE_BEHIND_COMMA = r"^[+-]?[0-9]{1,3},[0-9]{3}$"
_GROUPED = "^[+-]?[0-9]{1,3}([,.' \u00a0\u2019\u202f][0-9]{3})+([,.][0-9]+)?$"
_UNIT = r"([A-Z]{3}|[$€£¥₹₽₺%‰]|kr)"
_PLAIN = "[+-]?[0-9][0-9.,']*"
_AMOUNT = f"^{_UNIT}{_BLANKS}*{_PLAIN}({_BLANKS}*{_UNIT})?$|^{_PLAIN}{_BLANKS}*{_UNIT}$"
_NEGATIVE = "^\\([0-9.,]+\\)$|^[0-9.,]+[-\u2212]$|^[\u2212\u2013][0-9.,]+$"
_AROUND = f"^{_BLANKS}|{_BLANKS}$"
_MISSING = "na n/a #n/a nan null none nil #null! #div/0! #value! #ref! #name? #num! - -- . ?".split()  # noqa: SIM905 - to be read
_YES = "yes y ja j oui si true t wahr vrai x".split()  # noqa: SIM905 - as above
_NO = "no n nein non false f falsch faux".split()  # noqa: SIM905 - as above
_WORDS: Mapping[str, str] = dict.fromkeys(_MISSING, "null")
_ANSWERS: Mapping[str, str] = {**_WORDS, **dict.fromkeys(_YES, "1"), **dict.fromkeys(_NO, "0")}
_ISO = "write dates as 2026-01-31, or 2026-01-31 13:45:00"


@dataclass(frozen=True, kw_only=True)
class Misreading:
    """A shape that values of a broken rule may have, told in the rule's stead.

    Attributes:
        code, what, mend: of the problem.
        sign: tells which values have the shape.
        words: what each known word means; those that are found are told, for they are nobody's.
        text: the stored values, where there are words.
    """

    code: str
    sign: Value
    what: str
    mend: str
    words: Mapping[str, str] = field(default_factory=dict)
    text: Value = None


def of_numbers(column: str, text: Value, *, decimal: str, csv: bool, binary: bool) -> Iterator[Misreading]:
    """Yield what text may be that should be a number; the first that fits counts.

    Args:
        column: the name in the data.
        text: the stored values.
        decimal: the plan's decimal sign.
        csv: the plan can say what the decimal sign is.
        binary: only 0 and 1 are wanted.
    """
    yield from _of_signs(text, decimal=decimal, csv=csv)
    yield Misreading(
        code="D328",
        sign=text.re_search(_AROUND),
        what="blanks stand around the value",
        mend="remove the blanks at its ends",
    )
    words = _ANSWERS if binary else _WORDS
    yield Misreading(
        code="D305",
        sign=text.lower().isin(list(words)),
        what="the value is not a number",
        mend=f"say what it means: columns: {{{key_of(column)}: {{map: {{%s}}}}}} below data, or correct it",
        words=words,
        text=text,
    )
    yield Misreading(
        code="D327",
        sign=text.re_search(_NEGATIVE),
        what="a negative number is written in brackets, with its sign behind it, or with a dash",
        mend="write negative numbers as -5",
    )
    yield Misreading(
        code="D327",
        sign=text.re_search(_AMOUNT),
        what="the number has a currency, a per cent sign or a unit with it",
        mend="export plain numbers, all of one currency or unit, without its sign",
    )


def _of_signs(text: Value, *, decimal: str, csv: bool) -> Iterator[Misreading]:
    """Yield which sign stands before decimals or between thousands, other than the plan says."""
    say = 'say csv: {decimal: ","} below data' if csv else "store them as numbers, or with a point"
    if decimal == ".":
        yield Misreading(
            code="D323",
            sign=text.re_search(_THREE_BEHIND_COMMA),
            what="a comma stands before three digits: it parts thousands, or decimals",
            mend=f"export the numbers without signs between thousands; only where it is a decimal comma, {say}",
        )
        yield Misreading(
            code="D304",
            sign=text.re_search(DECIMAL_COMMA),
            what="the numbers have a decimal comma",
            mend=say,
        )
    yield Misreading(
        code="D323",
        sign=text.re_search(_GROUPED),
        what="signs stand between the thousands",
        mend="export the numbers without signs between thousands",
    )
    if decimal == ",":
        yield Misreading(
            code="D304",
            sign=text.re_search(r"^[+-]?[0-9]+\.[0-9]+$"),
            what="the numbers have a decimal point, and the plan says that they have a comma",
            mend="remove decimal from data.csv, or write all numbers alike",
        )


def of_times(text: Value) -> Iterator[Misreading]:
    """Yield what text may be that should be an ISO date or time."""
    shapes = {
        r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}": "the date stands as day.month.year",
        r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}": "the date has slashes, and which part is the month can't be known",
        r"^[0-9]{5}(\.[0-9]+)?$": "the date is a spreadsheet's number (days since 1899-12-30)",
        r"^[0-9]{8}$": "the date has no hyphens",
        r"^([0-9]{10}|[0-9]{13})(\.[0-9]+)?$": "the time is a number (seconds or milliseconds since 1970-01-01)",
    }
    for shape, what in shapes.items():
        yield Misreading(code="D313", sign=text.re_search(shape), what=what, mend=_ISO)


def mapped(words: Mapping[str, str], found: list[str]) -> str:
    """Return the entries of a map for the words that were found, those that mean 1 first.

    Example:
        >>> mapped({"no": "0", "yes": "1", "n/a": "null"}, ["No", "Yes", "N/A"])
        '"N/A": null, "Yes": 1, "No": 0'
    """
    ordered = sorted(found, key=lambda word: (words[word.lower()], word), reverse=True)
    return ", ".join(f"{quoted(word)}: {words[word.lower()]}" for word in ordered)
