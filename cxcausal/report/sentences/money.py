"""What an arm is worth, in one or two sentences, with its range and what must hold for it to pay."""

from collections.abc import Iterator, Mapping

from cxcausal.core.results import ArmValue, Range
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import path
from cxcausal.report.rounding import Style, cents, money, place_for
from cxcausal.report.scales import SHARE, scale_of, shown, with_currency
from cxcausal.report.sentences.guardrails import guardrail_state
from cxcausal.report.sentences.whom import ALL, OVERLAP, whom
from cxcausal.report.sentences.words import predicate, sentence
from cxcausal.report.text import Number, Piece, Sentence, Strong

MONEY_UNADJUSTED = "Money is told from unadjusted means"
"""How the run's note begins that says so."""
NOT_IN_MONEY = "Not in the money: "
"""How a note of the value begins that names a metric whose worth could not be counted."""


def unadjusted_sentence(facts: Facts) -> Sentence | None:
    """Return that money is told before any adjustment, where effects are told after it; None elsewhere."""
    if not any(note.startswith(MONEY_UNADJUSTED) for note in facts.result.notes):
        return None
    words = (
        "Money, and from which effect on it pays, come from averages as they are, the differences above from adjusted"
    )
    return (f"{words} ones: the two need not match to the last digit.",)


def uncounted_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield which metrics have a worth in the plan that no amount of money here holds, and why."""
    value = facts.result.value
    for at, note in enumerate(() if value is None or facts.withheld else value.notes):
        if note.startswith(NOT_IN_MONEY):
            yield (facts.quote(path("value", "notes", at)),)


def left_out_sentence(facts: Facts, arm: str) -> Sentence | None:
    """Return which guardrails beyond their limits have no place in the money; None where there are none."""
    beyond = [
        metric
        for metric in facts.by_role("guardrail")
        if not metric.plan.get("money") and guardrail_state(facts, metric, arm) == "beyond"
    ]
    if not beyond:
        return None
    names: list[Piece] = []
    for metric in beyond:
        names += [", “" if names else "“", facts.label(metric), "”"]
    return ("This money leaves out what went beyond its limit: ", *names, ".")


def money_sentence(facts: Facts, arm: str) -> Sentence:
    """Return the net value for the customers whom it is of, or per customer, or why there is none."""
    found = facts.money_of(arm)
    if found is None:
        return ("The plan gives no metric a worth in money, so this page says nothing about it.",)
    key, value = found
    if value.status != "ok" or "central" not in amounts_of(value)[1]:
        reason = (facts.quote(f"{key}.reason"),) if value.reason else ("there is no reason on record",)
        return sentence("We cannot say what this is worth: ", *reason)
    return (*_worth(facts, key, value, arm), *break_even_sentence(facts, key, value))


def net_sentence(facts: Facts, arm: str) -> Sentence | None:
    """Return the net value alone; None where it has no range."""
    found = facts.money_of(arm)
    net = amounts_of(found[1])[1].get("central") if found else None
    return _worth(facts, *found, arm) if found and net and net.low is not None else None


def _worth(facts: Facts, key: str, value: ArmValue, arm: str) -> Sentence:
    opening = (*_worth_opening(facts, key, value, arm), " ")
    name, amounts = amounts_of(value)
    net = amounts["central"]
    place = total_place(value)
    central = f"{key}.{name}.central"
    point = amount(facts, f"{central}.point", place)
    if net.low is None or net.high is None:
        return (*opening, Strong(pieces=(point,)), " after costs. ")
    bounds = (_bare(facts, f"{central}.low", place), " to ", _bare(facts, f"{central}.high", place))
    also = f"The range includes a {'loss' if net.point >= 0 else 'gain'}. " if net.low < 0 < net.high else ""
    return (*opening, Strong(pieces=(point,)), " after costs (range: ", *bounds, f"). {also}")


def _worth_opening(facts: Facts, key: str, value: ArmValue, arm: str) -> Sentence:
    """Return of whom the amount is, up to the amount."""
    if not facts.observational:
        treated = facts.number(f"{key}.n_treated")
        return ("For the ", treated, f" {facts.people.many} of “", facts.arm(arm), "” in the test this is worth")
    if value.total_customers is None:
        return (f"Per {facts.people.one}", *whom(facts, arm), ", “", facts.arm(arm), "” is worth")
    heads = facts.number(f"{key}.total_customers")
    if value.estimand == ALL:
        return ("Had all ", heads, f" {facts.people.many} got “", facts.arm(arm), "”, that would be worth")
    return ("For the ", heads, f" {facts.people.many} who got “", facts.arm(arm), "” this is worth")


def amounts_of(value: ArmValue) -> tuple[str, Mapping[str, Range]]:
    """Return the name of the amounts that are told, and these by assumption: totals, where there are any."""
    if value.net_total or value.estimand != OVERLAP:
        return "net_total", value.net_total
    return "net_per_customer", value.net_per_customer


def total_place(value: ArmValue) -> int:
    """Return the place to which the amounts of an arm are rounded."""
    net = amounts_of(value)[1]["central"]
    ends = [end for end in (net.low, net.high) if end is not None]
    return cents(place_for(*(ends or [net.point])))


def amount(facts: Facts, key: str, place: int) -> Number:
    """Return an amount of money with its currency."""
    currency = facts.result.value.currency if facts.result.value else ""
    return facts.number(key, money(currency, place))


def _bare(facts: Facts, key: str, place: int) -> Number:
    return facts.number(key, Style(place=place, sign=True, references=(0.0,)))


def break_even_sentence(facts: Facts, key: str, value: ArmValue) -> Sentence:
    """Return from which effect on it pays; where other amounts pay for it already, how much harm they can bear."""
    metric = next((item for item in facts.metrics if item.name == value.break_even_metric), None)
    if value.break_even is None or metric is None:
        return ()
    others = len(value.parts) > len((metric, "cost"))
    given = ", the other amounts being as estimated" if others else ""
    return (*_pays_from(facts, f"{key}.break_even", value.break_even, metric), f"{given}.")


def _pays_from(facts: Facts, key: str, threshold: float, metric: PlannedMetric) -> Sentence:
    scale = scale_of(metric)
    if threshold == 0:
        return ("It pays from the first improvement in “", facts.label(metric), "”")
    number = shown(facts, key, scale, with_currency(Style(place=place_for(threshold * scale.factor)), scale), "abs")
    bound = "if at least " if threshold > 0 else "as long as no more than "
    if scale is SHARE:
        word = scale.more if metric.sign * threshold > 0 else scale.less
        doing = (f" {word} {facts.people.many} in 1,000 ", *predicate(facts, metric))
        return ("It pays ", bound, number, *doing)
    moves = ("gets better by at least " if threshold > 0 else "gets worse by no more than ", number, scale.unit)
    return ("It pays if “", facts.label(metric), "” ", *moves)
