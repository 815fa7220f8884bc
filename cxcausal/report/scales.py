"""On which scale a metric is told: customers in 1,000 for shares, points for scores, else the metric's own unit."""

from dataclasses import dataclass

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.rounding import NARROW, Style, at_least_ones, place_for, with_references
from cxcausal.report.text import Number, Piece

SHARES = frozenset({"proportion", "top_box"})
POINTS = frozenset({"nps", "ordinal"})


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How the numbers of a metric are turned into what is printed.

    Attributes:
        factor: what a number of the table is multiplied with.
        more, less: the words for a positive and a negative effect.
        unit: what stands after a number in a sentence.
    """

    kind: str
    factor: float
    more: str
    less: str
    unit: str

    def formula(self, name: str) -> str:
        """Return the formula that gives the printed value: `plain`, `abs` or `negative`."""
        return _FORMULAS[self.kind][name]


_FORMULAS = {
    "share": {"plain": "per_thousand", "abs": "abs_per_thousand", "negative": "negative_per_thousand"},
    "relative": {"plain": "percent", "abs": "abs_percent", "negative": "negative_percent"},
    "points": {"plain": "", "abs": "abs", "negative": "negative"},
    "amount": {"plain": "", "abs": "abs", "negative": "negative"},
}
SHARE = Scale(kind="share", factor=1000, more="more", less="fewer", unit=f"{NARROW}per 1,000")
RELATIVE = Scale(kind="relative", factor=100, more="higher", less="lower", unit=f"{NARROW}%")
POINT = Scale(kind="points", factor=1, more="higher", less="lower", unit=" points")
AMOUNT = Scale(kind="amount", factor=1, more="higher", less="lower", unit="")


def scale_of(metric: PlannedMetric) -> Scale:
    """Return the scale of a metric's absolute effects."""
    return SHARE if metric.type in SHARES else POINT if metric.type in POINTS else AMOUNT


def style_of(row: Row, scale: Scale, references: tuple[float, ...] = ()) -> Style:
    """Return the rounding of a row's effect and interval; `references` are in the table's unit, zero is always one."""
    low, high = row.low * scale.factor, row.high * scale.factor
    place = place_for(low, high)
    if scale.kind == "share":
        place = at_least_ones(place, high - low)
    return with_references(Style(place=place), (0.0, *(value * scale.factor for value in references)))


def shown(facts: Facts, key: str, scale: Scale, style: Style, how: str = "plain") -> Number:
    """Return a number of the table on the page's scale: `plain`, `abs` (without sign) or `negative` (sign turned)."""
    formula = scale.formula(how)
    return facts.number(derived(formula, key) if formula else key, style)


def base_style(value: float, scale: Scale) -> Style:
    """Return the rounding of an arm's mean: whole customers in 1,000, else three significant digits."""
    printed = abs(value * scale.factor)
    few = 10
    if scale.kind == "share":
        return Style(place=0 if printed >= few else -1)
    return Style(place=place_for(printed, digits=3) if printed else 0)


def with_unit(number: Number, scale: Scale) -> tuple[Piece, ...]:
    """Return a number followed by its unit."""
    return (number, scale.unit) if scale.unit else (number,)
