"""What happened to a metric, in one sentence: a clear change, nothing of importance, or that we cannot tell."""

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.limits import (
    Limit,
    bad,
    benefit_bound,
    effect_style,
    good,
    limited_row,
    planned_effect,
    worthwhile,
)
from cxcausal.report.rounding import Style, place_for
from cxcausal.report.scales import (
    RELATIVE,
    SHARE,
    Scale,
    base_style,
    mean_style,
    scale_of,
    shown,
    style_of,
    with_currency,
    with_unit,
)
from cxcausal.report.sentences.surveys import unsafe_sentence
from cxcausal.report.sentences.whom import among, opening, whom
from cxcausal.report.sentences.words import called, direction, effect_range, predicate, sentence
from cxcausal.report.text import Number, Sentence, Strong

_FOUR_WEEKS = path("data", "four_weeks")
_LATER = {
    "detectable_more": "four more weeks of enrolment",
    "detectable_doubled": "twice as many {many}",
}


def effect_sentence(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    """Return the sentence for one metric and one arm against the control."""
    row = facts.row(metric.name, arm)
    if row is None or not row.computed:
        return not_measured(facts, metric, row)
    told = changed(facts, metric, row) if row.clear else unclear(facts, metric, row)
    return (*told, *unsafe_sentence(facts, metric, arm))


def not_measured(facts: Facts, metric: PlannedMetric, row: Row | None) -> Sentence:
    """Return that a planned metric has no number, and why."""
    if row is None or row.estimate.reason is None:
        return ("There is no estimate for “", facts.label(metric), "”.")
    return sentence("There is no estimate for “", facts.label(metric), "”: ", facts.quote(row.key("reason")))


def changed(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    """Return a change whose interval excludes zero, with its range and the control's level."""
    scale = scale_of(metric)
    point = shown(facts, row.key("point"), scale, effect_style(facts, metric, row, scale), "abs")
    spread = ("plausible range: ", Strong(pieces=effect_range(facts, metric, row, scale)))
    arm = facts.arm(row.estimate.arm)
    if scale is SHARE:
        change = Strong(pieces=(point, f" {direction(row.point, scale)}"))
        return (
            *(
                f"Out of 1,000 {facts.people.many}",
                *whom(facts, row.estimate.arm),
                ", about ",
                change,
                " ",
                *predicate(facts, metric),
                " with “",
                arm,
                "” (",
                *spread,
                ")",
            ),
            *_base(facts, row, scale, " do"),
            ".",
        )
    change = Strong(pieces=(point, f"{scale.unit} {direction(row.point, scale)}"))
    return (
        *opening(facts, row.estimate.arm),
        *called(facts, metric),
        " is about ",
        change,
        " with “",
        arm,
        "” (",
        *spread,
        ")",
        *_base(facts, row, scale),
        ".",
    )


def _base(facts: Facts, row: Row, scale: Scale, verb: str = "") -> Sentence:
    mean = row.estimate.mean_control
    if mean is None:
        return ()
    number = shown(facts, row.key("mean_control"), scale, base_style(row, scale))
    lead_in = "" if verb else "it is "
    return ("; with “", facts.arm(row.estimate.control), f"” {lead_in}", number, verb)


def unclear(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    """Return what an interval around zero rules out; where it rules out nothing of interest, that we cannot tell."""
    limit = worthwhile(facts, metric) or planned_effect(facts, metric)
    measured, scale = limited_row(facts, metric, row.estimate.arm, limit) if limit else (None, SHARE)
    if limit and measured and measured.computed and benefit_bound(measured, metric.sign) < limit.value:
        return informative_null(facts, metric, measured, limit, scale)
    if metric.role == "success":
        return cannot_tell(facts, metric, row)
    spread = effect_range(facts, metric, row, scale_of(metric))
    arm = facts.arm(row.estimate.arm)
    return (
        "We found no clear change in ",
        *called(facts, metric),
        " with “",
        arm,
        "”",
        *among(facts, row.estimate.arm),
        " (plausible range: ",
        *spread,
        ").",
    )


def informative_null(facts: Facts, metric: PlannedMetric, row: Row, limit: Limit, scale: Scale) -> Sentence:
    """Return no clear change, with the improvement that the data rule out beside the one that was asked for."""
    style = style_of(row, scale, (metric.sign * limit.value,))
    best = shown(facts, row.key("high" if metric.sign > 0 else "low"), scale, style, "abs")
    agreed = shown(facts, limit.key, scale, limit_style(limit, scale))
    what = "the smallest worth acting on is " if "minimum_worthwhile_effect" in limit.key else "the plan looked for "
    return (
        *("We found no clear change in ", *called(facts, metric), " with “", facts.arm(row.estimate.arm), "”"),
        *among(facts, row.estimate.arm),
        *(*_plausible(facts, metric, row, scale), ". "),
        *(
            "The data rule out an improvement larger than ",
            *with_unit(best, scale),
            "; ",
            what,
            agreed,
            *relative_base(facts, metric, row),
            ".",
        ),
    )


def relative_base(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    """Return the unit and the base of a relative size; nothing for an absolute one."""
    mean = row.estimate.mean_control
    if row.estimate.scale != "relative" or mean is None:
        return ()
    natural = scale_of(metric)
    base = shown(facts, row.key("mean_control"), natural, mean_style(mean, natural))
    return (RELATIVE.unit, " of ", *with_unit(base, natural), " with “", facts.arm(row.estimate.control), "”")


def cannot_tell(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    """Return that the study was too small, what it could have seen, and what it would take."""
    told: Sentence = (
        "We cannot tell whether “",
        facts.arm(row.estimate.arm),
        "” changes ",
        *called(facts, metric),
        *among(facts, row.estimate.arm),
    )
    scale = scale_of(metric)
    told = (*told, *_plausible(facts, metric, row, scale))
    if not facts.has(_detectable_key(row, "detectable")):
        return (*told, ".")
    now, later = (detectable(facts, row, scale, name) for name in ("detectable", _later(facts)))
    size = (now, f" {facts.people.many} in 1,000") if scale is SHARE else with_unit(now, scale)
    return (
        *told,
        *(
            ". The study could only detect a change of ",
            *size,
            f" or more; {_LATER[_later(facts)].format(many=facts.people.many)} would bring this to ",
        ),
        *(later, "."),
    )


def _later(facts: Facts) -> str:
    """Return what would make the study see more: four more weeks where the pace of enrolment is known."""
    return "detectable_more" if facts.has(_FOUR_WEEKS) else "detectable_doubled"


def _plausible(facts: Facts, metric: PlannedMetric, row: Row, scale: Scale) -> Sentence:
    per = f" per 1,000 {facts.people.many}" if scale is SHARE else ""
    return (" (plausible range: ", *effect_range(facts, metric, row, scale), f"{per})")


def detectable(facts: Facts, row: Row, scale: Scale, name: str) -> Number:
    """Return the smallest effect that this study would have found with the planned power."""
    key = _detectable_key(row, f"{name}_per_thousand" if scale is SHARE else name)
    value = facts.number(key).value
    return facts.number(key, with_currency(Style(place=place_for(value) if value else 0), scale))


def _detectable_key(row: Row, name: str) -> str:
    level = "level" if row.estimate.look_level is None else "look_level"
    share = (_FOUR_WEEKS,) if name.startswith("detectable_more") else ()
    return derived(name, row.key("se"), row.key(level), path("plan", "analysis", "power"), *share)


def limit_style(limit: Limit, scale: Scale) -> Style:
    """Return the rounding that shows an agreed limit in full."""
    value = limit.value * scale.factor
    exact = next((place for place in range(0, -7, -1) if abs(round(value, -place) - value) < 1e-9), -6)  # noqa: PLR2004
    return with_currency(Style(place=exact), scale)


def conflict_sentence(facts: Facts, arm: str) -> Sentence | None:
    """Return that two metrics reliably pull apart; None where none do."""
    better, worse = None, None
    for metric in facts.by_role("success", "secondary"):
        row = facts.row(metric.name, arm)
        if row is not None and good(row, metric.sign):
            better = better or metric
        if row is not None and bad(row, metric.sign):
            worse = worse or metric
    if better is None or worse is None:
        return None
    return ("“", facts.label(better), "” got better and “", facts.label(worse), "” got worse: these two pull apart.")
