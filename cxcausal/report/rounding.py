"""Numbers as readers see them: rounded to what the data can bear, and never onto a limit that they don't reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NO-BREAK SPACE}"
TO = f"{NARROW}to{NARROW}"
"""Between the ends of a range that must not break over two lines."""
EXACT = Context(prec=400)
"""Digits enough for any double, so that no amount is too large to print."""
_MOST_DECIMALS = 6
_EXTRA_DIGITS = 4
_SMALLEST_P = 0.001


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one number is printed: `place` is the power of ten of its last digit (0 for ones, 3 for thousands)."""

    place: int = 0
    prefix: str = ""
    suffix: str = ""
    sign: bool = False
    references: tuple[float, ...] = ()


WHOLE = Style()


def percent(place: int = 0) -> Style:
    """Return the style of a percentage that is given as a number of percent."""
    return Style(place=place, suffix=f"{NARROW}%")


def money(currency: str, place: int, *, sign: bool = False) -> Style:
    """Return the style of an amount: the currency's code before it without a break, and cents as two digits.

    Example:
        >>> format_number(2.5, money("EUR", -1)).replace(NARROW, " ")
        'EUR 2.50'
    """
    prefix = f"{currency}{NARROW}" if currency else ""
    return Style(place=cents(place), prefix=prefix, sign=sign, references=(0.0,))


def cents(place: int) -> int:
    """Return the place at which money is rounded: never a single decimal."""
    tenths, hundredths = -1, -2
    return hundredths if place == tenths else place


def place_for(*values: float, digits: int = 2) -> int:
    """Return the place that leaves the widest distance between the values `digits` significant digits.

    Example:
        >>> place_for(-8000, 31000, 70000), place_for(-20, -12, -4), place_for(0.5)
        (3, 0, -2)
    """
    width = max(values) - min(values) or abs(values[0])
    if not math.isfinite(width) or width == 0:
        return 0
    return max(math.floor(math.log10(width)) - digits + 1, -_MOST_DECIMALS)


def at_least_ones(place: int, width: float) -> int:
    """Return whole numbers for counts of people once the range is a few people wide.

    Example:
        >>> at_least_ones(-1, 8.2), at_least_ones(-1, 1.4)
        (0, -1)
    """
    wide = 4.0
    return max(place, 0) if width >= wide else place


def format_number(value: float, style: Style) -> str:
    """Return the text of a number; digits are added while it would be rounded onto a reference it doesn't equal.

    Example:
        >>> format_number(-31234.5, Style(place=3, prefix="EUR ")).replace(MINUS, "-")
        'EUR -31,000'
        >>> format_number(1.996, Style(place=-1, references=(2.0,)))
        '1.996'
        >>> format_number(-0.04, Style(place=-1))
        '0.0'
    """
    place = _place_apart(value, style.place, style.references)
    rounded = _round(value, place)
    sign = MINUS if rounded < 0 else "+" if style.sign and rounded > 0 else ""
    return f"{style.prefix}{sign}{abs(rounded):,f}{style.suffix}"


def format_p(value: float) -> str:
    """Return a p-value with three decimals, or the bound below which we don't tell more.

    Example:
        >>> format_p(0.0312), format_p(1e-9).replace(NARROW, " ")
        ('0.031', '< 0.001')
    """
    return f"<{NARROW}{_SMALLEST_P}" if value < _SMALLEST_P else f"{_round(value, -3):f}"


def with_references(style: Style, references: Sequence[float]) -> Style:
    """Return the style with more values that a number must not be rounded onto."""
    return replace(style, references=(*style.references, *references))


def _place_apart(value: float, place: int, references: Sequence[float]) -> int:
    for step in range(_EXTRA_DIGITS):
        if not any(
            value != other and _round(value, place - step) == _round(other, place - step) for other in references
        ):
            return place - step
    return place - _EXTRA_DIGITS


def _round(value: float, place: int) -> Decimal:
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(place), ROUND_HALF_UP, EXACT)
    return abs(rounded) if rounded == 0 else rounded
