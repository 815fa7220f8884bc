"""Cells of the tables of gains: a gain with its range, what a rule is called, and a fixed word for a finding."""

from cxcausal.core.whom import PolicyResult, Told
from cxcausal.report.blocks import Cell
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, spans, state_of
from cxcausal.report.keys import path
from cxcausal.report.rounding import TO, Style, place_for
from cxcausal.report.sections.score_cells import dash
from cxcausal.report.sentences.targeting import EVERYBODY, is_limited
from cxcausal.report.text import Sentence

_NAMES = {
    "nobody": "Nobody",
    "best_arm": "Everybody, with the best single arm",
    "current_rule": "The rule in use",
    "top_risk": "Those at the highest risk first",
    "value": "All whose predicted gain is above zero",
    "limited": "By predicted gain, within budget and capacity",
    "tree": "By a few readable rules",
}


def rule_name(facts: Facts, policy: PolicyResult, at: int) -> Sentence:
    """Return what a rule is called in tables."""
    rule = policy.policies[at]
    if rule.name.startswith(EVERYBODY):
        return ("Everybody: “", facts.arm(rule.name.removeprefix(EVERYBODY)), "”")
    if rule.name == "best_arm" and is_limited(policy):
        return ("By lot, with the best single arm",)
    known = _NAMES.get(rule.name)
    return (known,) if known else (facts.quote(path("policy", "policies", at, "label")),)


def gain_cell(gains: Gains, key: str, told: Told, *, marked: bool = False) -> Cell:
    """Return `+2.10 (+0.30 to +3.90)`; without a range the gain alone, a dash where there is none.

    Args:
        gains: their scale.
        key: of the number.
        told: what is there.
        marked: whether a range on one side of zero has its tint and icon.
    """
    if told.point is None:
        return dash()
    words: Sentence = (gains.point(key, told, sign=True, bare=True),)
    if spans(told) and told.low != told.high:
        low, high = gains.ends(key, told)
        words = (*words, " (", low, TO, high, ")")
    state = state_of(told) if marked else "none"
    if state == "good":
        return Cell(words=words, state="good", icon=icon("good"))
    if state == "bad":
        return Cell(words=words, state="bad", icon=icon("bad"))
    return Cell(words=words, state="" if marked else "number")


def plain_cell(facts: Facts, key: str, told: Told) -> Cell:
    """Return a number without unit, with its range where it has one: `0.80 (0.51 to 1.09)`."""
    if told.point is None:
        return dash()
    ends = [end for end in (told.low, told.high) if end is not None] or [told.point]
    style = Style(place=place_for(*ends), references=(0.0,))
    words: Sentence = (facts.number(f"{key}.point", style),)
    if spans(told):
        words = (*words, " (", facts.number(f"{key}.low", style), TO, facts.number(f"{key}.high", style), ")")
    return Cell(words=words, state="number")
