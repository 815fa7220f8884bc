"""Curves on logarithmic axes as SVG, and the exponent of each: the slope of its upper half."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

import numpy as np

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, KEY = 760.0, 400.0, 64.0, 40.0, 48.0, 270.0
_COLOURS = ("#1b6ca8", "#c1440e", "#3a7d44", "#7b4ea3", "#b8860b", "#008b8b", "#a23b72", "#555555", "#d17a22")
_STEPS = (1, 2, 5)
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One kind of work: its name, and (size, cost) of every point, sizes rising."""

    name: str
    points: Points

    @property
    def exponent(self) -> float:
        """The slope of log(cost) on log(size) over the larger half of the sizes.

        Example:
            >>> Curve(name="x", points=((1, 9), (10, 9), (100, 90), (1000, 900))).exponent
            1.0
        """
        upper = np.log(np.array(self.points[len(self.points) // 2 :]))
        return round(float(np.polyfit(upper[:, 0], upper[:, 1], 1)[0]), 2) + 0.0  # no −0


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """From values to places, by their logarithms."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        steps = _STEPS if len(powers) < len(_STEPS) + 1 else _STEPS[:1]
        every = (step * 10.0**power for power in powers for step in steps)
        return [tick for tick in every if self.low <= tick <= self.high]


def chart(title: str, size: str, cost: str, curves: Sequence[Curve]) -> str:
    """Return one picture; `size` and `cost` name the axes, and the key names every curve's exponent."""
    points = [point for curve in curves for point in curve.points]
    x = _axis([point[0] for point in points], LEFT, WIDTH - KEY)
    y = _axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    told = "; ".join(f"{curve.name} grows as {size}^{curve.exponent:.2f}" for curve in curves)
    label = escape(f"{title}: {told}")
    box = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#ffffff"/>',
        _text(LEFT, 20, title, 'font-size="14" font-weight="bold"'),
        *(_line(x.at(tick), TOP, x.at(tick), HEIGHT - BOTTOM) for tick in x.ticks()),
        *(_text(x.at(tick), HEIGHT - BOTTOM + 16, _short(tick), 'text-anchor="middle"') for tick in x.ticks()),
        *(_line(LEFT, y.at(tick), WIDTH - KEY, y.at(tick)) for tick in y.ticks()),
        *(_text(LEFT - 6, y.at(tick) + 4, _short(tick), 'text-anchor="end"') for tick in y.ticks()),
        _text((LEFT + WIDTH - KEY) / 2, HEIGHT - 10, size, 'text-anchor="middle"'),
        _text(LEFT, TOP - 6, cost, 'text-anchor="middle"'),
        *(part for place, curve in enumerate(curves) for part in _curve(curve, place, x, y)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axis(values: Sequence[float], start: float, end: float) -> _Axis:
    """Return an axis from a little below the smallest value to a little above the largest."""
    low, high = min(values), max(values)
    room = 1.15 if high > 2 * low else 2.0
    return _Axis(low=low / room, high=high * room, start=start, end=end)


def _curve(curve: Curve, place: int, x: _Axis, y: _Axis) -> list[str]:
    colour, row = _COLOURS[place % len(_COLOURS)], TOP + 8 + place * 34
    where = [(x.at(size), y.at(cost)) for size, cost in curve.points]
    drawn = " ".join(f"{at:.1f},{up:.1f}" for at, up in where)
    key = WIDTH - KEY + 14
    return [
        f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{at:.1f}" cy="{up:.1f}" r="3" fill="{colour}"/>' for at, up in where),
        f'<circle cx="{key:g}" cy="{row:g}" r="4" fill="{colour}"/>',
        _text(key + 10, row + 4, curve.name, f'fill="{colour}"'),
        _text(key + 10, row + 18, f"exponent {curve.exponent:.2f}", 'fill="#555555"'),
    ]


def _text(x: float, y: float, words: str, more: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _short(value: float) -> str:
    """Return a tick's words.

    Example:
        >>> _short(10_000), _short(2_000_000), _short(0.05)
        ('10k', '2M', '0.05')
    """
    for limit, sign in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{sign}"
    return f"{value:g}"
