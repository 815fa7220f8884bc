"""The page of the growth curves names the exponents that its numbers have, and its plots are well-formed."""

from xml.etree.ElementTree import fromstring

import pytest

from benchmarks.growth_chart import Curve
from benchmarks.growth_page import Growth, Point, Spilled, pages
from benchmarks.growth_plans import families, kinds

ROWS = (10_000, 100_000, 1_000_000, 14_000_000)


def _growth(family: str, name: str, sizes: tuple[int, ...], power: float) -> Growth:
    points = tuple(
        Point(size=n, open=(1.0, 1.0), first=(2.0, 2.0), warm=(n**power, n**power), peak_mib=200.0) for n in sizes
    )
    return Growth(family=family, name=name, points=points)


def test_a_page_of_every_curve() -> None:
    grown = [_growth("rows", name, ROWS, 0.98) for name in kinds(10)]
    grown += [
        _growth(family, name, tuple(plans), 0.3 if family != "covariates" else 2.0)
        for (family, name), plans in families("wide.parquet", "narrow.parquet").items()
    ]
    done = {"open": [1.0, 1.0], "first": [2.0, 2.0], "peak_mib": 700.0}
    refused = {"refused": "too large", "exit": 6}
    spilled = [Spilled(name="clusters", rows=14_000_000, found=done, on_disk=2_000_000_000, without=refused)]
    found = pages(grown, spilled, wide=(1_000_000, 250_000), limit="512MB")
    told = found.pop("growth.md")
    assert "| means | rows^0.98 | rows^0.00 | rows^0.00 |" in told
    assert "- covariates: time grows as n^2.00, peak memory as n^0.00." in told
    assert "| 3 segments, times 1 | 1.39 | 1.5 | yes |" in told
    assert "| clusters | 14,000,000 | 3.0 | 700 | 2000 | exit 6 |" in told
    assert {f"({name})" for name in found} == {f"({part})" for part in _plots(told)}
    for text in found.values():
        assert fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
    assert "means grows as rows^0.98" in found["growth/rows.svg"]


def _plots(page: str) -> set[str]:
    return {line.split("](")[1].removesuffix(")") for line in page.splitlines() if line.startswith("![")}


def test_the_exponent_is_that_of_the_upper_half() -> None:
    points = ((10.0, 5.0), (100.0, 5.0), (1_000.0, 5.0), (10_000.0, 500.0))
    assert Curve(name="bent", points=points).exponent == pytest.approx(2.0)
