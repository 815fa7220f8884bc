"""What is left of an effect under unmeasured differences of every strength, with known columns as landmarks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Piece, Sentence, plain

_WIDTH, _LEFT, _TOP, _SIDE, _FOOT = 440.0, 58.0, 10.0, 300.0, 48.0
_LINE = 12.0
_LEVELS = ((0.75, "line"), (0.5, "half"), (0.25, "line"), (0.0, "none"))
STYLE = (
    ".contour .box{fill:none;stroke:var(--line)}.contour .line{fill:none;stroke:var(--mark);stroke-width:1}"
    ".contour .half{fill:none;stroke:var(--ink);stroke-width:1.5;stroke-dasharray:6 4}"
    ".contour .none{fill:none;stroke:var(--bad);stroke-width:2.5}"
    ".contour .landmark{fill:var(--ink)}.contour .named{paint-order:stroke;stroke:var(--paper);stroke-width:3px}"
    ".contour .chart{max-width:32rem}"
)
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Landmark:
    """A confounder as strong as one declared column, by its strength with who got what and with the outcome."""

    label: Piece
    treatment: float
    outcome: float


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The bound of an effect over a square grid of strengths.

    Attributes:
        grid: strengths, ascending. bound: rows by the strength with who got what, columns by that with the outcome.
        point: the effect without any doubt.
        ticks: the words of both axes: place on the grid → words.
    """

    grid: Sequence[float]
    bound: Sequence[Sequence[float]]
    point: float
    ticks: Sequence[tuple[int, Piece]]


def contour(surface: Surface, landmarks: Sequence[Landmark], what: Sentence) -> Html:
    """Return lines of equal effect: three quarters, half (dashed), a quarter and none (thick) of it left."""
    landmarks = [mark for mark in landmarks if max(mark.treatment, mark.outcome) <= surface.grid[-1]]
    lines = [
        node("path", d=path, class_=name)
        for share, name in _LEVELS
        if (path := "".join(_segments(surface, share * surface.point)))
    ]
    return picture(
        _WIDTH,
        _TOP + _SIDE + _FOOT,
        _told(surface, landmarks, what),
        node("rect", x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, class_="box"),
        *lines,
        *_landmarks(surface, landmarks),
        *_axes(surface),
        *_key(),
    )


def explains_all(surface: Surface) -> bool:
    """Tell whether any strength of the grid is enough for no effect to be left."""
    return any(value * surface.point <= 0 for row in surface.bound for value in row)


def _told(surface: Surface, landmarks: Sequence[Landmark], what: Sentence) -> str:
    end = (
        "somewhere within the picture nothing is left"
        if explains_all(surface)
        else "in all of the picture some is left"
    )
    known = ", ".join(plain((mark.label,)) for mark in landmarks) or "none"
    return f"{plain(what)}: {end}. Known columns shown as landmarks: {known}."


def _place(surface: Surface, treatment: float, outcome: float) -> Point:
    widest = surface.grid[-1] or 1.0
    return _LEFT + _SIDE * treatment / widest, _TOP + _SIDE * (1 - outcome / widest)


def _segments(surface: Surface, level: float) -> Iterator[str]:
    """Yield the pieces of one line, cell by cell (marching squares; a saddle is cut along one diagonal)."""
    for row in range(len(surface.grid) - 1):
        for column in range(len(surface.grid) - 1):
            points = _crossings(surface, row, column, level)
            for first, second in zip(points[::2], points[1::2], strict=False):
                yield f"M{first[0]:.1f} {first[1]:.1f}L{second[0]:.1f} {second[1]:.1f}"


def _crossings(surface: Surface, row: int, column: int, level: float) -> list[Point]:
    """Return where a level crosses the sides of one cell."""
    corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
    found: list[Point] = []
    for (a, b), (c, d) in zip(corners, (*corners[1:], corners[0]), strict=True):
        one, other = surface.bound[a][b] - level, surface.bound[c][d] - level
        if (one > 0) == (other > 0):
            continue
        share = one / (one - other)
        treatment = surface.grid[a] + share * (surface.grid[c] - surface.grid[a])
        outcome = surface.grid[b] + share * (surface.grid[d] - surface.grid[b])
        found.append(_place(surface, treatment, outcome))
    return found


def _landmarks(surface: Surface, landmarks: Sequence[Landmark]) -> list[Node]:
    """Return the marks, their names moved up where they would lie on one another."""
    parts: list[Node] = []
    above = _TOP + _SIDE + _LINE
    for (x, y), mark in sorted(((_place(surface, one.treatment, one.outcome), one) for one in landmarks), key=_lowest):
        above = min(y - 3, above - _LINE)
        parts.append(node("path", d=f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5z", class_="landmark"))
        parts.append(node("text", mark.label, x=x + 8, y=above, class_="foot named"))
    return parts


def _lowest(item: tuple[Point, Landmark]) -> tuple[float, float]:
    """Return what sorts the lowest first."""
    (x, y), _ = item
    return -y, x


def _axes(surface: Surface) -> list[Node]:
    bottom = _TOP + _SIDE
    parts: list[Node] = []
    for place, words in surface.ticks:
        x, y = _place(surface, surface.grid[place], surface.grid[place])
        anchor = "start" if place == 0 else "end" if place == len(surface.grid) - 1 else "middle"
        parts.append(node("text", words, x=x, y=bottom + 16, text_anchor=anchor, class_="foot"))
        if place:
            parts.append(
                node("text", words, x=_LEFT - 6, y=y + (10 if anchor == "end" else 4), text_anchor="end", class_="foot")
            )
    middle = _TOP + _SIDE / 2
    across = f"rotate(-90 12 {middle:g})"
    return [
        *parts,
        node("text", "strength with who got what →", x=_LEFT + _SIDE, y=bottom + 34, text_anchor="end", class_="foot"),
        node(
            "text", "strength with the outcome →", x=12, y=middle, text_anchor="middle", transform=across, class_="foot"
        ),
    ]


def _key() -> list[Node]:
    x, y = _LEFT + _SIDE + 8, _TOP + 12
    entries = (("none", "nothing left"), ("half", "half left"), ("line", "a quarter or three"))
    parts: list[Node] = []
    for at, (name, words) in enumerate(entries):
        top = y + 18 * at
        parts.append(node("path", d=f"M{x:g} {top - 4:g}h16", class_=name))
        parts.append(node("text", words, x=x + 20, y=top, class_="foot"))
    return parts
