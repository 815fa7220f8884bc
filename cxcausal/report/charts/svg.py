"""A tiny tree of SVG nodes, turned into escaped text once."""

from dataclasses import dataclass

from cxcausal.report.text import Html, Number, Piece, Quote, Strong, origin, safe


@dataclass(frozen=True, kw_only=True)
class Node:
    """One element: its tag, attributes and children (elements, words, numbers and quotes)."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple["Node | Piece", ...]


def node(tag: str, *children: Node | Piece, **attributes: object) -> Node:
    """Return an element; `class_` becomes `class`, and an underscore becomes a hyphen.

    Example:
        >>> markup(node("line", x1=0, stroke_width=2.50, class_="axis"))
        '<line x1="0" stroke-width="2.5" class="axis"/>'
    """
    named = tuple((key.rstrip("_").replace("_", "-"), _plain(value)) for key, value in attributes.items())
    return Node(tag=tag, attributes=named, children=children)


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def markup(element: Node | Piece) -> Html:
    """Return an element as text; numbers and quotes become `<tspan>` with their key."""
    match element:
        case Node():
            attributes = "".join(f' {key}="{safe(value)}"' for key, value in element.attributes)
            inner = "".join(markup(child) for child in element.children)
            return Html(
                f"<{element.tag}{attributes}>{inner}</{element.tag}>" if inner else f"<{element.tag}{attributes}/>"
            )
        case Number():
            key = f'data-key="{safe(element.key)}" data-value="{element.value!r}"'
            return Html(f"<tspan {key}>{safe(element.text)}</tspan>")
        case Quote():
            return Html(f'<tspan data-{origin(element)}="{safe(element.path)}">{safe(element.text)}</tspan>')
        case Strong():
            return Html("".join(markup(piece) for piece in element.pieces))
        case str():
            return Html(safe(element))


def picture(width: float, height: float, label: str, *children: Node) -> Html:
    """Return a whole picture, with its content in words for those who can't see it."""
    box = f"0 0 {_plain(float(width))} {_plain(float(height))}"
    return markup(node("svg", *children, viewBox=box, role="img", aria_label=label, class_="chart"))
