"""What stands beside the answer: caps, late plans, arms that harm, groups that are harmed, and what is not known."""

from collections.abc import Iterator

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.limits import bad, benefit_bound, good, limited_row, worthwhile
from cxcausal.report.rounding import percent
from cxcausal.report.scales import SHARE, scale_of, shown, style_of
from cxcausal.report.sentences.answer import VERDICT_WORDS, main_metric
from cxcausal.report.sentences.effects import cannot_tell, conflict_sentence, limit_style, not_measured, relative_base
from cxcausal.report.sentences.guardrails import guardrail_sentence, guardrail_state
from cxcausal.report.sentences.words import direction, effect_range, predicate, sentence
from cxcausal.report.text import Sentence, Strong


def cap_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield why the verdict is lower than the numbers alone would make it, and that the plan came late."""
    arm = facts.result.arms.get(facts.lead)
    if facts.result.capped_by is not None:
        words = f"The numbers alone would say {VERDICT_WORDS[arm.capped_from]}. " if arm and arm.capped_from else ""
        yield sentence(f"{words}The verdict is capped: ", facts.quote("capped_by"))
    elif not facts.result.registered:
        yield sentence(facts.quote("registration"))


def beside_the_answer(facts: Facts) -> Iterator[Sentence]:
    """Yield what a reader of the answer must also know."""
    yield from cap_sentences(facts)
    if facts.withheld:
        return
    small = _below_worthwhile(facts)
    if small is not None:
        yield small
    conflict = conflict_sentence(facts, facts.lead)
    if conflict is not None:
        yield conflict
    for name, arm in facts.result.arms.items():
        if name != facts.lead and arm.verdict == "stop":
            yield sentence("“", facts.arm(name), "” stops: ", facts.quote(path("arms", name, "reason")))


def _below_worthwhile(facts: Facts) -> Sentence | None:
    """Return that a clear improvement is too small to act on; None where it isn't."""
    metric = main_metric(facts)
    limit = worthwhile(facts, metric)
    row, scale = limited_row(facts, metric, facts.lead, limit) if limit else (None, SHARE)
    if limit is None or row is None or not good(row, metric.sign):
        return None
    if benefit_bound(row, metric.sign) >= limit.value:
        return None
    agreed = shown(facts, limit.key, scale, limit_style(limit, scale))
    size = (agreed, *(relative_base(facts, metric, row) or (scale.unit,)))
    return ("That is reliably less than the ", *size, " agreed as worth acting on.")


def harmed_groups(facts: Facts) -> Iterator[Sentence]:
    """Yield every segment that an arm reliably harms on the main metric, by name, with its share of customers."""
    metric = main_metric(facts)
    for row in facts.rows(metric=metric.name, scale="absolute"):
        against_control = row.estimate.control == facts.control
        if row.estimate.population != "all" and against_control and bad(row, metric.sign):
            yield _harmed(facts, metric, row)


def _harmed(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    scale = scale_of(metric)
    point = shown(facts, row.key("point"), scale, style_of(row, scale), "abs")
    word = direction(row.point, scale)
    effect: Sentence = (
        ("out of 1,000, about ", point, f" {word} ", *predicate(facts, metric))
        if scale is SHARE
        else ("“", facts.label(metric), "” is about ", point, f"{scale.unit} {word}")
    )
    opening = (Strong(pieces=("Harmed: ", facts.quote(row.key("population")))), *_share(facts, row))
    return (
        *opening,
        " with “",
        facts.arm(row.estimate.arm),
        "”: ",
        *effect,
        " (range: ",
        *effect_range(facts, row, scale),
        ").",
    )


def _share(facts: Facts, row: Row) -> Sentence:
    whole = facts.row(row.estimate.metric, row.estimate.arm)
    if whole is None or not whole.estimate.n_treated or not whole.estimate.n_control:
        return ()
    keys = (row.key("n_treated"), row.key("n_control"), whole.key("n_treated"), whole.key("n_control"))
    key = derived("percent_of_pairs", *keys)
    return (" (", facts.number(key, percent()), " of these customers)") if facts.has(key) else ()


def unknowns(facts: Facts) -> Iterator[Sentence]:
    """Yield what this run can't tell, most important first."""
    if facts.withheld:
        yield ("Whether any of the arms works: a gate failed, so nothing may be read from these data yet.",)
    else:
        yield from _open_effects(facts)
    yield from _checks_not_run(facts)
    yield from _money_limits(facts)
    yield from _reach(facts)


def _open_effects(facts: Facts) -> Iterator[Sentence]:
    main = main_metric(facts)
    for metric in facts.by_role("success"):
        row = facts.row(metric.name, facts.lead)
        if metric.name != main.name and row is not None and row.computed and not row.clear:
            yield cannot_tell(facts, metric, row)
    for metric in facts.by_role("guardrail"):
        if guardrail_state(facts, metric, facts.lead) == "open":
            yield guardrail_sentence(facts, metric, facts.lead)
    for metric in facts.by_role("success", "guardrail", "secondary"):
        row = facts.row(metric.name, facts.lead)
        if row is None or not row.computed:
            yield not_measured(facts, metric, row)


def _checks_not_run(facts: Facts) -> Iterator[Sentence]:
    for index, check in enumerate(facts.result.checks):
        if check.verdict == "could_not_run":
            name = facts.quote(path("checks", index, "name"))
            yield sentence("The check “", name, "” could not run: ", facts.quote(path("checks", index, "text")))


def _money_limits(facts: Facts) -> Iterator[Sentence]:
    value = facts.result.value
    if value is None:
        yield ("What it is worth: the plan gives no metric a worth in money.",)
    elif value.example_assumptions:
        yield ("What it is worth to you: the money rests on example assumptions that nobody approved.",)


def _reach(facts: Facts) -> Iterator[Sentence]:
    data = facts.result.data
    analysed = facts.number("data.analysed")
    cut = (" as seen on ", facts.date("data.data_cut")) if data.data_cut else ()
    yield (
        "Anything beyond the ",
        analysed,
        " customers in the analysis",
        *cut,
        ": later effects and other customers were not observed.",
    )
    if data.immature:
        until = (" The last window closes on ", facts.quote("data.matures_on"), ".") if data.matures_on else ()
        yield (facts.number("data.immature"), " customers are not counted yet: their window is still open.", *until)
