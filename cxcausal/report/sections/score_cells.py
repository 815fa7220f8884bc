"""Cells of the tables of scores: a number as far as it goes, or a dash."""

from cxcausal.report.blocks import Cell
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import derived
from cxcausal.report.rounding import Style, percent, place_for
from cxcausal.report.scales import SHARE, scale_of, shown, style_of
from cxcausal.report.text import MISSING, Sentence

_DIGITS = 3


def dash() -> Cell:
    """Return the cell of what there is no number for."""
    return Cell(words=(MISSING,), state="number")


def text(*words: str) -> Cell:
    """Return a cell of fixed words."""
    return Cell(words=words)


def cell(facts: Facts, key: str, digits: int = _DIGITS) -> Cell:
    """Return the number at a key with some significant digits; a dash where there is none."""
    if not facts.has(key):
        return dash()
    value = facts.number(key).value
    return Cell(
        words=(facts.number(key, Style(place=place_for(value, digits=digits) if value else 0)),), state="number"
    )


def whole(facts: Facts, key: str) -> Cell:
    """Return a count; a dash where there is none."""
    return Cell(words=(facts.number(key),), state="number") if facts.has(key) else dash()


def part(facts: Facts, key: str, place: int = 0) -> Cell:
    """Return a share in percent; a dash where there is none."""
    if not facts.has(key):
        return dash()
    return Cell(words=(facts.number(derived("percent", key), percent(place)),), state="number")


def quotient(facts: Facts, above: str, below: str) -> Cell:
    """Return how many times a number holds another, whatever the sign; a dash where it is not to be told."""
    if not facts.has(above) or not facts.has(below) or facts.number(below).value <= 0:
        return dash()
    return Cell(words=(facts.number(derived("abs_ratio", above, below), Style(place=-1)),), state="number")


def metric_of(facts: Facts, name: str) -> PlannedMetric | None:
    """Return a planned metric by its name."""
    return next((metric for metric in facts.metrics if metric.name == name), None)


def effect(facts: Facts, metric: PlannedMetric, key: str, arm: str) -> Cell:
    """Return an effect on the page's scale, rounded as the metric's own is; a dash where there is none."""
    if not facts.has(key):
        return dash()
    row, scale = facts.row(metric.name, arm), scale_of(metric)
    style = style_of(row, scale) if row is not None and row.computed else Style(place=0 if scale is SHARE else -2)
    return Cell(words=(shown(facts, key, scale, style),), state="number")


def unit_words(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return what effects of a metric are counted in."""
    scale = scale_of(metric)
    if scale is SHARE:
        return (f", {facts.people.many} per 1,000",)
    return (f", in {scale.currency}",) if scale.currency else ()
