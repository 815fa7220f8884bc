"""V20: every numeral on the page comes from a named key of the result, and shows what stands there."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from statistics import NormalDist
from typing import Any
from urllib.parse import unquote

import pytest

from cxcausal.report import render_report
from cxcausal.report.keys import FORMULAS
from cxcausal.report.rounding import MINUS
from cxcausal.report.text import FIXED_PHRASES
from tests.report import worlds
from tests.report.reader import Mark, Page, read
from tests.report.situations import SITUATIONS
from tests.report.worlds_whom import WHOM

NUMERAL = re.compile(r"\d[\d,]*(?:\.\d+)?")
PARTIAL = "…"
EVERY = {**SITUATIONS, **WHOM}


def z(p: float) -> float:
    return NormalDist().inv_cdf(p)


def nearest(x: float) -> int:
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def rounded(x: float, place: int) -> float:
    unit = Fraction(10) ** place
    return float(nearest(float(Fraction(repr(float(x))) / unit)) * unit)


TWINS: dict[str, Callable[..., float]] = {
    "per_thousand": lambda x: x * 1000,
    "abs_per_thousand": lambda x: math.fabs(x) * 1000,
    "percent": lambda x: x * 100,
    "abs_percent": lambda x: math.fabs(x) * 100,
    "abs": math.fabs,
    "percent_of_pairs": lambda a, b, c, d: (a + b) / (c + d) * 100,
    "percent_ratio": lambda a, b: a / b * 100,
    "percent_apart": lambda low, high, a, b: math.fabs((b - a) - (high - low)) / (b - a) * 100,
    "times": lambda a, b: b * a,
    "of_population": lambda gain, heads, share: math.prod((share, heads, gain)),
    "apart_in": lambda found, expected, se: math.fabs(expected - found) / se,
    "abs_ratio": lambda a, b: math.fabs(a) / math.fabs(b),
    "normal_low": lambda point, se, alpha: NormalDist(point, se).inv_cdf(alpha / 2),
    "normal_high": lambda point, se, alpha: NormalDist(point, se).inv_cdf(1 - alpha / 2),
    "normal_low_per_thousand": lambda point, se, alpha: NormalDist(1000 * point, 1000 * se).inv_cdf(alpha / 2),
    "normal_high_per_thousand": lambda point, se, alpha: NormalDist(1000 * point, 1000 * se).inv_cdf(1 - alpha / 2),
    "after": lambda mean, change, a, b: rounded(change, b) + rounded(mean, a),
    "after_per_thousand": lambda mean, change, a, b: rounded(1000 * change, b) + rounded(1000 * mean, a),
    "dots": lambda rate: nearest(rate * 1000),
    "dots_change": lambda change, a=0: abs(nearest(rounded(change * 1000, a))),
    "dots_after": lambda rate, change, a=0: nearest(rate * 1000) + nearest(rounded(change * 1000, a)),
    "dots_rest": lambda rate, change, a=0: (
        1000 - nearest(rate * 1000) - (nearest(rounded(change * 1000, a)) if change > 0 else 0)
    ),
    "detectable": lambda se, level, power: (z((1 + level) / 2) + z(power)) * se,
    "detectable_per_thousand": lambda se, level, power: (z((1 + level) / 2) + z(power)) * se * 1000,
    "detectable_more": lambda se, level, power, share: (z((1 + level) / 2) + z(power)) * se / math.sqrt(1 + share),
    "detectable_more_per_thousand": lambda se, level, power, share: (
        (z((1 + level) / 2) + z(power)) * se * 1000 / math.sqrt(1 + share)
    ),
    "detectable_doubled": lambda se, level, power: (z((1 + level) / 2) + z(power)) * se / math.sqrt(2),
    "detectable_doubled_per_thousand": lambda se, level, power: (
        (z((1 + level) / 2) + z(power)) * se * 1000 / math.sqrt(2)
    ),
}
"""The formulas once more, written apart from the product's."""


def at(tree: dict[str, Any], key: str) -> Any:
    value: Any = tree
    for part in key.split("."):
        name = unquote(part)
        value = value[int(name)] if isinstance(value, list | tuple) else value[name]
    return value


def recomputed(tree: dict[str, Any], key: str) -> float:
    if not key.startswith("derived:"):
        return float(at(tree, key))
    name, _, inner = key.removeprefix("derived:").rstrip(")").partition("(")
    return float(
        TWINS[name](*(int(part) if re.fullmatch(r"-?\d+", part) else at(tree, part) for part in inner.split(",")))
    )


def printed(text: str) -> tuple[Decimal, Decimal]:
    """Return the number that a text shows, and half a unit of its last significant digit."""
    digits = NUMERAL.findall(text)
    assert len(digits) == 1, text
    number = Decimal(digits[0].replace(",", ""))
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    zeros = len(digits[0].replace(",", "")) - len(digits[0].replace(",", "").rstrip("0")) if exponent == 0 else 0
    unit = Decimal(1).scaleb(exponent + zeros)
    return (-number if MINUS in text else number), unit / 2


def agrees(mark: Mark, value: float) -> bool:
    if mark.text.startswith("<"):
        return value < printed(mark.text)[0]
    shown, half = printed(mark.text)
    return abs(Decimal(repr(value)) - shown) <= half * Decimal("1.000001")


def clean(text: str) -> str:
    """Return a text without the control characters that HTML forbids."""
    return "".join(sign for sign in text if sign in "\n\t" or not (ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0))


def quoted(tree: dict[str, Any], mark: Mark) -> bool:
    """Whether a quote's words are the value at its path, a part of it, or the name of the path itself."""
    key = mark.attributes.get("data-plan") or mark.attributes["data-key"]
    text, name = mark.text, clean(unquote(key.rpartition(".")[2]))
    if text == name or cut_from(text, name):
        return True
    value = at(tree, key)
    whole = clean(str(value).lower() if isinstance(value, bool) else str(value))
    return text == whole or cut_from(text, whole) or _part(text, whole)


def cut_from(text: str, whole: str) -> bool:
    """Whether a text is the beginning of a longer one, or its beginning and end, with a mark where it was cut."""
    head, mark, tail = text.partition(PARTIAL)
    return bool(mark) and whole.startswith(head) and whole.endswith(tail)


def _part(text: str, whole: str) -> bool:
    """A predicate is the end of its label, a date the beginning of its moment, a gist what stands before a colon.

    Of a check of strength the answer takes the sentence on its own effect up to the effect's name, and what stands
    beside the answer takes the sentences before and behind it. A group is told as a column and its value.
    """
    group = any(text in whole.split(between, 1) for between in ("=", ": ") if between in whole)
    date = len(text) == len("2026-01-31") and whole.startswith(text)
    strength = text.endswith("explain") and f" {text} the effect of " in f" {whole}"
    strength = strength or (text.endswith(".") and whole.startswith(f"{text} "))
    return group or strength or whole.endswith(f" {text}") or date or whole.startswith(f"{text}: ")


@cache
def page_of(name: str) -> tuple[Page, dict[str, Any]]:
    result = EVERY[name]()
    html = render_report(result, ledger_head=worlds.HASH)
    return read(html), {**result.to_dict(), "ledger_head": worlds.HASH}


def test_every_formula_has_a_twin_and_every_twin_a_formula() -> None:
    assert set(TWINS) == set(FORMULAS)


@pytest.mark.parametrize("name", EVERY)
def test_no_digit_stands_outside_a_marked_number_or_quote(name: str) -> None:
    page, _ = page_of(name)
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []


@pytest.mark.parametrize("name", EVERY)
def test_every_number_is_its_key_recomputed(name: str) -> None:
    page, tree = page_of(name)
    assert len(page.numbers) > 20
    for mark in page.numbers:
        value = recomputed(tree, mark.attributes["data-key"])
        exact = float(mark.attributes.get("value") or mark.attributes.get("data-value") or value)
        assert math.isclose(value, exact, rel_tol=1e-12, abs_tol=1e-15), mark
        assert agrees(mark, value), mark


@pytest.mark.parametrize("name", EVERY)
def test_every_quote_says_what_stands_at_its_path(name: str) -> None:
    page, tree = page_of(name)
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []


def test_the_reader_would_notice_a_stray_digit_and_a_wrong_number() -> None:
    """The test of the test: a planted digit and a planted wrong number are both found."""
    html = render_report(worlds.outreach(), ledger_head=None)
    stray = read(html.replace("We recommend", "We recommend 7 times", 1))
    assert any("7" in text for text in stray.rest)
    tree = worlds.outreach().to_dict()
    mark = next(m for m in read(html).numbers if m.attributes["data-key"].startswith("derived:abs_per_thousand"))
    wrong = Mark(tag=mark.tag, attributes=mark.attributes, text="13")
    assert not agrees(wrong, recomputed(tree, mark.attributes["data-key"]))
