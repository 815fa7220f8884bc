"""Two groups' chances of one arm, back to back: where both have bars there is somebody to compare with."""

from collections.abc import Sequence

from cxcausal.report.charts.svg import Node, node, picture
from cxcausal.report.text import Html, Sentence, plain

_WIDTH, _HALF, _HEAD, _FOOT = 420.0, 84.0, 18.0, 36.0
STYLE = (
    ".overlap .own{fill:var(--ink)}.overlap .others{fill:var(--faint);stroke:var(--mark);stroke-width:.75}"
    ".overlap .chart{max-width:30rem}"
)


def overlap(own: Sequence[float], others: Sequence[float], names: tuple[Sentence, Sentence], what: Sentence) -> Html:
    """Return the picture: the arm's own units upwards, the others' downwards, each as shares of their group.

    Args:
        own: units of the arm in equal parts of their chance of it, from none to certain.
        others: the same of the group that they are compared with.
        names: of both groups.
        what: is counted from left to right.
    """
    shares = [_shares(own), _shares(others)]
    most = max((*shares[0], *shares[1], 0.0)) or 1.0
    middle = _HEAD + _HALF
    wide = _WIDTH / max(len(own), 1)
    return picture(
        _WIDTH,
        _HEAD + 2 * _HALF + _HEAD + _FOOT,
        f"{plain(what)}, from none to certain: {plain(names[0])} upwards, {plain(names[1])} downwards, each as shares "
        f"of their group. {_told(shares[0], shares[1])}",
        node("text", *names[0], x=0, y=12, class_="row-label"),
        *(_bar(at, wide, middle, -share / most * _HALF, "own") for at, share in enumerate(shares[0]) if share),
        *(_bar(at, wide, middle, share / most * _HALF, "others") for at, share in enumerate(shares[1]) if share),
        node("line", x1=0, x2=_WIDTH, y1=middle, y2=middle, class_="zero"),
        node("text", *names[1], x=0, y=_HEAD + 2 * _HALF + 13, class_="row-label"),
        *_axis(_HEAD + 2 * _HALF + 32, what),
    )


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total > 0 else [0.0 for _ in counts]


def _told(own: Sequence[float], others: Sequence[float]) -> str:
    both = sum(1 for one, other in zip(own, others, strict=True) if one and other)
    if both == len(own):
        return "Both groups are found in every part."
    return "The groups share no part." if not both else "In some parts only one of the groups is found."


def _bar(at: int, wide: float, middle: float, height: float, name: str) -> Node:
    top = middle + min(height, 0.0)
    return node("rect", x=at * wide + 0.75, y=top, width=wide - 1.5, height=max(abs(height), 0.75), class_=name)


def _axis(y: float, what: Sentence) -> list[Node]:
    words = (("start", 0.0, "no chance"), ("middle", _WIDTH / 2, "even"), ("end", _WIDTH, "certain"))
    named = [node("text", text, x=x, y=y, text_anchor=anchor, class_="foot") for anchor, x, text in words]
    return [*named, node("text", *what, x=_WIDTH / 2, y=y + 15, text_anchor="middle", class_="foot")]
