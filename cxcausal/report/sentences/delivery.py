"""How many were reached of those assigned, and what the contact did to those it reached for that reason."""

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.limits import effect_style
from cxcausal.report.rounding import Style, percent
from cxcausal.report.scales import SHARE, scale_of, shown
from cxcausal.report.sentences.answer import main_metric
from cxcausal.report.sentences.words import direction, effect_range, predicate, sentence
from cxcausal.report.text import Number, Sentence

DELIVERY = "treatment.received"
"""The name under which delivery stands in the table of effects."""
_FEW = 10
_OTHERS = " We know nothing about the others."
_ALL = " The verdict and the money count everybody assigned, reached or not."


def delivery_sentence(facts: Facts) -> Sentence | None:
    """Return the lead arm's share of customers reached, and the effect on them; None where nobody recorded it."""
    row = delivery_row(facts, facts.lead)
    if row is None or row.estimate.mean_treated is None:
        return None
    opening: Sentence = (
        "Of those assigned to “",
        facts.arm(facts.lead),
        "”, ",
        share(facts, row, "mean_treated"),
        " were reached",
    )
    if row.estimate.mean_control:
        opening = (*opening, " (with “", facts.arm(facts.control), "”: ", share(facts, row, "mean_control"), ")")
    if row.estimate.mean_treated == 1.0 and row.estimate.mean_control == 0.0:
        return (*opening, ", so the effects on this page are those of the contact itself.")
    return (*opening, *_effect(facts, main_metric(facts)))


def delivery_row(facts: Facts, arm: str) -> Row | None:
    """Return what was delivered to one arm."""
    rows = facts.companions(metric=DELIVERY)
    return next((row for row in rows if (row.estimate.arm, row.estimate.control) == (arm, facts.control)), None)


def complier_row(facts: Facts, metric: PlannedMetric, arm: str) -> Row | None:
    """Return one metric's effect on those reached because they were assigned, over everybody against the control."""
    for row in facts.companions(metric=metric.name, method="wald"):
        told = row.estimate
        if (told.arm, told.control, told.population, told.estimand) == (arm, facts.control, "all", "late"):
            return row
    return None


def share(facts: Facts, row: Row, name: str) -> Number:
    """Return a share of customers in percent, with a decimal where it is small."""
    found = getattr(row.estimate, name) or 0.0
    place = 0 if abs(100 * found) >= _FEW or found == 0 else -1
    style: Style = percent(place)
    return facts.number(derived("percent", row.key(name)), style)


def _effect(facts: Facts, metric: PlannedMetric) -> Sentence:
    row = complier_row(facts, metric, facts.lead)
    if row is None:
        return (".",)
    if not row.computed:
        reason = (facts.quote(row.key("reason")),) if row.estimate.reason else ("there is no reason on record",)
        return sentence(". What the contact did to those it reached cannot be told: ", *reason)
    return (
        f"; for {facts.people.many} who were reached because they were assigned, ",
        *_told(facts, metric, row),
        _OTHERS,
        _ALL,
    )


def _told(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    scale = scale_of(metric)
    spread = effect_range(facts, metric, row, scale)
    if not row.clear or not _main_is_clear(facts, metric):
        per = " in 1,000" if scale is SHARE else ""
        lone = ", not widened for several questions" if row.clear else ""
        level = _level(facts, row)
        return (
            "there is no clear change in “",
            facts.label(metric),
            "” (",
            *level,
            f"range{lone}: ",
            *spread,
            f"{per}).",
        )
    point = shown(facts, row.key("point"), scale, effect_style(facts, metric, row, scale), "abs")
    word = direction(row.point, scale)
    if scale is SHARE:
        does = predicate(facts, metric)
        return ("about ", point, f" {word} in 1,000 ", *does, " (", *_level(facts, row), "range: ", *spread, ").")
    opening: Sentence = ("“", facts.label(metric), "” is about ", point, f"{scale.unit} {word} (")
    return (*opening, *_level(facts, row), "range: ", *spread, ").")


def _level(facts: Facts, row: Row) -> Sentence:
    """Return the level of a range that stands in no table of page one."""
    return (facts.level(row), " ") if row.estimate.level is not None else ()


def _main_is_clear(facts: Facts, metric: PlannedMetric) -> bool:
    """Return whether the effect of being assigned is clear: nothing is clearer for those reached."""
    row = facts.row(metric.name, facts.lead)
    return row is not None and row.clear
