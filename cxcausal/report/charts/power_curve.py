"""Power over units, one line per success metric and guardrail: a picture that stands alone as a file."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cxcausal.core.wording import count, listed, percent
from cxcausal.report.charts.svg import Node, markup, node
from cxcausal.report.palette import DARK, LIGHT, variables

if TYPE_CHECKING:
    from cxcausal.planning.result import Curve, PlanResult

_WIDTH, _LEFT, _RIGHT, _TOP, _HEIGHT, _LINE = 760.0, 56.0, 24.0, 40.0, 260.0, 20.0
_INKS = ("ship", "pilot", "stop", "hold", "ship_with_monitoring", "no_decision")
_DASHES = ("", "6 4", "2 3", "10 3 2 3")
"""Lines differ by dashes as well as by colour."""
_QUARTERS = 4


def power_curve(result: "PlanResult") -> str:
    """Return the picture as a self-contained SVG file: no script, font or address is needed to see it.

    Args:
        result: with at least one curve (see `PlanResult.curves`); without one the picture says so.
    """
    bottom = _TOP + _HEIGHT
    curves = _merged(result)
    legend = [part for index, curve in enumerate(curves) for part in _legend(curve, index, bottom)]
    height = bottom + 44 + _LINE * max(len(curves), 1)
    parts = (*_axes(result), *_planned(result), *(_line(curve, i) for i, curve in enumerate(curves)), *legend)
    whole = node(
        "svg",
        node("title", f"Power of {result.experiment}"),
        node("desc", result.sentence),
        node("style", _style()),
        node("rect", class_="paper", width=_WIDTH, height=height),
        node("text", _title(result), x=_LEFT, y=24.0, class_="head"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:g} {height:g}",
        role="img",
        aria_label=result.sentence,
    )
    return markup(whole) + "\n"


def _title(result: "PlanResult") -> str:
    if not result.curves:
        return f"{result.experiment}: no size is planned, so there is no power to show"
    return f"{result.experiment}: probability to find the planned size, by units in all arms"


def _merged(result: "PlanResult") -> "list[Curve]":
    """Return the curves, those of one metric that are the same (arms with equal shares) as one with all their names."""
    found: dict[object, list[Curve]] = {}
    for curve in result.curves:
        found.setdefault((curve.metric, curve.power), []).append(curve)
    return [replace(same[0], arm=listed([curve.arm for curve in same])) for same in found.values()]


def _style() -> str:
    inks = "".join(f".k{i}{{stroke:var(--{ink});fill:none;stroke-width:2}}" for i, ink in enumerate(_INKS))
    return (
        f"svg{{{variables(LIGHT)};font:13px system-ui,sans-serif}}"
        f"@media (prefers-color-scheme:dark){{svg{{{variables(DARK)}}}}}"
        "text{fill:var(--ink)}.soft{fill:var(--soft)}.head{font-weight:600}.paper{fill:var(--paper)}"
        f".grid{{stroke:var(--line)}}.plan{{stroke:var(--mark);stroke-dasharray:3 3}}{inks}"
    )


def _widest(result: "PlanResult") -> float:
    return max((curve.units[-1] for curve in result.curves), default=float(result.units or 1))


def _x(result: "PlanResult", units: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * units / _widest(result)


def _y(power: float) -> float:
    return _TOP + _HEIGHT * (1 - power)


def _axes(result: "PlanResult") -> "list[Node]":
    parts: list[Node] = []
    for step in range(_QUARTERS + 1):
        share = step / _QUARTERS
        y, units = _y(share), _widest(result) * share
        parts.append(node("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(node("text", percent(share), x=_LEFT - 8, y=y + 4, text_anchor="end", class_="soft"))
        anchor = "end" if step == _QUARTERS else "middle"
        at = _TOP + _HEIGHT + 18
        parts.append(node("text", count(round(units)), x=_x(result, units), y=at, text_anchor=anchor, class_="soft"))
    return parts


def _planned(result: "PlanResult") -> "list[Node]":
    if result.units is None or result.units > _widest(result):
        return []
    x = _x(result, result.units)
    label = node("text", f"{count(result.units)} planned", x=x + 4, y=_TOP + _HEIGHT - 6, class_="soft")
    return [node("line", x1=x, x2=x, y1=_TOP, y2=_TOP + _HEIGHT, class_="plan"), label]


def _line(curve: "Curve", index: int) -> Node:
    points = " ".join(f"{x:.1f},{_y(p):.1f}" for x, p in zip(_across(curve), curve.power, strict=True))
    return node("polyline", points=points, class_=f"k{index % len(_INKS)}", stroke_dasharray=_dash(index))


def _across(curve: "Curve") -> "list[float]":
    return [_LEFT + (_WIDTH - _LEFT - _RIGHT) * units / curve.units[-1] for units in curve.units]


def _dash(index: int) -> str:
    return _DASHES[index // len(_INKS) % len(_DASHES)] or "none"


def _legend(curve: "Curve", index: int, bottom: float) -> "list[Node]":
    y = bottom + 44 + _LINE * index
    text = f"{curve.metric}, {curve.arm} (asked: {percent(curve.power_asked)})"
    line = node(
        "line", x1=_LEFT, x2=_LEFT + 28, y1=y - 4, y2=y - 4, class_=f"k{index % len(_INKS)}",
        stroke_dasharray=_dash(index),
    )  # fmt: skip
    return [line, node("text", text, x=_LEFT + 36, y=y)]
