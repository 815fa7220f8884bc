"""On which scale a metric is told: people in 1,000 for shares, points for scores, else the metric's own unit."""

from dataclasses import dataclass, replace

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.rounding import NARROW, Style, at_least_ones, cents, place_for, with_references
from cxcausal.report.text import Number, Piece

SHARES = frozenset({"proportion", "top_box"})
POINTS = frozenset({"nps", "ordinal"})


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How the numbers of a metric are turned into what is printed.

    Attributes:
        factor: what a number of the table is multiplied with.
        more, less: the words for a positive and a negative effect.
        unit: what stands after a number in a sentence. currency: what stands before it.
    """

    kind: str
    factor: float
    more: str
    less: str
    unit: str
    currency: str = ""

    def formula(self, name: str) -> str:
        """Return the formula that gives the printed value: `plain`, `abs` or `after` (a mean and its change)."""
        return _FORMULAS[self.kind][name]


_FORMULAS = {
    "share": {"plain": "per_thousand", "abs": "abs_per_thousand", "after": "after_per_thousand"},
    "relative": {"plain": "percent", "abs": "abs_percent"},
    "points": {"plain": "", "abs": "abs", "after": "after"},
    "amount": {"plain": "", "abs": "abs", "after": "after"},
}
SHARE = Scale(kind="share", factor=1000, more="more", less="fewer", unit=f"{NARROW}per 1,000")
RELATIVE = Scale(kind="relative", factor=100, more="higher", less="lower", unit=f"{NARROW}%")
POINT = Scale(kind="points", factor=1, more="higher", less="lower", unit=" points")
AMOUNT = Scale(kind="amount", factor=1, more="higher", less="lower", unit="")


def scale_of(metric: PlannedMetric) -> Scale:
    """Return the scale of a metric's absolute effects."""
    if metric.type in SHARES:
        return SHARE
    return POINT if metric.type in POINTS else replace(AMOUNT, currency=metric.currency)


def style_of(row: Row, scale: Scale, references: tuple[float, ...] = ()) -> Style:
    """Return the rounding of a row's effect and interval; `references` are in the table's unit, zero is always one."""
    low, high = row.low * scale.factor, row.high * scale.factor
    place = place_for(low, high)
    if scale.kind == "share":
        place = at_least_ones(place, high - low)
    style = with_references(Style(place=place), (0.0, *(value * scale.factor for value in references)))
    return with_currency(style, scale)


def with_currency(style: Style, scale: Scale) -> Style:
    """Return the style with the scale's currency, where it has one."""
    if not scale.currency:
        return style
    return replace(style, place=cents(style.place), prefix=f"{scale.currency}{NARROW}")


def without_currency(style: Style) -> Style:
    """Return the style for places where the currency is said once for several numbers."""
    return replace(style, prefix="")


def shown(facts: Facts, key: str, scale: Scale, style: Style, how: str = "plain") -> Number:
    """Return a number of the table on the page's scale: `plain`, or `abs` for its size without sign."""
    formula = scale.formula(how)
    if how == "abs" and facts.number(key).value < 0:
        style = replace(style, references=tuple(-value for value in style.references))
    return facts.number(derived(formula, key) if formula else key, style)


def base_style(row: Row, scale: Scale) -> Style:
    """Return the rounding of the control's mean, at least as fine as the effect beside it."""
    style = mean_style(row.estimate.mean_control or 0.0, scale)
    return replace(style, place=min(style.place, style_of(row, scale).place))


def mean_style(mean: float, scale: Scale) -> Style:
    """Return the rounding of a mean that stands for itself: three significant digits, whole people in 1,000."""
    printed = abs(mean * scale.factor)
    few = 10
    if scale.kind == "share":
        return Style(place=0 if printed >= few else -1)
    return with_currency(Style(place=place_for(printed, digits=3) if printed else 0), scale)


def with_unit(number: Number, scale: Scale) -> tuple[Piece, ...]:
    """Return a number followed by its unit."""
    return (number, scale.unit) if scale.unit else (number,)
