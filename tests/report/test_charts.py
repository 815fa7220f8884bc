"""The pictures show what the numbers say: as many dots, intervals on one scale, bars that add up."""

import re

import pytest

from cxcausal.report.charts.forest import ForestRow, axis_of, forest
from cxcausal.report.charts.pictogram import pictogram
from cxcausal.report.charts.svg import markup, node
from cxcausal.report.charts.waterfall import Bar, Net, waterfall
from cxcausal.report.text import Number


def row(low: float, point: float, high: float, **extra: object) -> ForestRow:
    return ForestRow(label=("a",), value=("b",), low=low, point=point, high=high, state="none", **extra)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("anyway", "changed", "fewer"), [(131, 12, True), (143, 12, False), (0, 0, True), (995, 40, False)]
)
def test_a_thousand_dots_of_three_kinds(anyway: int, changed: int, *, fewer: bool) -> None:
    svg = pictogram(anyway, changed, fewer=fewer, label="dots")
    kinds = {name: path.count("h0") for path, name in re.findall(r'<path d="([^"]*)" class="dot-(\w+)"', svg)}
    marked = svg.count('class="dot-fewer"') + svg.count('class="dot-more"')
    assert kinds["anyway"] == anyway
    assert marked == min(changed, 1000 - anyway)
    assert kinds["rest"] + kinds["anyway"] + marked == 1000


def test_twelve_marked_dots_differ_in_shape_by_direction() -> None:
    assert pictogram(131, 12, fewer=True, label="").count("<circle") == 12
    assert pictogram(131, 12, fewer=False, label="").count("<rect") == 12


def test_an_axis_holds_zero_the_limits_and_every_interval() -> None:
    assert axis_of([3.0, 5.0]) == axis_of([0.0, 5.0])
    svg = forest([row(-4.0, 1.0, 6.0, limits=(-10.0,), pays_from=8.0)], "right")
    inside = [float(x) for x in re.findall(r'x[12]="([\d.]+)"', svg)]
    assert min(inside) >= 0
    assert max(inside) <= 196


def test_intervals_of_one_panel_share_their_scale() -> None:
    svg = forest([row(-8.0, -6.0, -4.0), row(-4.0, 0.0, 4.0)], "left")
    intervals = [
        (float(a), float(b)) for a, b in re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*class="interval', svg)
    ]
    (a, b), (c, d) = intervals
    assert b == pytest.approx(c, abs=0.02)
    assert (d - c) == pytest.approx(2 * (b - a), abs=0.05)


def test_a_panel_says_which_side_is_better_without_colour() -> None:
    spans = forest([row(-6.0, 1.0, 6.0)], "left")
    assert "← better" in spans
    assert "worse →" in spans
    above = forest([row(2.0, 3.0, 6.0)], "left")
    assert "← better" not in above
    assert "worse →" in above
    assert "← worse" in forest([row(-6.0, -3.0, -2.0)], "right")


def test_waterfall_bars_join_and_end_at_the_net() -> None:
    bars = [Bar(label=("a",), value=("1",), amount=40.0), Bar(label=("b",), value=("1",), amount=-15.0)]
    svg = waterfall(bars, Net(label=("net",), value=("1",), amount=25.0, low=-5.0, high=55.0))
    boxes = [
        (float(x), float(w), name)
        for x, w, name in re.findall(
            r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="12" class="([\w-]+)"', svg
        )
    ]
    (gain, cost, net) = boxes
    assert [name for *_, name in boxes] == ["bar-gain", "bar-cost", "bar-net"]
    assert gain[0] + gain[1] == pytest.approx(cost[0] + cost[1], abs=0.02)
    assert net[0] + net[1] == pytest.approx(cost[0], abs=0.02)
    assert svg.count('class="whisker"') == 3


def test_words_and_numbers_in_pictures_are_escaped_and_keyed() -> None:
    number = Number(key="a.b", value=1.5, text="1.5")
    assert markup(node("text", "<", number)) == '<text>&lt;<tspan data-key="a.b" data-value="1.5">1.5</tspan></text>'


def test_a_long_heading_is_squeezed_into_the_picture() -> None:
    long = forest([row(-1.0, 0.0, 1.0, heading=("Customers who file a complaint within 30 days",))], "left")
    short = forest([row(-1.0, 0.0, 1.0, heading=("Complaints",))], "left")
    assert long.count('textLength="320"') == 1
    assert "textLength" not in short


def test_no_line_of_the_waterfall_crosses_a_label() -> None:
    bars = [Bar(label=("a",), value=("1",), amount=40.0), Bar(label=("b",), value=("1",), amount=-15.0)]
    svg = waterfall(bars, Net(label=("net",), value=("1",), amount=25.0, low=-5.0, high=55.0))
    labels = [float(y) for y in re.findall(r'y="([\d.]+)" class="row-label', svg)]
    upright = [
        (float(a), float(b))
        for x1, x2, a, b in re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)"', svg)
        if x1 == x2
    ]
    assert len(labels) == 3
    assert [(y, line) for y in labels for line in upright if line[0] < y - 1 and line[1] > y - 9] == []
