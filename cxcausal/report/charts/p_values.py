"""How p-values fell into twenty equal parts, beside where they would fall if nothing but chance were at work."""

from collections.abc import Sequence
from math import sqrt

from cxcausal.core.wording import count, percent
from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html

_WIDTH, _LEFT, _TOP, _HEIGHT = 420.0, 40.0, 12.0, 130.0
_FOOT = 34.0
_SIGMAS = 3.0
STYLE = (
    ".p-values .bar{fill:var(--mark)}.p-values .first{fill:var(--bad)}.p-values .band{fill:var(--faint)}"
    ".p-values .even{stroke:var(--ink);stroke-dasharray:4 3}.p-values .chart{max-width:30rem}"
)


def p_value_bars(bins: Sequence[int], label: str) -> Html:
    """Return a histogram of p-values; the band is where even bars would lie, give or take three standard errors.

    Args:
        bins: p-values counted in equal parts of 0 to 1; the first is what a level of 1 / len(bins) would reject.
        label: the picture in words.
    """
    tosses, parts = sum(bins), len(bins)
    even = tosses / parts
    spread = _SIGMAS * sqrt(even * (1 - 1 / parts))
    most = max(*bins, even + spread)
    wide = (_WIDTH - _LEFT) / parts

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (1 - value / most)

    low = max(even - spread, 0.0)
    band = node(
        "rect", x=_LEFT, y=y(even + spread), width=_WIDTH - _LEFT, height=y(low) - y(even + spread), class_="band"
    )
    line = node("line", x1=_LEFT, x2=_WIDTH, y1=y(even), y2=y(even), class_="even")
    bars = [_bar(_LEFT + wide * at, wide, y(n), at) for at, n in enumerate(bins)]
    top = node("text", count(round(most)), x=_LEFT - 6, y=_TOP + 10, text_anchor="end", class_="foot")
    return picture(_WIDTH, _TOP + _HEIGHT + _FOOT, label, band, *bars, line, top, *_axis(parts))


def _bar(x: float, wide: float, top: float, at: int) -> Node:
    height = _TOP + _HEIGHT - top
    return node("rect", x=x + 1, y=top, width=wide - 2, height=height, class_="bar" if at else "bar first")


def _axis(parts: int) -> list[Node]:
    y = _TOP + _HEIGHT + 16
    texts = (("start", _LEFT, "p = 0"), ("middle", (_LEFT + _WIDTH) / 2, "0.5"), ("end", _WIDTH, "1"))
    words = [node("text", text, x=x, y=y, text_anchor=anchor, class_="foot") for anchor, x, text in texts]
    note = f"red: below {percent(1 / parts)}"
    return [*words, node("text", note, x=_LEFT, y=y + 14, class_="foot")]
