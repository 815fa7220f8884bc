"""Money as a waterfall: what each part adds or takes, and the net with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxcausal.report.charts.forest import BOTTOM, ROW, STRIP, TOP, WIDTH, Axis, axis_of, value_text
from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Sentence, plain


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One part of the money; positive is good, unless `shape` names another class for the bar."""

    label: Sentence
    value: Sentence
    amount: float
    shape: str = ""


@dataclass(frozen=True, kw_only=True)
class Net:
    """What is left, with the ends of its interval where there is one."""

    label: Sentence
    value: Sentence
    amount: float
    low: float | None
    high: float | None


def waterfall(bars: Sequence[Bar], net: Net, *, what: str = "Money", foot: str = "nothing gained") -> Html:
    """Return the picture: one line per part, each starting where the one before ended, then the net with a whisker.

    Args:
        bars: the parts in their order.
        net: what they sum to.
        what: is shown, for those who can't see it.
        foot: what zero means.
    """
    starts = [sum(bar.amount for bar in bars[:index]) for index in range(len(bars) + 1)]
    ends = [end for end in (net.low, net.high) if end is not None]
    axis = axis_of([*starts, net.amount, *ends])
    height = TOP + ROW * (len(bars) + 1) + BOTTOM + 6
    zero = axis.x(0.0)
    return picture(
        WIDTH,
        height,
        _told(bars, net, what),
        *(
            node("line", x1=zero, x2=zero, y1=top + 17, y2=top + ROW - 1, class_="zero")
            for top in (TOP + index * ROW for index in range(len(bars) + 1))
        ),
        *(part for index, bar in enumerate(bars) for part in _bar(axis, bar, starts[index], TOP + index * ROW)),
        *_net(axis, net, TOP + len(bars) * ROW),
        node(
            "text",
            foot,
            x=min(max(zero, 40.0), STRIP - 40.0),
            y=height - 6,
            text_anchor="middle",
            class_="foot",
        ),
    )


def _told(bars: Sequence[Bar], net: Net, what: str) -> str:
    lines = [f"{plain(bar.label)} {plain(bar.value)}" for bar in bars] + [f"{plain(net.label)} {plain(net.value)}"]
    return f"{what} as a waterfall, each bar starting where the one above ends: {'; '.join(lines)}."


def _box(axis: Axis, start: float, end: float, y: float, name: str) -> Node:
    left, right = sorted((axis.x(start), axis.x(end)))
    return node("rect", x=left, y=y - 6, width=max(right - left, 1.5), height=12, class_=name)


def _bar(axis: Axis, bar: Bar, start: float, top: float) -> list[Node]:
    end = axis.x(start + bar.amount)
    return [
        node("text", *bar.label, x=0, y=top + 12, class_="row-label"),
        _box(axis, start, start + bar.amount, top + 27, bar.shape or ("bar-gain" if bar.amount >= 0 else "bar-cost")),
        node("line", x1=end, x2=end, y1=top + 33, y2=top + ROW - 1, class_="joint"),
        node("line", x1=end, x2=end, y1=top + ROW + 15, y2=top + ROW + 21, class_="joint"),
        value_text(bar.value, top + 31),
    ]


def _net(axis: Axis, net: Net, top: float) -> list[Node]:
    """Return the net's bar, with its whisker below it so that neither hides the other."""
    y = top + 39
    parts = [
        node("text", *net.label, x=0, y=top + 12, class_="row-label net"),
        _box(axis, 0.0, net.amount, top + 25, "bar-net"),
        value_text(net.value, top + 29, "row-value net"),
    ]
    if net.low is not None and net.high is not None:
        low, high = axis.x(net.low), axis.x(net.high)
        parts.append(node("line", x1=low, x2=high, y1=y, y2=y, class_="whisker"))
        parts.extend(node("line", x1=x, x2=x, y1=y - 4, y2=y + 4, class_="whisker") for x in (low, high))
    return parts
