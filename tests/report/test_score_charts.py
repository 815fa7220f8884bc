"""Pictures of scores show what the numbers say: lines where they must run, names apart, shapes that need no colour."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest

from cxcausal.report.charts.contour import Landmark, Surface, contour, explains_all
from cxcausal.report.charts.love import LoveRow, love
from cxcausal.report.charts.overlap import overlap
from cxcausal.report.text import Sentence

GRID = tuple(0.05 * place for place in range(13))
NAMES: tuple[Sentence, Sentence] = (("a",), ("b",))


def surface(point: float = -1.0, steep: float = 2.0) -> Surface:
    bound = tuple(tuple(point * (1 - steep * (a + b)) for b in GRID) for a in GRID)
    return Surface(grid=GRID, bound=bound, point=point, ticks=((0, "none"), (12, "most")))


def points(picture: str, name: str) -> list[tuple[float, float]]:
    paths = "".join(re.findall(rf'<path d="([^"]*L[^"]*)" class="{name}"', picture))
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", paths)]


@pytest.mark.parametrize("point", [-1.0, 2.5])
def test_the_line_where_nothing_is_left_runs_where_the_bound_is_zero(point: float) -> None:
    found = points(contour(surface(point), (), ("x",)), "none")
    assert len(found) > 10
    for x, y in found:
        treatment, outcome = (x - 58) / 300 * GRID[-1], (1 - (y - 10) / 300) * GRID[-1]
        assert treatment + outcome == pytest.approx(0.5, abs=2e-3)


def test_half_of_it_is_left_at_half_the_strength() -> None:
    for x, y in points(contour(surface(), (), ("x",)), "half"):
        assert (x - 58) / 300 * GRID[-1] + (1 - (y - 10) / 300) * GRID[-1] == pytest.approx(0.25, abs=2e-3)


def test_where_something_is_always_left_the_picture_says_so() -> None:
    weak = surface(steep=0.2)
    assert not explains_all(weak)
    assert points(contour(weak, (), ("x",)), "none") == []
    assert "in all of the picture some is left" in contour(weak, (), ("x",))
    assert explains_all(surface())


def test_names_of_landmarks_do_not_lie_on_one_another_and_those_outside_are_left_out() -> None:
    marks = [Landmark(label=f"c{at}", treatment=0.01, outcome=0.001 * at) for at in range(6)]
    picture = contour(surface(), [*marks, Landmark(label="far", treatment=0.9, outcome=0.1)], ("x",))
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)" class="foot named"', picture))
    assert len(heights) == 6
    assert min(b - a for a, b in pairwise(heights)) >= 12
    assert "far" not in picture


def test_bars_of_both_groups_hang_on_one_line() -> None:
    picture = overlap((1.0, 3.0, 0.0), (2.0, 0.0, 2.0), NAMES, ("chance",))
    bars = {
        name: [
            tuple(map(float, found))
            for found in re.findall(rf'y="([\d.]+)"[^/]*height="([\d.]+)" class="{name}"', picture)
        ]
        for name in ("own", "others")
    }
    assert len(bars["own"]) == len(bars["others"]) == 2
    assert {round(top + height, 2) for top, height in bars["own"]} == {102.0}
    assert {round(top, 2) for top, _ in bars["others"]} == {102.0}
    assert bars["own"][1][1] == pytest.approx(3 * bars["own"][0][1])


@pytest.mark.parametrize(
    ("own", "others", "said"),
    [
        ((1.0, 1.0), (2.0, 1.0), "Both groups are found in every part."),
        ((1.0, 0.0), (0.0, 1.0), "The groups share no part."),
        ((1.0, 1.0), (0.0, 1.0), "In some parts only one"),
        ((0.0, 0.0), (0.0, 1.0), "The groups share no part."),
    ],
)
def test_those_who_cannot_see_hear_where_the_groups_are(
    own: Sequence[float], others: Sequence[float], said: str
) -> None:
    assert said in overlap(own, others, NAMES, ("chance",))


def test_distances_have_one_scale_and_those_beyond_the_limit_another_shape() -> None:
    rows = [LoveRow(label=("one",), before=0.4, after=0.2), LoveRow(label=("two",), before=0.2, after=0.01)]
    picture = love(rows, 0.1, ("x",))
    before = [float(x) for x in re.findall(r'cx="([\d.]+)" cy="[\d.]+" r="4.2"', picture)]
    (beyond,) = (float(x) + 4.5 for x in re.findall(r'<rect x="([\d.]+)"[^>]*class="beyond"', picture))
    assert before[0] - 168 == pytest.approx(2 * (before[1] - 168), abs=0.05)
    assert beyond == pytest.approx(before[1], abs=0.05)
    assert picture.count('class="after"') == 1
    assert "closer in every column" in picture
    assert 'class="limit"' not in love(rows, None, ("x",))
    assert love([LoveRow(label=("one",), before=0.0, after=0.0)], None, ("x",))
