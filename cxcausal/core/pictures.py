"""Small pictures for notebooks: points with their intervals, panel by panel, as SVG that needs no plotting library."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD, _FOOT = 680, 250, 24, 22, 34, 26
_MOST_LETTERS = 40
_TICKS = 5
_GROUPED = 1_000


@dataclass(frozen=True, kw_only=True)
class Range:
    """A point with its interval under a label; a row without a point is left empty."""

    label: str
    point: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Ranges that share an axis, in one unit."""

    title: str
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Picture:
    """An SVG picture, which a notebook shows by itself.

    Example:
        >>> told = Picture.of([Panel(title="Visits", ranges=(Range(label="call", point=0.1, low=0.0, high=0.2),))])
        >>> told.svg.startswith("<svg") and "Visits" in told.svg
        True
    """

    svg: str

    @classmethod
    def of(cls, panels: Sequence[Panel]) -> "Picture":
        """Draw panels, one below the other; zero is on every axis."""
        heights = [_HEAD + _ROW * len(panel.ranges) + _FOOT for panel in panels]
        tops = [sum(heights[:place]) for place in range(len(panels))]
        parts = [part for panel, top in zip(panels, tops, strict=True) for part in _drawn(panel, top)]
        size = f'viewBox="0 0 {_WIDTH} {sum(heights)}" width="{_WIDTH}" height="{sum(heights)}"'
        style = 'font-family="system-ui, sans-serif" font-size="12" fill="#1b1f24"'
        words = escape("; ".join(panel.title for panel in panels), {'"': "&quot;"})
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style} role="img" aria-label="{words}">'
        return cls(svg="\n".join([head, '<rect width="100%" height="100%" fill="#fcfbf8"/>', *parts, "</svg>"]))

    def write(self, path: str | Path) -> None:
        """Write the picture as an SVG file."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, kw_only=True)
class _Axis:
    low: float
    high: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def ticks(self) -> Iterator[float]:
        step = _round_step((self.high - self.low) / _TICKS)
        tick = math.ceil(self.low / step) * step
        while tick <= self.high:
            yield 0.0 if abs(tick) < step / 2 else tick
            tick += step


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least this."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))


def _axis(panel: Panel) -> _Axis:
    ends = [0.0, *(end for one in panel.ranges for end in (one.point, one.low, one.high) if end is not None)]
    low, high = min(ends), max(ends)
    room = 0.05 * (high - low) or 1.0
    return _Axis(low=low - room, high=high + room)


def _drawn(panel: Panel, top: int) -> Iterator[str]:
    axis, bottom = _axis(panel), top + _HEAD + _ROW * len(panel.ranges)
    yield f'<text x="12" y="{top + 22}" font-weight="600">{escape(panel.title)}</text>'
    for tick in axis.ticks():
        place = axis.at(tick)
        yield _line((place, top + _HEAD - 4), (place, bottom), "#80868d" if tick == 0 else "#dcd8cf")
        yield f'<text x="{place}" y="{bottom + 14}" text-anchor="middle" fill="#555c64">{_digits(tick)}</text>'
    for place, one in enumerate(panel.ranges):
        yield from _row(one, axis, top + _HEAD + _ROW * place + _ROW // 2)


def _row(one: Range, axis: _Axis, y: int) -> Iterator[str]:
    label = one.label if len(one.label) <= _MOST_LETTERS else f"{one.label[: _MOST_LETTERS - 1]}…"
    yield f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
    if one.low is not None and one.high is not None:
        yield _line((axis.at(one.low), y), (axis.at(one.high), y), "#1f549c", width=2)
    if one.point is not None:
        yield f'<circle cx="{axis.at(one.point)}" cy="{y}" r="4" fill="#1f549c"/>'


def _digits(tick: float) -> str:
    return f"{tick:,.0f}" if abs(tick) >= _GROUPED else f"{tick:.4g}"


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, *, width: int = 1) -> str:
    ends = f'x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'
