"""A thousand customers as dots: those of the arm with fewer, the difference between the arms, and the rest."""

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html

COLUMNS, ROWS, PITCH = 40, 25, 10.0
THOUSAND = COLUMNS * ROWS


def pictogram(anyway: int, changed: int, *, fewer: bool, label: str) -> Html:
    """Return the picture: `anyway` full dots, then `changed` marked dots, then faint ones, a thousand in all.

    Args:
        anyway: customers in 1,000 who do it in the arm where fewer do.
        changed: customers in 1,000 by whom the arms differ.
        fewer: whether the contact makes it fewer (rings) or more (filled squares).
        label: the same in words.
    """
    anyway = min(max(anyway, 0), THOUSAND)
    changed = min(max(changed, 0), THOUSAND - anyway)
    marks = [_changed(place, fewer=fewer) for place in range(anyway, anyway + changed)]
    return picture(
        COLUMNS * PITCH,
        ROWS * PITCH,
        label,
        _dots(range(anyway + changed, THOUSAND), "dot-rest"),
        _dots(range(anyway), "dot-anyway"),
        *marks,
    )


def _centre(place: int) -> tuple[float, float]:
    """Return where a dot lies: column after column, so that few dots stand together."""
    column, row = divmod(place, ROWS)
    return (column + 0.5) * PITCH, (row + 0.5) * PITCH


def _dots(places: range, name: str) -> Node:
    """Return many dots as one path of strokes without length; round ends make them dots."""
    path = "".join(f"M{x:g} {y:g}h0" for x, y in map(_centre, places))
    return node("path", d=path or "M0 0", class_=name)


def _changed(place: int, *, fewer: bool) -> Node:
    x, y = _centre(place)
    if fewer:
        return node("circle", cx=x, cy=y, r=3.6, class_="dot-fewer")
    return node("rect", x=x - 3.8, y=y - 3.8, width=7.6, height=7.6, class_="dot-more")
