"""Rounding says no more than the data can bear, and never lies about which side of a limit a number is on."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cxcausal.report.rounding import MINUS, NARROW, Style, format_number, format_p, money, percent, place_for

SIZES = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-3)


def test_money_has_two_significant_digits_of_its_range() -> None:
    place = place_for(-8123.0, 70456.0)
    texts = [format_number(x, money("EUR", place)).replace(NARROW, " ") for x in (31234.5, -8123.0, 70456.0)]
    assert texts == ["EUR 31,000", f"EUR {MINUS}8,000", "EUR 70,000"]


def test_signs_and_units() -> None:
    assert format_number(0.4, Style(sign=True)) == "0"
    assert format_number(3.0, Style(sign=True)) == "+3"
    assert format_number(-0.2, Style()) == "0"
    assert format_number(12.34, percent(-1)) == f"12.3{NARROW}%"


def test_a_number_keeps_digits_until_it_is_apart_from_the_limit() -> None:
    limit = Style(place=0, references=(2.0, 0.0))
    assert format_number(1.96, limit) == "1.96"
    assert format_number(2.04, limit) == "2.04"
    assert format_number(0.3, limit) == "0.3"
    assert format_number(2.0, limit) == "2"
    assert format_number(1.4, limit) == "1"


@given(value=SIZES, limit=st.sampled_from([0.0, 2.0, -0.05, 15.0]), place=st.integers(-2, 3))
def test_no_number_is_printed_on_the_wrong_side_of_a_limit(value: float, limit: float, place: int) -> None:
    shown = float(format_number(value, Style(place=place, references=(limit,))).replace(",", "").replace(MINUS, "-"))
    if abs(value - limit) > 0.1:
        assert (shown > limit) == (value > limit)
    assert not math.copysign(1.0, shown) < 0 or shown < 0


def test_p_values_end_where_nobody_can_tell_more() -> None:
    assert format_p(0.04949) == "0.049"
    assert format_p(0.00099) == f"<{NARROW}0.001"
    assert format_p(1.0) == "1.000"
