"""One icon per verdict and per state of a check: told apart by shape, not by colour alone."""

from cxcausal.report.charts.svg import Node, markup, node
from cxcausal.report.text import Html

_RING = "M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19z"
_OCTAGON = "M8 2.5h8l5.5 5.5v8l-5.5 5.5h-8l-5.5-5.5v-8z"
_TRIANGLE = "M12 3l10 18h-20z"
_DIAMOND = "M12 2l10 10l-10 10l-10-10z"
_TICK = "M7 12.5l3.5 3.5l6.5-7.5"
_SHAPES = {
    "ship": (_RING, _TICK),
    "ship_with_monitoring": (_RING, "M5.5 12.5h3l2-5l3.5 9l2-4h2.5"),
    "pilot": (_RING, "M9 17.5v-11h7.5l-2.5 3l2.5 3h-7.5"),
    "hold": (_RING, "M9.5 8v8M14.5 8v8"),
    "stop": (_OCTAGON, "M7.5 12h9"),
    "no_decision": (_DIAMOND, "M12 7v6M12 16v.8"),
    "pass": (_RING, _TICK),
    "warn": (_TRIANGLE, "M12 10v5M12 17.4v.8"),
    "fail": (_OCTAGON, "M8.5 8.5l7 7M15.5 8.5l-7 7"),
    "could_not_run": (_DIAMOND, "M8.5 12h7"),
    "info": (_RING, "M12 11v6M12 7v.8"),
    "good": (_RING, _TICK),
    "bad": (_TRIANGLE, "M12 10v5M12 17.4v.8"),
    "none": ("", "M5 12h14"),
}


def icon(name: str, extra: str = "") -> Html:
    """Return the icon of a verdict or a state; hidden from screen readers, since a word always stands beside it.

    Example:
        >>> icon("hold").count("<path")
        2
    """
    outline, mark = _SHAPES[name]
    parts: list[Node] = [node("path", d=outline, class_="icon-body")] if outline else []
    parts.append(node("path", d=mark, class_="icon-mark"))
    return markup(
        node("svg", *parts, viewBox="0 0 24 24", aria_hidden="true", class_=f"icon icon-{name} {extra}".strip())
    )
