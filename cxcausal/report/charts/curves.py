"""Curves with their bands: what more contacts or a larger budget gains, by prediction and by lot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Sentence

_WIDTH, _LEFT, _RIGHT, _TOP, _HEIGHT, _FOOT = 440.0, 66.0, 104.0, 20.0, 190.0, 40.0
_APART = 15.0
"""Least distance of two labels above one another."""
_BESIDE = 52.0
"""Least distance of two labels beside one another."""
STYLE = (
    ".curves .chart{max-width:32rem}.curves .band{fill:var(--faint)}"
    ".curves .line{fill:none;stroke:var(--ink);stroke-width:2.2}"
    ".curves .dashed{fill:none;stroke:var(--ink);stroke-width:1.6;stroke-dasharray:6 4}"
    ".curves .edge{fill:none;stroke:var(--mark);stroke-width:1;stroke-dasharray:1.5 3}"
    ".curves .spot{fill:var(--card);stroke:var(--ink);stroke-width:1.8}"
    ".curves .row-label{paint-order:stroke;stroke:var(--paper);stroke-width:3px}"
    "@media print{.curves .chart{max-width:19rem}}"
)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A point of a curve with its range, where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None

    @property
    def ranged(self) -> bool:
        """Whether it has a range."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line with its name at its end: solid on a filled band, or dashed between dotted edges."""

    name: Sentence
    spots: tuple[Spot, ...]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Single:
    """A point that stands for itself: a square with its range and its name."""

    name: Sentence
    spot: Spot


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A value on an axis, and how it is printed."""

    at: float
    words: Sentence


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What is counted, in words, and which values are printed: from left to right, and from below."""

    across: Sentence
    upwards: Sentence
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True)
class _Frame:
    left: float
    right: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.left) / (self.right - self.left) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + _HEIGHT - (value - self.bottom) / (self.top - self.bottom) * _HEIGHT


def curves(lines: Sequence[Curve], singles: Sequence[Single], axes: Axes, label: str) -> Html:
    """Return the picture.

    Args:
        lines: at least one, with at least one spot each.
        singles: points beside them.
        axes: their words and ticks.
        label: the same in words, for those who can't see it.
    """
    frame = _frame([*(spot for line in lines for spot in line.spots), *(one.spot for one in singles)])
    ends = _apart([frame.y(line.spots[-1].y) for line in lines])
    return picture(
        _WIDTH,
        _TOP + _HEIGHT + _FOOT,
        label,
        *(part for line in lines if not line.dashed for part in _band(frame, line)),
        *_axes(frame, axes),
        *(part for line, end in zip(lines, ends, strict=True) for part in _line(frame, line, end)),
        *(part for one in singles for part in _single(frame, one)),
    )


def _frame(spots: Sequence[Spot]) -> _Frame:
    """Return a frame that holds every spot with its range, and zero on both axes."""
    heights = [value for spot in spots for value in (spot.y, spot.low, spot.high) if value is not None]
    across = [spot.x for spot in spots]
    left, right = min(0.0, *across), max(0.0, *across)
    bottom, top = min(0.0, *heights), max(0.0, *heights)
    return _Frame(
        left=left, right=right if right > left else left + 1, bottom=bottom, top=top if top > bottom else bottom + 1
    )


def _apart(heights: Sequence[float]) -> list[float]:
    """Return places for labels at these heights, moved down where they would cover one another."""
    places = list(heights)
    order = sorted(range(len(places)), key=lambda at: places[at])
    for above, below in pairwise(order):
        places[below] = max(places[below], places[above] + _APART)
    return places


def _path(frame: _Frame, places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in places)


def _band(frame: _Frame, line: Curve) -> list[Node]:
    ranged = [spot for spot in line.spots if spot.ranged]
    if len(ranged) < 2:  # noqa: PLR2004 - a band has two ends
        return []
    around = [(spot.x, spot.high or 0.0) for spot in ranged] + [(spot.x, spot.low or 0.0) for spot in reversed(ranged)]
    return [node("path", d=_path(frame, around) + "z", class_="band")]


def _line(frame: _Frame, line: Curve, end: float) -> Iterator[Node]:
    places = [(spot.x, spot.y) for spot in line.spots]
    yield node("path", d=_path(frame, places), class_="dashed" if line.dashed else "line")
    ranged = [spot for spot in line.spots if spot.ranged]
    if line.dashed and len(ranged) > 1:
        for edge in ([(spot.x, spot.low or 0.0) for spot in ranged], [(spot.x, spot.high or 0.0) for spot in ranged]):
            yield node("path", d=_path(frame, edge), class_="edge")
    yield node("text", *line.name, x=frame.x(places[-1][0]) + 8, y=end + 4, class_="row-label")


def _single(frame: _Frame, one: Single) -> Iterator[Node]:
    x, y = frame.x(one.spot.x), frame.y(one.spot.y)
    if one.spot.ranged:
        low, high = frame.y(one.spot.low or 0.0), frame.y(one.spot.high or 0.0)
        yield node("line", x1=x, x2=x, y1=low, y2=high, class_="whisker")
    yield node("rect", x=x - 4, y=y - 4, width=8.0, height=8.0, class_="spot")
    yield node("text", *one.name, x=x + 8, y=y + 15, class_="row-label")


def _axes(frame: _Frame, axes: Axes) -> Iterator[Node]:
    zero, right = frame.y(0.0), _WIDTH - _RIGHT
    yield node("text", *axes.upwards, x=0, y=11, class_="foot")
    yield node("line", x1=_LEFT, x2=right, y1=zero, y2=zero, class_="zero")
    yield node("text", "no gain", x=_LEFT - 6, y=zero + 4, text_anchor="end", class_="foot")
    for tick in _spaced(axes.y, frame.y, _APART, [zero]):
        yield node("line", x1=_LEFT, x2=right, y1=frame.y(tick.at), y2=frame.y(tick.at), class_="guide")
        yield node("text", *tick.words, x=_LEFT - 6, y=frame.y(tick.at) + 4, text_anchor="end", class_="foot")
    below = _TOP + _HEIGHT
    for tick in _spaced(axes.x, frame.x, _BESIDE, []):
        yield node("line", x1=frame.x(tick.at), x2=frame.x(tick.at), y1=below, y2=below + 4, class_="zero")
        yield node("text", *tick.words, x=frame.x(tick.at), y=below + 16, text_anchor="middle", class_="foot")
    yield node("text", *axes.across, x=(_LEFT + right) / 2, y=below + 34, text_anchor="middle", class_="foot")


def _spaced(ticks: Sequence[Tick], place: Callable[[float], float], least: float, taken: list[float]) -> list[Tick]:
    """Return the ticks whose labels don't cover one another, the last first."""
    told: list[Tick] = []
    used = list(taken)
    for tick in reversed(ticks):
        at = place(tick.at)
        if all(abs(at - other) >= least for other in used):
            told.append(tick)
            used.append(at)
    return told
