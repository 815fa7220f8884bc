"""How far apart groups are in each column, before and after weights, with the agreed limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Sentence, plain

_WIDTH, _LEFT, _ROW, _TOP, _FOOT, _ROOM = 440.0, 168.0, 19.0, 8.0, 46.0, 26
STYLE = (
    ".love .before{fill:var(--card);stroke:var(--mark);stroke-width:1.75}.love .after{fill:var(--ink)}"
    ".love .beyond{fill:var(--bad)}.love .chart{max-width:32rem}"
)


@dataclass(frozen=True, kw_only=True)
class LoveRow:
    """One column's distance between the groups, in standard deviations, whatever its sign."""

    label: Sentence
    before: float
    after: float


def love(rows: Sequence[LoveRow], limit: float | None, what: Sentence) -> Html:
    """Return the picture: rings for before, full marks for after; beyond the limit the mark is a square.

    Args:
        rows: in the order to show.
        limit: as far apart as groups may be; None where nothing was agreed.
        what: is compared, in words.
    """
    widest = max((*(row.before for row in rows), *(row.after for row in rows), limit or 0.0)) or 1.0
    bottom = _TOP + _ROW * len(rows)

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 8) * value / widest

    lines = [node("line", x1=_LEFT, x2=_LEFT, y1=_TOP, y2=bottom, class_="zero")]
    if limit is not None:
        lines.append(node("line", x1=x(limit), x2=x(limit), y1=_TOP, y2=bottom, class_="limit"))
    marks = (part for at, row in enumerate(rows) for part in _row(row, x(row.before), x(row.after), at, limit))
    return picture(_WIDTH, bottom + _FOOT, _told(rows, limit, what), *lines, *marks, *_foot(bottom))


def _told(rows: Sequence[LoveRow], limit: float | None, what: Sentence) -> str:
    closer = sum(row.after < row.before for row in rows)
    moved = "every column" if closer == len(rows) else "most columns" if 2 * closer > len(rows) else "few columns"
    beyond = [plain(row.label) for row in rows if limit is not None and row.after > limit]
    bound = "" if limit is None else f" Beyond the limit after weights: {', '.join(beyond) or 'none'}."
    return f"{plain(what)}: weights bring the groups closer in {moved}.{bound}"


def _row(row: LoveRow, before: float, after: float, at: int, limit: float | None) -> list[Node]:
    y = _TOP + _ROW * (at + 0.5)
    long = len(plain(row.label)) > _ROOM
    fit = {"textLength": _LEFT - 10, "lengthAdjust": "spacingAndGlyphs"} if long else {}
    left, right = sorted((before, after))
    beyond = limit is not None and row.after > limit
    mark = (
        node("rect", x=after - 4.5, y=y - 4.5, width=9, height=9, class_="beyond")
        if beyond
        else node("circle", cx=after, cy=y, r=3.8, class_="after")
    )
    return [
        node("text", *row.label, x=_LEFT - 8, y=y + 4, text_anchor="end", class_="foot", **fit),
        node("line", x1=left, x2=right, y1=y, y2=y, class_="guide"),
        node("circle", cx=before, cy=y, r=4.2, class_="before"),
        mark,
    ]


def _foot(bottom: float) -> list[Node]:
    said = "ring: before; full mark: after weights; dashed: the agreed limit"
    return [
        node("text", "alike", x=_LEFT, y=bottom + 16, text_anchor="middle", class_="foot"),
        node("text", "further apart →", x=_WIDTH, y=bottom + 16, text_anchor="end", class_="foot"),
        node("text", said, x=_WIDTH, y=bottom + 34, text_anchor="end", class_="foot"),
    ]
