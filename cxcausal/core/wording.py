"""Numbers in plain English, for the sentences that checks, money and verdicts hand on."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from math import floor, log10

MINUS = "\N{MINUS SIGN}"
_MILLION = 1_000_000
_EXACT = Context(prec=400)
"""Digits enough for any double."""
_OFTEN = 100
_RARE = 0.01


def count(n: int) -> str:
    """Return a whole number with separators for thousands.

    Example:
        >>> count(26000)
        '26,000'
    """
    return f"{n:,}".replace("-", MINUS)


def counted(n: int, noun: str) -> str:
    """Return a count with its noun, which takes an s where there isn't exactly one.

    Example:
        >>> counted(1, "unit"), counted(2500, "unit")
        ('1 unit', '2,500 units')
    """
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, no exponent, and a true minus sign.

    Halves are rounded away from zero, as in the report; whole digits are never rounded away, and a value that
    rounds to zero has no sign.

    Example:
        >>> number(1234.56), number(168.5), number(-0.0), number(-0.012345) == MINUS + '0.0123'
        ('1,235', '169', '0', True)
    """
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - floor(log10(abs(value))))
    place = Decimal(1).scaleb(-decimals)
    text = f"{Decimal(repr(float(value))).quantize(place, ROUND_HALF_UP, _EXACT):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal, or with two significant digits where it is small.

    Example:
        >>> percent(0.519), percent(0.5), percent(0.00123)
        ('51.9 %', '50 %', '0.12 %')
    """
    hundredfold = share * 100
    text = number(round(hundredfold, 1)) if abs(hundredfold) >= 1 else number(hundredfold, digits=2)
    return f"{text} %"


def how_often(p: float) -> str:
    """Return how often chance alone does this.

    Example:
        >>> how_often(1e-9), how_often(0.0004), how_often(0.27), how_often(0.997)
        ('less than once in a million times', 'about once in 2,500 times', 'about 27 times in 100', 'nearly always')
    """
    if p * _MILLION < 1:
        return "less than once in a million times"
    if p < _RARE:
        return f"about once in {number(float(f'{1 / p:.2g}'))} times"
    times = round(p * _OFTEN)
    if times >= _OFTEN:
        return "nearly always"
    return f"about {'once' if times == 1 else f'{times} times'} in {_OFTEN}"


def listed(items: Sequence[str]) -> str:
    """Return items in a row, as a sentence has them.

    Example:
        >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
