"""Pictures for notebooks: every number at its place, every word as text, and nothing that is not XML."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cxcausal.core.pictures import Panel, Picture, Range

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*ranges: Range) -> ET.Element:
    return ET.fromstring(Picture.of([Panel(title="Churn", ranges=ranges)]).svg)  # noqa: S314 - our own text


def place_of(root: ET.Element, value: float) -> float:
    """Return where a value lies, read from two ticks of the axis."""
    ticks = [
        (float((one.text or "").replace(",", "")), float(one.attrib["x"]))
        for one in root.iter(f"{SVG}text")
        if "text-anchor" in one.attrib and re.fullmatch(r"-?[\d.,e-]+", one.text or "")
    ]
    (low, first), (high, last) = ticks[0], ticks[-1]
    return first + (value - low) / (high - low) * (last - first)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 3e5])
def test_points_and_intervals_lie_where_the_axis_says(scale: float) -> None:
    root = drawn(
        Range(label="a", point=-0.5 * scale, low=-1.0 * scale, high=0.25 * scale), Range(label="b", point=2 * scale)
    )
    points = [float(one.attrib["cx"]) for one in root.iter(f"{SVG}circle")]
    assert points == pytest.approx([place_of(root, -0.5 * scale), place_of(root, 2 * scale)], abs=0.5)
    (interval,) = [one for one in root.iter(f"{SVG}line") if one.attrib["stroke-width"] == "2"]
    ends = [float(interval.attrib[name]) for name in ("x1", "x2")]
    assert ends == pytest.approx([place_of(root, -1.0 * scale), place_of(root, 0.25 * scale)], abs=0.5)


def test_words_are_text_and_never_markup() -> None:
    root = drawn(Range(label='<script>"&', point=1.0))
    assert '<script>"&' in [one.text for one in root.iter(f"{SVG}text")]
    assert not list(root.iter(f"{SVG}script"))


def test_what_is_not_known_leaves_its_row_empty() -> None:
    root = drawn(Range(label="unknown", point=None), Range(label="zero", point=0.0))
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert Picture.of([]).svg.endswith("</svg>")


def test_a_notebook_shows_it_and_a_file_holds_it(tmp_path: Path) -> None:
    picture = Picture.of([Panel(title="Churn", ranges=(Range(label="call", point=1.0),))])
    assert picture._repr_svg_() == picture.svg
    picture.write(tmp_path / "churn.svg")
    assert (tmp_path / "churn.svg").read_text(encoding="utf-8") == picture.svg
