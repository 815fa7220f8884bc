"""What a delivered contact costs, and what it costs per customer for whom it turned out better."""

from collections.abc import Iterator

from cxcausal.core.results import ArmValue
from cxcausal.report.facts import Facts
from cxcausal.report.keys import derived
from cxcausal.report.rounding import Style, cents, money, percent, place_for
from cxcausal.report.sentences.words import predicate, sentence
from cxcausal.report.text import Number, Sentence

_CENTS = 2


def contact_cost_sentences(facts: Facts, key: str, value: ArmValue) -> Iterator[Sentence]:
    """Yield what one delivered contact costs, and what one prevented or gained event does, or why that is unknown."""
    if value.cost_per_delivered is not None and value.cost_per_assigned and value.share_delivered:
        share = facts.number(derived("percent", f"{key}.share_delivered"), percent())
        delivered = price(facts, f"{key}.cost_per_delivered", value.cost_per_delivered)
        assigned = price(facts, f"{key}.cost_per_assigned", value.cost_per_assigned)
        yield (
            *("The contact was delivered to ", share, f" of the {facts.people.many} assigned: "),
            *(delivered, " per delivered contact, ", assigned, f" per assigned {facts.people.one}."),
        )
    yield from _per_event(facts, key, value)


def price(facts: Facts, key: str, value: float) -> Number:
    """Return an amount per customer: to the cent where it is a whole number of cents, else two digits."""
    place = place_for(value)
    if round(value, _CENTS) == value:
        place = max(place, -_CENTS)
    return facts.number(key, money(facts.currency, place))


def _per_event(facts: Facts, key: str, value: ArmValue) -> Iterator[Sentence]:
    metric = next((item for item in facts.metrics if item.name == value.cost_per_event_metric), None)
    told = value.cost_per_event
    if metric is None:
        return
    if told is None or told.low is None or told.high is None:
        reason = f"{key}.cost_per_event_reason"
        if facts.has(reason):
            one = f"{facts.people.one} {'fewer' if metric.sign < 0 else 'more'}"
            opening = (f"What contact costs per {one} under “", facts.label(metric), "” cannot be told: ")
            yield sentence(*opening, facts.quote(reason))
        return
    place = cents(place_for(told.low, told.high))
    style = Style(place=place)
    ends = (facts.number(f"{key}.cost_per_event.{end}", style) for end in ("low", "high"))
    spread = (" each (range: ", next(ends), " to ", next(ends), ").")
    point = facts.number(f"{key}.cost_per_event.point", money(facts.currency, place))
    does = ("do not ",) if metric.sign < 0 else ()
    who = (f"Spread over the {facts.people.many} who, because of it, ", *does, *predicate(facts, metric))
    yield (*who, ", contact costs ", point, *spread)
