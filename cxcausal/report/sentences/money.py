"""What an arm is worth, in one or two sentences, with its range and what must hold for it to pay."""

from cxcausal.core.results import ArmValue
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.rounding import Style, money, place_for
from cxcausal.report.scales import SHARE, scale_of, shown
from cxcausal.report.sentences.words import predicate, sentence
from cxcausal.report.text import Number, Sentence, Strong


def money_sentence(facts: Facts, arm: str) -> Sentence:
    """Return the net value for the customers of this arm in the test, or why there is none."""
    found = facts.money_of(arm)
    if found is None:
        return ("The plan gives no metric a worth in money, so this page says nothing about it.",)
    key, value = found
    if value.status != "ok" or "central" not in value.net_total:
        reason = (facts.quote(f"{key}.reason"),) if value.reason else ("there is no reason on record",)
        return sentence("We cannot say what this is worth: ", *reason)
    return (*_worth(facts, key, value, arm), *break_even_sentence(facts, key, value))


def _worth(facts: Facts, key: str, value: ArmValue, arm: str) -> Sentence:
    customers = facts.number(f"{key}.n_treated")
    opening = ("For the ", customers, " customers of “", facts.arm(arm), "” in the test this is worth ")
    net = value.net_total["central"]
    place = total_place(value)
    central = f"{key}.net_total.central"
    point = amount(facts, f"{central}.point", place)
    if net.low is None or net.high is None:
        return (*opening, Strong(pieces=(point,)), " after costs. ")
    bounds = (_bare(facts, f"{central}.low", place), " to ", _bare(facts, f"{central}.high", place))
    return (*opening, Strong(pieces=(point,)), " after costs (range: ", *bounds, "). ")


def total_place(value: ArmValue) -> int:
    """Return the place to which totals of an arm are rounded."""
    net = value.net_total["central"]
    ends = [end for end in (net.low, net.high) if end is not None]
    return place_for(*(ends or [net.point]))


def amount(facts: Facts, key: str, place: int) -> Number:
    """Return an amount of money with its currency."""
    currency = facts.result.value.currency if facts.result.value else ""
    return facts.number(key, money(currency, place))


def _bare(facts: Facts, key: str, place: int) -> Number:
    return facts.number(key, Style(place=place, sign=True, references=(0.0,)))


def break_even_sentence(facts: Facts, key: str, value: ArmValue) -> Sentence:
    """Return from which effect on it pays."""
    metric = next((item for item in facts.metrics if item.name == value.break_even_metric), None)
    if value.break_even is None or metric is None:
        return ()
    if value.break_even <= 0:
        return ("It pays even without any improvement in “", facts.label(metric), "”.")
    return _pays_from(facts, f"{key}.break_even", value.break_even, metric)


def _pays_from(facts: Facts, key: str, threshold: float, metric: PlannedMetric) -> Sentence:
    scale = scale_of(metric)
    number = shown(facts, key, scale, Style(place=place_for(threshold * scale.factor)))
    if scale is SHARE:
        word = scale.more if metric.sign > 0 else scale.less
        return ("It pays if at least ", number, f" {word} customers in 1,000 ", *predicate(facts, metric), ".")
    return ("It pays if “", facts.label(metric), "” gets better by at least ", number, f"{scale.unit}.")
