"""Scalar types of a plan: the field decides the type, so that `NO`, `010`, `1e-3` or `12:30` never change meaning.

The loader hands every unquoted scalar over as `Plain` text. A field that wants a number reads it by the one strict
rule below; a field that wants text keeps it as written. Values that come from Python keep their own types.
"""

import re
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema


class Plain(str):
    """An unquoted YAML scalar, exactly as written."""

    __slots__ = ()


# Digits are bounded so that no exact fraction can be made huge.
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[0-9]{1,9}/[1-9][0-9]{0,8}")
_DAYS = re.compile(r"(0|[1-9][0-9]{0,4})([dw])")
_SECRET = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")
MAX_SHOWN = 40
MAX_DAYS = 99_999
SLUG = r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"


def shown(value: object) -> str:
    """Return a value as messages show it: short, and never the inside of a list or map.

    Example:
        >>> shown("x" * 100)
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'"
    """
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a map"
    if value is None:
        return "an empty value"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


def read_number(value: object) -> float:
    """Return a finite number, written as in JSON (`1e-3` is one; `010`, `1_000` and `12:30` are not).

    Raises:
        ValueError: it isn't a plain decimal number.
    """
    if isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not a number; write it as 12, 0.5 or 1e-3")  # noqa: TRY004 - pydantic's
    if isinstance(value, Plain) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float) and abs(value) < float("inf"):
        return float(value)
    raise ValueError(f"{shown(value)} is not a number; write it as 12, 0.5 or 1e-3, without quotes")


def read_integer(value: object) -> int:
    """Return a whole number without leading zeros.

    Raises:
        ValueError: it isn't one.
    """
    if isinstance(value, Plain) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{shown(value)} is not a whole number; write it without quotes, point or leading zero")


def read_flag(value: object) -> bool:
    """Return true or false; YAML 1.1's `yes`, `no`, `on` and `off` are refused, not guessed.

    Raises:
        ValueError: it is anything else.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, Plain) and value in {"true", "false"}:
        return value == "true"
    raise ValueError(f"{shown(value)} is not true or false; write true or false, without quotes")


def read_text(value: object) -> str:
    """Return text as written; numbers and dates from Python are shown as Python shows them.

    Raises:
        ValueError: it's empty, a list or a map.
    """
    if isinstance(value, str) and value.strip():
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | date):
        return str(value)
    if isinstance(value, list | dict):
        raise ValueError("a list or a map stands where text is wanted; write one text")  # noqa: TRY004 - pydantic's way
    raise ValueError("this must not be empty; write a text")


def read_share(value: object) -> str:
    """Return a share strictly between 0 and 1 as an exact fraction in text (`1/3`).

    Raises:
        ValueError: it's neither a decimal nor a fraction of that size.
    """
    text = str(value)
    plain = not isinstance(value, bool) and (_FRACTION.fullmatch(text) or _NUMBER.fullmatch(text))
    share = Fraction(text) if plain else Fraction(0)
    if not 0 < share < 1:
        raise ValueError(f"{shown(value)} is not a share; write one between 0 and 1, such as 0.25 or 1/3")
    return str(share)


def read_days(value: object) -> int:
    """Return whole days from `90d` or `12w`.

    Raises:
        ValueError: it's written another way.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _DAYS.fullmatch(str(value))
    if found is None:
        raise ValueError(f"{shown(value)} is not a length of time; write days or weeks, such as 90d or 12w")
    days = int(found[1]) * (7 if found[2] == "w" else 1)
    if days > MAX_DAYS:
        raise ValueError(f"{shown(value)} is longer than {MAX_DAYS} days; write days or weeks, such as 90d or 12w")
    return days


def read_date(value: object) -> str:
    """Return an ISO date as text.

    Raises:
        ValueError: it isn't YYYY-MM-DD.
    """
    text = value.isoformat()[:10] if isinstance(value, date | datetime) else str(value)
    try:
        return date.fromisoformat(text if len(text) == len("2026-01-31") else "").isoformat()
    except ValueError:
        raise ValueError(f"{shown(value)} is not a date; write it as 2026-01-31") from None


def read_label(value: object) -> str:
    """Return an arm's name or another label as text, whatever it looks like (`none`, `NO`, `1`).

    Raises:
        ValueError: it's empty, padded with blanks, a list or a map.
    """
    text = read_text(value)
    if text != text.strip():
        raise ValueError(f"{shown(text)} begins or ends with a blank; remove it here and map it in data.columns")
    return text


def read_sign(value: object) -> str:
    """Return a single sign, such as the one between the fields of a file; a blank or tab counts.

    Raises:
        ValueError: it's empty or longer.
    """
    if isinstance(value, str) and len(value) == 1:
        return str(value)
    raise ValueError(f'{shown(value)} is not a single sign; write it in quotes, such as ";" or "\\t"')


def natural(value: object) -> object:
    """Return free content with unquoted scalars read strictly: numbers, true and false, else text.

    Example:
        >>> natural({"a": Plain("1"), "b": Plain("010"), "c": "2"})
        {'a': 1, 'b': '010', 'c': '2'}
    """
    if isinstance(value, dict):
        return {key: natural(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [natural(item) for item in value]
    if not isinstance(value, Plain):
        return value
    if _INTEGER.fullmatch(value):
        return int(value)
    if _NUMBER.fullmatch(value) and not value.isdigit():
        return read_number(value)
    return value == "true" if value in {"true", "false"} else str(value)


def is_slug(text: str) -> bool:
    """Return whether a text can name an experiment or a metric.

    Example:
        >>> is_slug("callback-2026q4"), is_slug("Call back")
        (True, False)
    """
    return re.fullmatch(SLUG.strip("^$"), text) is not None


def is_secret(text: str) -> bool:
    """Return whether the text names a secret of the environment, `${env:NAME}`."""
    return _SECRET.search(text) is not None


Free = Annotated[Any, BeforeValidator(natural)]
Number = Annotated[float, BeforeValidator(read_number)]
Positive = Annotated[float, BeforeValidator(read_number), Field(gt=0)]
NonNegative = Annotated[float, BeforeValidator(read_number), Field(ge=0)]
Probability = Annotated[float, BeforeValidator(read_number), Field(gt=0, lt=1)]
Fractional = Annotated[float, BeforeValidator(read_number), Field(ge=0, le=1)]
Integer = Annotated[int, BeforeValidator(read_integer)]
Count = Annotated[int, BeforeValidator(read_integer), Field(ge=0)]
Flag = Annotated[bool, BeforeValidator(read_flag)]
Text = Annotated[str, BeforeValidator(read_text)]
Level = Annotated[str, BeforeValidator(str)]
"""A value of a column as a map names it: any text, also an empty one."""
Sign = Annotated[str, BeforeValidator(read_sign)]
Label = Annotated[str, BeforeValidator(read_label), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Slug = Annotated[str, BeforeValidator(read_text), Field(pattern=SLUG)]
Share = Annotated[str, BeforeValidator(read_share), WithJsonSchema({"type": ["string", "number"]})]
Days = Annotated[int, BeforeValidator(read_days), WithJsonSchema({"type": "string", "pattern": "^[0-9]+[dw]$"})]
Date = Annotated[str, BeforeValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]
