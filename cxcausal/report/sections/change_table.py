"""The table of page one: without, with, and the difference, with its interval and the interval's level."""

from dataclasses import replace

from cxcausal.core.surveys import is_unsafe
from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.limits import bad, effect_style, good
from cxcausal.report.rounding import TO
from cxcausal.report.scales import Scale, base_style, scale_of, shown, without_currency
from cxcausal.report.sentences.whom import among
from cxcausal.report.text import MISSING, Sentence

ROLE_WORDS = {"success": "success", "guardrail": "guardrail", "secondary": "secondary", "exploratory": "exploratory"}


def change_table(facts: Facts) -> Table:
    """Return success metrics for every arm, guardrails and secondary metrics for the arm page one speaks of."""
    rows = []
    for metric in facts.by_role("success", "guardrail", "secondary"):
        arms = facts.treated_arms if metric.role == "success" else (facts.lead,)
        rows += [_row(facts, metric, arm) for arm in arms]
    return Table(
        caption=(f"Without and with, by metric; shares are {facts.people.many} per 1,000", *_among(facts)),
        name="change-table",
        head=(
            ("Metric",),
            ("Arm",),
            ("Without: “", facts.arm(facts.control), "”"),
            ("With",),
            ("Difference",),
            ("Range",),
        ),
        rows=tuple(rows),
    )


def _among(facts: Facts) -> Sentence:
    people = among(facts)
    return (",", *people) if people else ()


def _row(facts: Facts, metric: PlannedMetric, arm: str) -> tuple[Cell, ...]:
    row = facts.row(metric.name, arm)
    name = Cell(words=(facts.label(metric), f" ({ROLE_WORDS[metric.role]})"))
    who = Cell(words=(facts.arm(arm),))
    if row is None or not row.computed:
        reason: Sentence = (facts.quote(row.key("reason")),) if row and row.estimate.reason else (MISSING,)
        return (name, who, _empty(), _empty(), Cell(words=("not computed",)), Cell(words=reason))
    return (name, who, *_numbers(facts, metric, row))


def _numbers(facts: Facts, metric: PlannedMetric, row: Row) -> tuple[Cell, ...]:
    scale = scale_of(metric)
    style = effect_style(facts, metric, row, scale)
    point = shown(facts, row.key("point"), scale, replace(style, references=()))
    low, high = (shown(facts, row.key(part), scale, without_currency(style)) for part in ("low", "high"))
    state = "good" if good(row, metric.sign) else "bad" if bad(row, metric.sign) else ""
    spread: Sentence = (low, TO, high, " (", facts.level(row), ")") if row.estimate.level else (low, TO, high)
    return (
        *_means(facts, row, scale, style.place),
        Cell(
            words=(point, *((" (unsafe)",) if is_unsafe(row.estimate) else ())),
            state="good" if state == "good" else "bad" if state == "bad" else "number",
        ),
        Cell(words=spread, state="number"),
    )


def _means(facts: Facts, row: Row, scale: Scale, coarse: int) -> tuple[Cell, Cell]:
    """Return the control's mean, and that plus the difference as both are printed, so that the line adds up."""
    if row.estimate.mean_control is None:
        return _empty(), _empty()
    style = base_style(row, scale)
    terms = (row.key("mean_control"), row.key("point"), str(style.place), str(coarse))
    key = derived(scale.formula("after"), *terms)
    before = shown(facts, row.key("mean_control"), scale, style)
    return Cell(words=(before,), state="number"), Cell(words=(facts.number(key, style),), state="number")


def _empty() -> Cell:
    return Cell(words=(MISSING,), state="number")
