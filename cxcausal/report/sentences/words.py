"""Words that several sentences share: what customers do, ranges, directions, closing full stops."""

import re

from cxcausal.report.facts import CLIP, Facts, PlannedMetric, Row
from cxcausal.report.scales import Scale, shown, style_of
from cxcausal.report.text import Piece, Quote, Sentence, plain

_WHO = re.compile(r"(?is)(?:customers|people|users|members|households|units)\s+(?:who|that|which)\s+(.+)")


def predicate(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return what the customers of a share do: `leave in a month` of a label "Customers who leave in a month"."""
    label = facts.label(metric, clip=None)
    found = _WHO.fullmatch(label.text)
    if found is not None and len(found[1]) <= CLIP:
        return (Quote(path=label.path, text=found[1]),)
    return ("count under “", facts.label(metric), "”")


def direction(value: float, scale: Scale) -> str:
    """Return `more` or `fewer`, in the words of the scale."""
    return scale.more if value > 0 else scale.less


def effect_range(facts: Facts, row: Row, scale: Scale) -> Sentence:
    """Return `4 to 20 fewer`, or `3 fewer to 9 more` where the interval spans zero."""
    style = style_of(row, scale)
    low = shown(facts, row.key("low"), scale, style, "abs")
    high = shown(facts, row.key("high"), scale, style, "abs")
    unit = "" if scale.kind == "share" else scale.unit
    if row.low < 0 < row.high:
        return (low, f"{unit} {scale.less} to ", high, f"{unit} {scale.more}")
    near, far = (low, high) if row.low >= 0 else (high, low)
    return (near, " to ", far, f"{unit} {direction(row.low + row.high, scale)}")


def sentence(*pieces: Piece) -> Sentence:
    """Return the pieces as one sentence that ends in one full stop."""
    ends = plain(pieces).rstrip()[-1:] in {".", "!", "?"}
    return pieces if ends else (*pieces, ".")
