"""What stands beside the answer: caps, late plans, arms that harm, groups that are harmed, and what is not known."""

from collections.abc import Iterator, Mapping

from cxcausal.core.results import Grade, Verdict
from cxcausal.report.checks_in_words import is_robustness, subject
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.limits import bad, benefit_bound, effect_style, good, limited_row, worthwhile
from cxcausal.report.rounding import percent
from cxcausal.report.scales import SHARE, scale_of, shown
from cxcausal.report.sentences.answer import VERDICT_WORDS, main_metric
from cxcausal.report.sentences.delivery import delivery_sentence
from cxcausal.report.sentences.effects import (
    cannot_tell,
    changed,
    conflict_sentence,
    limit_style,
    not_measured,
    relative_base,
)
from cxcausal.report.sentences.guardrails import guardrail_sentence, guardrail_state
from cxcausal.report.sentences.harm import harmed_by_lead, individual_sentences
from cxcausal.report.sentences.information import information_sentence
from cxcausal.report.sentences.money import MONEY_UNADJUSTED, amounts_of, net_sentence
from cxcausal.report.sentences.movement import movement_sentences
from cxcausal.report.sentences.observed import beside_an_observed_answer, incomplete_sentence, unmeasured_sentence
from cxcausal.report.sentences.reading import reading_sentences
from cxcausal.report.sentences.record import once_sentence
from cxcausal.report.sentences.surveys import doubt_sentence
from cxcausal.report.sentences.words import direction, effect_range, predicate, sentence
from cxcausal.report.text import Piece, Sentence, Strong

_TOLD_ELSEWHERE = ("Whom to contact", "is written out in the plan; the library's definition", MONEY_UNADJUSTED)
_MOST: Mapping[Grade, Verdict] = {"B": "ship_with_monitoring", "C": "pilot"}
_OF_BEING_ASSIGNED = "Headline, money and verdict are of being assigned"


def cap_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield why the verdict is lower than the numbers alone would make it, and that the plan came late."""
    if facts.result.capped_by is not None:
        yield sentence(f"{_without_cap(facts)}The verdict is capped: ", facts.quote("capped_by"))
    elif not facts.result.registered:
        yield sentence(facts.quote("registration"))


def _without_cap(facts: Facts) -> str:
    """Return what the numbers alone would say; where no coin decided, how far the design itself can go."""
    most = _MOST.get(facts.result.grade)
    if most is not None:
        return f"This design can reach {VERDICT_WORDS[most]} at most, whatever the numbers say. "
    arm = facts.result.arms.get(facts.lead)
    return f"The numbers alone would say {VERDICT_WORDS[arm.capped_from]}. " if arm and arm.capped_from else ""


def beside_the_answer(facts: Facts) -> Iterator[Sentence]:
    """Yield what a reader of the answer must also know."""
    yield from beside_an_observed_answer(facts, main_metric(facts))
    yield from cap_sentences(facts)
    yield from movement_sentences(facts)
    often = once_sentence(facts)
    if often is not None:
        yield often
    if facts.withheld:
        return
    yield from reading_sentences(facts)
    small = _below_worthwhile(facts)
    if small is not None:
        yield small
    conflict = conflict_sentence(facts, facts.lead)
    if conflict is not None:
        yield conflict
    yield from _unsettled(facts)
    harmed = lead_harms(facts)
    if harmed is not None:
        yield harmed
    yield from _other_arms(facts)


def _unsettled(facts: Facts) -> Iterator[Sentence]:
    """Yield what keeps an arm from going ahead although the main metric got better."""
    row = facts.row(main_metric(facts).name, facts.lead)
    if facts.result.verdict not in {"hold", "stop"} or row is None or not good(row, main_metric(facts).sign):
        return
    for metric in facts.by_role("guardrail"):
        if guardrail_state(facts, metric, facts.lead) != "within":
            yield guardrail_sentence(facts, metric, facts.lead)
    money, net = facts.money_of(facts.lead), net_sentence(facts, facts.lead)
    if money and net and (amounts_of(money[1])[1]["central"].low or 0.0) <= 0:
        yield net


def lead_harms(facts: Facts) -> Sentence | None:
    """Return the groups that the arm of page one harms or loses on, for those who read no further than the answer."""
    rows = [row for _, row in _harmed_rows(facts) if row.estimate.arm == facts.lead]
    told = [
        (*facts.population(row), *_share(facts, row)) for row in {row.estimate.population: row for row in rows}.values()
    ]
    known = frozenset(row.estimate.population for row in rows)
    told += harmed_by_lead(facts, known, money=False)
    parts = [("harms: ", told), ("loses money on: ", harmed_by_lead(facts, known, money=True))]
    claims = [Strong(pieces=(f"reliably {verb}", *_listed(names))) for verb, names in parts if names]
    if not claims:
        return None
    more: Sentence = ("; and it ", *claims[1:]) if claims[1:] else ()
    return ("Not everybody gains: “", facts.arm(facts.lead), "” ", claims[0], *more, ".")


def _listed(names: list[Sentence]) -> Sentence:
    pieces: list[Piece] = []
    for name in names:
        pieces += [*([", "] if pieces else []), *name]
    return tuple(pieces)


def _other_arms(facts: Facts) -> Iterator[Sentence]:
    """Yield the verdict and the reason of every other arm, and that it harms where it does."""
    metric = main_metric(facts)
    for name, arm in facts.result.arms.items():
        if name == facts.lead:
            continue
        key = path("arms", name, "reason")
        reason = facts.quote(key) if arm.verdict == "stop" else facts.opening(key)
        yield sentence("“", facts.arm(name), f"”: {VERDICT_WORDS[arm.verdict]}. ", reason)
        row = facts.row(metric.name, name)
        if row is not None and bad(row, metric.sign):
            yield changed(facts, metric, row)


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
    """Yield every segment that an arm reliably harms on a success metric, by name, with its share of customers."""
    for metric, row in _harmed_rows(facts):
        yield _harmed(facts, metric, row)


def harmed_names(facts: Facts) -> frozenset[tuple[str, str]]:
    """Return (segment, arm) of those segments."""
    return frozenset((row.estimate.population, row.estimate.arm) for _, row in _harmed_rows(facts))


def _harmed_rows(facts: Facts) -> list[tuple[PlannedMetric, Row]]:
    """Return those segments, the arm of page one first."""
    found = [
        (metric, row)
        for metric in facts.by_role("success")
        for row in facts.rows(metric=metric.name, scale="absolute")
        if row.estimate.population != "all" and row.estimate.control == facts.control and bad(row, metric.sign)
    ]
    return sorted(found, key=lambda item: item[1].estimate.arm != facts.lead)


def _harmed(facts: Facts, metric: PlannedMetric, row: Row) -> Sentence:
    scale = scale_of(metric)
    point = shown(facts, row.key("point"), scale, effect_style(facts, metric, row, scale), "abs")
    word = direction(row.point, scale)
    effect: Sentence = (
        ("out of 1,000, about ", point, f" {word} ", *predicate(facts, metric))
        if scale is SHARE
        else ("“", facts.label(metric), "” is about ", point, f"{scale.unit} {word}")
    )
    opening = (Strong(pieces=("Harmed: ", *facts.population(row))), *_share(facts, row))
    return (
        *opening,
        " with “",
        facts.arm(row.estimate.arm),
        "”: ",
        *effect,
        " (range: ",
        *effect_range(facts, metric, row, scale),
        ").",
    )


def _share(facts: Facts, row: Row) -> Sentence:
    whole = facts.row(row.estimate.metric, row.estimate.arm)
    if whole is None or not whole.estimate.n_treated or not whole.estimate.n_control:
        return ()
    keys = (row.key("n_treated"), row.key("n_control"), whole.key("n_treated"), whole.key("n_control"))
    key = derived("percent_of_pairs", *keys)
    return (" (", facts.number(key, percent()), f" of these {facts.people.many})") if facts.has(key) else ()


def unknowns(facts: Facts) -> Iterator[Sentence]:
    """Yield what this run can't tell, most important first."""
    if facts.withheld:
        yield ("Whether any of the arms works: a gate failed, so nothing may be read from these data yet.",)
    else:
        unmeasured = unmeasured_sentence(facts)
        if unmeasured is not None:
            yield unmeasured
        yield from _open_effects(facts)
    incomplete = incomplete_sentence(facts)
    if incomplete is not None:
        yield incomplete
    if not facts.withheld:
        yield from individual_sentences(facts)
    yield from _checks_not_run(facts)
    if not facts.withheld:
        yield from _money_limits(facts)
        worth = information_sentence(facts, facts.lead)
        if worth is not None:
            yield worth
        yield from _not_asked(facts)
        yield from notes(facts)
    yield from _reach(facts)


def notes(facts: Facts) -> Iterator[Sentence]:
    """Yield the run's own notes: what qualifies a number must not hide among versions and hashes."""
    told = _TOLD_ELSEWHERE if delivery_sentence(facts) is None else (*_TOLD_ELSEWHERE, _OF_BEING_ASSIGNED)
    for index, note in enumerate(facts.result.notes):
        if not any(words in note for words in told):
            yield sentence(facts.quote(path("notes", index)))


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
            why = facts.quote(path("checks", index, "text"))
            yield sentence(f"Could not be checked ({subject(check.name)}): ", why)


def _money_limits(facts: Facts) -> Iterator[Sentence]:
    value = facts.result.value
    if value is None:
        yield ("What it is worth: the plan gives no metric a worth in money.",)
    elif value.example_assumptions:
        yield ("What it is worth to you: the money rests on example assumptions that nobody approved.",)
    elif value.approved_by is None:
        yield ("What it is worth to you: nobody is on record as having approved the assumed worths.",)


def _not_asked(facts: Facts) -> Iterator[Sentence]:
    """Yield what no part of this run looked at: who did not answer, another method, whom to contact."""
    for metric in facts.by_role("success", "guardrail", "secondary"):
        row = facts.row(metric.name, facts.lead)
        if metric.plan.get("response") and row is not None and row.computed:
            yield doubt_sentence(facts, metric, facts.lead)
    if not any(is_robustness(check.name, observational=facts.observational) for check in facts.result.checks):
        yield ("Whether another way to analyse the same data would agree: none was tried.",)


def _reach(facts: Facts) -> Iterator[Sentence]:
    data = facts.result.data
    analysed = facts.number("data.analysed")
    cut = (" as seen on ", facts.date("data.data_cut")) if data.data_cut else ()
    yield (
        "Anything beyond the ",
        analysed,
        f" {facts.people.many} in the analysis",
        *cut,
        f": later effects and other {facts.people.many} were not observed.",
    )
    if data.immature:
        until = (" The last window closes on ", facts.quote("data.matures_on"), ".") if data.matures_on else ()
        yield (facts.number("data.immature"), " ", *_waiting(facts), *until)


def _waiting(facts: Facts) -> Sentence:
    if facts.result.data.immature == 1:
        return (f"{facts.people.one} is not counted yet: the window is still open.",)
    return (f"{facts.people.many} are not counted yet: their window is still open.",)
