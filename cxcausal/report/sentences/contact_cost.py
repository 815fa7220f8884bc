"""What a delivered contact costs, and what it costs per customer for whom it turned out better."""

from collections.abc import Iterator
from math import isclose

from cxcausal.core.results import ArmValue
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import derived
from cxcausal.report.limits import bad
from cxcausal.report.rounding import Style, cents, money, percent, place_for
from cxcausal.report.sentences.words import predicate, sentence
from cxcausal.report.text import Number, Sentence

_CENTS = 2


def contact_cost_sentences(facts: Facts, key: str, value: ArmValue) -> Iterator[Sentence]:
    """Yield what one delivered contact costs, and what one prevented or gained event does, or why that is unknown."""
    if value.cost_per_delivered is not None and value.cost_per_assigned and _told(value.share_delivered):
        share = facts.number(derived("percent", f"{key}.share_delivered"), percent())
        delivered = price(facts, f"{key}.cost_per_delivered", value.cost_per_delivered)
        yield (
            *(share, f" of the {facts.people.many} assigned got the contact: ", delivered, " per delivered contact"),
            *_per_assigned(facts, key, value),
            ".",
        )
    yield from _per_event(facts, key, value)


def _told(share: float | None) -> bool:
    """Return whether there is a difference between assigned and delivered to tell of."""
    return share is not None and 0 < share < 1


def _per_assigned(facts: Facts, key: str, value: ArmValue) -> Sentence:
    """Return the cost per assigned customer, where the difference to the control is not the same number."""
    cost = value.cost_per_assigned
    if cost is None or isclose(cost, value.cost_per_customer, rel_tol=1e-6):
        return ()
    return (", ", price(facts, f"{key}.cost_per_assigned", cost), f" per assigned {facts.people.one}")


def price(facts: Facts, key: str, value: float) -> Number:
    """Return an amount per customer: to the cent where it is a whole number of cents, else two digits."""
    place = place_for(value)
    if round(value, _CENTS) == value:
        place = max(place, -_CENTS)
    return facts.number(key, money(facts.currency, place))


def _per_event(facts: Facts, key: str, value: ArmValue) -> Iterator[Sentence]:
    metric = next((item for item in facts.metrics if item.name == value.cost_per_event_metric), None)
    told = value.cost_per_event
    row = facts.row(metric.name, value.arm) if metric is not None else None
    if metric is None or (row is not None and bad(row, metric.sign)):
        return
    if told is None or told.low is None or told.high is None:
        reason = f"{key}.cost_per_event_reason"
        if facts.has(reason):
            opening = (
                f"What contact costs for each of {_who(facts, metric)}",
                *predicate(facts, metric),
                " cannot be told: ",
            )
            yield sentence(*opening, facts.quote(reason))
        return
    place = cents(place_for(told.low, told.high))
    style = Style(place=place)
    ends = (facts.number(f"{key}.cost_per_event.{end}", style) for end in ("low", "high"))
    spread = (" each (range: ", next(ends), " to ", next(ends), ").")
    point = facts.number(f"{key}.cost_per_event.point", money(facts.currency, place))
    yield (f"Spread over {_who(facts, metric)}", *predicate(facts, metric), ", contact costs ", point, *spread)


def _who(facts: Facts, metric: PlannedMetric) -> str:
    return f"the {facts.people.many} who, because of it, {'do not ' if metric.sign < 0 else ''}"
