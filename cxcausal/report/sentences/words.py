"""Words that several sentences share: what customers do, ranges, directions, closing full stops."""

from cxcausal.core.measures import MEDIAN, percentile
from cxcausal.core.people import who_does_what
from cxcausal.report.facts import CLIP, Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.limits import effect_style
from cxcausal.report.rounding import Style
from cxcausal.report.scales import Scale, shown, without_currency
from cxcausal.report.text import Piece, Quote, Sentence, plain


def predicate(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return what the customers of a share do: `leave in a month` of a label "Customers who leave in a month"."""
    label = facts.label(metric, clip=None)
    found = who_does_what(label.text)
    if found is not None and len(found[1]) <= CLIP:
        return (Quote(path=label.path, text=found[1]),)
    return ("count under “", facts.label(metric), "”")


def called(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return a metric's label in quotation marks; of a quantile with which one it is, and of what."""
    label: Sentence = ("“", facts.label(metric), "”")
    if metric.type != "quantile":
        return label
    name, column = percentile(float(metric.plan["q"])), facts.quote(f"{metric.key}.column")
    if name == MEDIAN:
        return (*label, f" (the {name} of “", column, "”)")
    digits, end = name.split(" ")[0].rstrip("stndrh"), name.lstrip("0123456789.")
    style = Style(place=-len(digits.partition(".")[2]))
    return (*label, " (the ", facts.number(derived("percent", f"{metric.key}.q"), style), f"{end} of “", column, "”)")


def direction(value: float, scale: Scale) -> str:
    """Return `more` or `fewer`, in the words of the scale."""
    return scale.more if value > 0 else scale.less


def effect_range(facts: Facts, metric: PlannedMetric, row: Row, scale: Scale) -> Sentence:
    """Return `4 to 20 fewer`, or `3 fewer to 9 more` where the interval spans zero."""
    style = effect_style(facts, metric, row, scale)
    low, high = (shown(facts, row.key(part), scale, style, "abs") for part in ("low", "high"))
    unit = "" if scale.kind == "share" else scale.unit
    if row.low < 0 < row.high:
        return (low, f"{unit} {scale.less} to ", high, f"{unit} {scale.more}")
    near, far = (low, "high") if row.low >= 0 else (high, "low")
    last = shown(facts, row.key(far), scale, without_currency(style), "abs")
    return (near, " to ", last, f"{unit} {direction(row.low + row.high, scale)}")


def sentence(*pieces: Piece) -> Sentence:
    """Return the pieces as one sentence that ends in one full stop."""
    ends = plain(pieces).rstrip()[-1:] in {".", "!", "?"}
    return pieces if ends else (*pieces, ".")
