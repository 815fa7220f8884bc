"""A forest plot of one scale: the interval is the mark, the point a tick, with lines for no change and the limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Sentence, plain

WIDTH, STRIP, ROW, TOP, BOTTOM, HEAD = 320.0, 196.0, 42.0, 2.0, 20.0, 20.0
EDGE = 8.0
_ROOM = 17
_HEADING_ROOM = 40


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One interval on the panel's scale, its words, and the limits that hold for it.

    Attributes:
        heading: words above the row, where a panel holds several metrics and a new one begins.
        limits: values of dashed lines (an agreed margin); pays_from: value of the marker of break-even.
        state: good, bad or none, for the colour and the weight of the mark.
    """

    label: Sentence
    value: Sentence
    heading: Sentence = ()
    low: float
    point: float
    high: float
    state: str
    limits: tuple[float, ...] = ()
    pays_from: float | None = None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """From values to places on the strip."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Return the place of a value."""
        return EDGE + (value - self.low) / (self.high - self.low) * (STRIP - 2 * EDGE)


def axis_of(values: Sequence[float]) -> Axis:
    """Return an axis that holds all values and zero.

    Example:
        >>> axis_of([-2.0, 6.0])
        Axis(low=-2.0, high=6.0)
    """
    low, high = min(*values, 0.0), max(*values, 0.0)
    return Axis(low=low, high=high if high > low else low + 1.0)


def forest(rows: Sequence[ForestRow], better: str) -> Html:
    """Return one panel; `better` is `left` or `right`, where the good side is."""
    values = [
        v for row in rows for v in (row.low, row.high, *row.limits, *([] if row.pays_from is None else [row.pays_from]))
    ]
    axis = axis_of(values)
    tops = [
        TOP + ROW * index + HEAD * sum(bool(row.heading) for row in rows[: index + 1]) for index in range(len(rows))
    ]
    height = tops[-1] + ROW + BOTTOM
    return picture(
        WIDTH,
        height,
        f"Ranges of the difference: {'; '.join(map(_told, rows))}. No change is zero; {better} is better.",
        *(part for row, top in zip(rows, tops, strict=True) for part in _row(axis, row, top)),
        *_foot(axis, height, better),
    )


def _told(row: ForestRow) -> str:
    heading = f"{plain(row.heading)}: " if row.heading else ""
    return f"{heading}{plain(row.label)}, {plain(row.value)}"


def value_text(words: Sentence, y: float, name: str = "row-value") -> Node:
    """Return words at the right edge, squeezed where they would run into the strip."""
    long = len(plain(words)) > _ROOM
    fit = {"textLength": WIDTH - STRIP - 4, "lengthAdjust": "spacingAndGlyphs"} if long else {}
    return node("text", *words, x=WIDTH, y=y, text_anchor="end", class_=name, **fit)


def _heading(words: Sentence, y: float) -> Node:
    """Return a heading, squeezed where its bold letters would run out of the picture."""
    fit = {"textLength": WIDTH, "lengthAdjust": "spacingAndGlyphs"} if len(plain(words)) > _HEADING_ROOM else {}
    return node("text", *words, x=0, y=y, class_="row-head", **fit)


def _row(axis: Axis, row: ForestRow, top: float) -> list[Node]:
    y = top + 28
    low, point, high = axis.x(row.low), axis.x(row.point), axis.x(row.high)
    zero = axis.x(0.0)
    parts = [_heading(row.heading, top - 6)] if row.heading else []
    parts += [
        node("text", *row.label, x=0, y=top + 12, class_="row-label"),
        node("line", x1=EDGE, x2=STRIP - EDGE, y1=y, y2=y, class_="guide"),
        node("line", x1=zero, x2=zero, y1=y - 10, y2=y + 10, class_="zero"),
        node("line", x1=low, x2=max(high, low + 1.0), y1=y, y2=y, class_=f"interval {row.state}"),
        node("line", x1=point, x2=point, y1=y - 6, y2=y + 6, class_=f"tick {row.state}"),
    ]
    parts += [node("line", x1=axis.x(v), x2=axis.x(v), y1=y - 10, y2=y + 10, class_="limit") for v in row.limits]
    if row.pays_from is not None:
        x = axis.x(row.pays_from)
        parts.append(node("path", d=f"M{x:.1f} {y + 4:.1f}l4.5 8h-9z", class_="pays"))
    return [*parts, value_text(row.value, y + 4)]


def _foot(axis: Axis, height: float, better: str) -> list[Node]:
    """Return the words below: no change, and on either side, where there is room, whether it is better or worse."""
    y, x, half = height - 6, axis.x(0.0), 28.0
    left, right = ("← better", "worse →") if better == "left" else ("← worse", "better →")
    words = [node("text", "no change", x=min(max(x, half), STRIP - half), y=y, text_anchor="middle", class_="foot")]
    if x > 3 * half:
        words.append(node("text", left, x=0, y=y, class_="foot"))
    if x < STRIP - 3 * half:
        words.append(node("text", right, x=STRIP, y=y, text_anchor="end", class_="foot"))
    return words
