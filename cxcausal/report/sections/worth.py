"""Page one: what it is worth, from what customers bring to what contact costs, and on which assumptions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import ArmValue, Range
from cxcausal.report.blocks import Block, Bullets, Cell, Figure, Paragraph, SectionView, Table
from cxcausal.report.charts.waterfall import Bar, Net, waterfall
from cxcausal.report.facts import Facts
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import TO, Style, cents, money, percent, place_for
from cxcausal.report.sections.withheld import WITHHELD
from cxcausal.report.sentences.contact_cost import contact_cost_sentences
from cxcausal.report.sentences.money import (
    amount,
    amounts_of,
    left_out_sentence,
    money_sentence,
    total_place,
    unadjusted_sentence,
    uncounted_sentences,
)
from cxcausal.report.sentences.whom import whom
from cxcausal.report.text import MISSING, Number, Sentence, Strong

LEVELS = ("low", "central", "high")
_LEVEL_TITLES = {"low": "Low assumptions", "central": "Central", "high": "High assumptions"}
_WHOLE = 1e-6
_CENTS = 2
_MILLIONS = 6


@dataclass(frozen=True, kw_only=True)
class WorthSection:
    """The money of the arm that page one speaks of, and of the others beside it."""

    name: ClassVar[str] = "worth"
    heading: ClassVar[str] = "What it is worth"

    def build(self, facts: Facts) -> SectionView:
        """Return the sentence, the waterfall, the tables and the assumptions."""
        blocks = (WITHHELD,) if facts.withheld else tuple(_blocks(facts))
        return SectionView(name=self.name, heading=self.heading, blocks=blocks)


def _blocks(facts: Facts) -> Iterator[Block]:
    value = facts.result.value
    if value is not None and value.example_assumptions:
        words = (
            Strong(pieces=("Example assumptions.",)),
            " Nobody approved these worths: replace them before anyone acts on the money.",
        )
        yield Paragraph(words=words, tone="warning")
    yield Paragraph(words=money_sentence(facts, facts.lead), tone="lead")
    for uncounted in () if facts.observational else uncounted_sentences(facts):
        yield Paragraph(words=uncounted, tone="warning")
    left_out = left_out_sentence(facts, facts.lead)
    if left_out is not None:
        yield Paragraph(words=left_out)
    found = facts.money_of(facts.lead)
    if value is None or found is None or found[1].status != "ok" or not amounts_of(found[1])[1]:
        return
    yield _picture(facts, *found)
    yield Bullets(items=tuple(_notes(facts, *found)))
    yield _levels_table(facts)
    if value.assumptions:
        yield _assumptions_table(facts)
    if facts.observational and value.notes:
        yield Bullets(items=tuple((facts.quote(path("value", "notes", at)),) for at in range(len(value.notes))))
    unadjusted = unadjusted_sentence(facts)
    if unadjusted is not None:
        yield Paragraph(words=unadjusted, tone="note")
    yield Paragraph(words=_approval(facts), tone="note")


def _picture(facts: Facts, key: str, value: ArmValue) -> Figure:
    place = total_place(value)
    name, amounts = amounts_of(value)
    net = amounts["central"]
    heads = _heads(value)
    bars = [
        Bar(
            label=(facts.quote(f"{key}.parts.{index}.label", clip=46),),
            value=(
                facts.number(
                    derived("times", f"{key}.parts.{index}.per_customer", f"{key}.{heads}")
                    if heads
                    else f"{key}.parts.{index}.per_customer",
                    _signed(facts, place),
                ),
            ),
            amount=part.per_customer * (getattr(value, heads) if heads else 1),
        )
        for index, part in enumerate(value.parts)
    ]
    total = Net(
        label=("Net value",),
        value=(facts.number(f"{key}.{name}.central.point", _signed(facts, place)),),
        amount=net.point,
        low=net.low,
        high=net.high,
    )
    caption: Sentence = (
        *("“", facts.arm(value.arm), "” against “", facts.arm(value.control), "”, ", *_of_whom(facts, value), ", "),
        *("over the measured period; the line below the net value is the ", _level(facts), " range"),
    )
    return Figure(name="waterfall", caption=caption, picture=waterfall(bars, total))


def _heads(value: ArmValue) -> str:
    """Return the name of the number of customers that a total is of; empty where amounts are told per customer."""
    if amounts_of(value)[0] == "net_per_customer":
        return ""
    return "n_treated" if value.total_customers is None else "total_customers"


def _of_whom(facts: Facts, value: ArmValue) -> Sentence:
    """Return of whom the money is."""
    if not facts.observational:
        return (f"{facts.people.many} in the test",)
    if value.total_customers is None:
        return (f"per {facts.people.one}", *whom(facts, value.arm))
    return (f"{facts.people.many} analysed", *whom(facts, value.arm))


def _level(facts: Facts) -> Number:
    """Return the confidence level of the money."""
    level = 100 * (facts.result.value.level if facts.result.value else 0.0)
    return facts.number(derived("percent", "value.level"), percent(0 if abs(level - round(level)) < _WHOLE else -1))


def _signed(facts: Facts, place: int) -> Style:
    return money(facts.result.value.currency if facts.result.value else "", place, sign=True)


def _notes(facts: Facts, key: str, value: ArmValue) -> Iterator[Sentence]:
    yield _cost(facts, key, value)
    yield from contact_cost_sentences(facts, key, value)
    if value.roi is not None and value.cost_per_customer > 0:
        yield _return(facts, key, value)
    if value.rollout is not None and value.rollout_customers is not None:
        yield _rollout(facts, key, value.rollout, limited=value.rollout_limited)


def _cost(facts: Facts, key: str, value: ArmValue) -> Sentence:
    """Return what contact costs, or saves, against the control."""
    control = facts.arm(value.control)
    if not value.cost_per_customer:
        return ("Contact costs no more than with “", control, "”, as far as the plan says.")
    place = place_for(value.cost_per_customer)
    if round(value.cost_per_customer, _CENTS) == value.cost_per_customer:
        place = max(place, -_CENTS)
    cost = facts.number(derived("abs", f"{key}.cost_per_customer"), money(facts.currency, place))
    word = "more" if value.cost_per_customer > 0 else "less"
    return ("Contact costs ", cost, f" {word} per {_assigned(facts)} than with “", control, "”.")


def _assigned(facts: Facts) -> str:
    return facts.people.one if facts.observational else f"assigned {facts.people.one}"


def _return(facts: Facts, key: str, value: ArmValue) -> Sentence:
    """Return what is left of the money spent, with the range of net value over the same cost."""
    words: Sentence = ("Return on contact cost: ", facts.number(derived("percent", f"{key}.roi"), percent()))
    net = value.net_per_customer.get("central")
    if net is None or net.low is None or net.high is None:
        return (*words, ".")
    cost, base = f"{key}.cost_per_customer", f"{key}.net_per_customer.central"
    low, high = (facts.number(derived("percent_ratio", f"{base}.{end}", cost), percent()) for end in ("low", "high"))
    return (*words, " (range: ", low, " to ", high, "). Zero means that it just pays for itself.")


def _rollout(facts: Facts, key: str, net: Range, *, limited: bool) -> Sentence:
    """Return the roll-out as what it is: a scenario."""
    place = cents(place_for(net.point) if net.low is None or net.high is None else place_for(net.low, net.high))
    customers = facts.number(f"{key}.rollout_customers")
    limit = ", as many as capacity allows" if limited else ""
    opening = ("Scenario, not measured: rolled out to ", customers, f" {facts.people.many}{limit}, it would be worth ")
    words: Sentence = (
        *opening,
        amount(facts, f"{key}.rollout.point", place),
        " over the same length of time",
        *_fixed_cost(facts),
    )
    if net.low is None or net.high is None:
        return (*words, ".", *_beyond_the_policy(facts))
    style = Style(place=place, sign=True, references=(0.0,))
    spread = (facts.number(f"{key}.rollout.low", style), TO, facts.number(f"{key}.rollout.high", style))
    return (*words, " (range: ", *spread, ").", *_beyond_the_policy(facts))


def _beyond_the_policy(facts: Facts) -> Sentence:
    """Return what binds the plan's rules for whom to contact, and not this scenario of contacting everybody."""
    limits = {"eligible": "who may be contacted", "budget": "the budget"}
    bound = [words for key, words in limits.items() if facts.has(path("plan", "policy", key))]
    return (f" It takes no account of {' or of '.join(bound)}: “Whom to contact” does.",) if bound else ()


def _fixed_cost(facts: Facts) -> Sentence:
    key = path("plan", "value", "fixed_cost")
    if not facts.has(key) or not facts.number(key).value:
        return ()
    return (", after fixed costs of ", amount(facts, key, 0))


def _levels_table(facts: Facts) -> Table:
    """Return net value per arm at low, central and high assumptions."""
    rows, levels = [], _different_levels(facts)
    for arm in facts.treated_arms:
        found = facts.money_of(arm)
        if found is not None:
            rows.append((Cell(words=(facts.arm(arm),)), *(_net_cell(facts, *found, level) for level in levels)))
    by = ", by assumption" if len(levels) > 1 else ""
    return Table(
        caption=(
            "Net value against “",
            facts.arm(facts.control),
            "”, ",
            *_of_whom_in_table(facts),
            f"{by}, with its ",
            _level(facts),
            " range",
        ),
        name="net-table",
        head=(("With",), *((_LEVEL_TITLES[level] if len(levels) > 1 else "Net value",) for level in levels)),
        rows=tuple(rows),
    )


def _of_whom_in_table(facts: Facts) -> Sentence:
    if not facts.observational:
        return (f"for the {facts.people.many} of each arm in the test",)
    total = any(arm.total_customers is not None for arm in (facts.result.value.arms if facts.result.value else ()))
    return (f"for all {facts.people.many} analysed" if total else f"per {facts.people.one}", *whom(facts))


def _different_levels(facts: Facts) -> tuple[str, ...]:
    """Return low, central and high; central alone where nobody gave the plan more than one number per worth."""
    value = facts.result.value
    same = value is not None and all(item.low == item.central == item.high for item in value.assumptions)
    return ("central",) if same else LEVELS


def _net_cell(facts: Facts, key: str, value: ArmValue, level: str) -> Cell:
    name, amounts = amounts_of(value)
    net = amounts.get(level)
    if net is None:
        return Cell(words=("not computed",))
    place = total_place(value)
    base = f"{key}.{name}.{level}"
    words: Sentence = (amount(facts, f"{base}.point", place),)
    if net.low is not None and net.high is not None:
        style = Style(place=place, references=(0.0,))
        join = TO if place < _MILLIONS else " to "
        words = (*words, " (", facts.number(f"{base}.low", style), join, facts.number(f"{base}.high", style), ")")
    state = (
        "good" if net.low is not None and net.low > 0 else "bad" if net.high is not None and net.high < 0 else "number"
    )
    return Cell(words=words, state="good" if state == "good" else "bad" if state == "bad" else "number")


def _assumptions_table(facts: Facts) -> Table:
    value, levels = facts.result.value, _different_levels(facts)
    rows = []
    for index, item in enumerate(value.assumptions if value else ()):
        base = path("value", "assumptions", index)
        metric = next((m for m in facts.metrics if m.name == item.metric), None)
        label: Sentence = (facts.label(metric),) if metric else (facts.quote(f"{base}.metric"),)
        worths = tuple(Cell(words=(_worth(facts, f"{base}.{level}"),), state="number") for level in levels)
        basis: Sentence = (facts.quote(f"{base}.basis"),) if item.basis else (MISSING,)
        rows.append((Cell(words=label), *worths, Cell(words=basis)))
    return Table(
        caption=("Assumed worth of one unit of improvement in each metric",),
        name="assumptions-table",
        head=(("Metric",), *((level.capitalize() if len(levels) > 1 else "Worth",) for level in levels), ("Basis",)),
        rows=tuple(rows),
    )


def _worth(facts: Facts, key: str) -> Number:
    """Return an assumed worth in full: it is an agreed number and not an estimate."""
    value = facts.number(key).value
    place = 0 if value == round(value) else min(-2, place_for(value))
    return amount(facts, key, place)


def _approval(facts: Facts) -> Sentence:
    value = facts.result.value
    if value is None or value.approved_by is None:
        return ("Nobody is on record as having approved these assumptions.", *_ranges(facts))
    when: Sentence = (" on ", facts.quote("value.approved_on")) if value.approved_on else ()
    return (
        "Assumptions approved by ",
        facts.quote("value.approved_by"),
        *when,
        ". Money is margin, not revenue.",
        *_ranges(facts),
    )


def _ranges(facts: Facts) -> Sentence:
    """Return the level of every range of this section; those in sentences have none beside them."""
    return (" All ranges of money are ", _level(facts), " ranges.")
