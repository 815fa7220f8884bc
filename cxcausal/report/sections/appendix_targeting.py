"""Appendix: whom to contact, every rule and every budget, valued on customers whom no rule had learned from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.whom import FrontierPoint, PolicyResult, Told
from cxcausal.report.blocks import Block, Bullets, Figure, Paragraph, SectionView
from cxcausal.report.charts.curves import Axes, Curve, Single, Spot, Tick, curves
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, in_money, spans
from cxcausal.report.keys import path
from cxcausal.report.rounding import Style, place_for
from cxcausal.report.sections.targeting_groups import groups_table, harm_table, moments_table, protected_table
from cxcausal.report.sections.targeting_tables import frontier_table, leaves_table, rules_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.targeting import break_even_sentence, place_of
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Number, Sentence, plain


@dataclass(frozen=True, kw_only=True)
class TargetingSection:
    """Every rule that was valued, what budgets gain, and who gains and loses."""

    name: ClassVar[str] = "appendix_targeting"

    def build(self, facts: Facts) -> SectionView | None:
        """Return tables and the frontier; nothing where no policy was asked for or nothing may be read yet."""
        policy, reading = facts.result.policy, facts.result.reading
        if policy is None or (reading is not None and reading.waiting is not None):
            return None
        blocks: tuple[Block, ...] = (MUST_NOT_BE_USED,) if facts.withheld else ()
        return SectionView(name=self.name, heading="Whom to contact", blocks=(*blocks, *_blocks(facts, policy)))


def _blocks(facts: Facts, policy: PolicyResult) -> Iterator[Block]:
    if policy.status != "ok":
        why: Sentence = (facts.quote("policy.reason"),) if policy.reason else ("there is no reason on record",)
        yield Paragraph(words=sentence("Not computed, because: ", *why))
        return
    many = facts.people.many
    learned, judged = facts.number("policy.learned"), facts.number("policy.judged")
    held = f" {many} of whom no rule had learned anything when it was their turn."
    yield Paragraph(words=("Rules were learned in turns from ", learned, f" {many}, and valued on ", judged, held))
    if policy.policies:
        yield rules_table(facts, policy)
    if sum(point.gain.point is not None for point in policy.frontier) > 1:
        yield _frontier(facts, policy)
    if policy.frontier:
        yield frontier_table(facts, policy)
    if policy.break_even_budget is not None:
        yield Paragraph(words=break_even_sentence(facts))
    yield from _whom(facts, policy)
    if policy.notes:
        yield Bullets(items=tuple((facts.quote(path("policy", "notes", at)),) for at in range(len(policy.notes))))


def _whom(facts: Facts, policy: PolicyResult) -> Iterator[Block]:
    """Yield who gains and loses, and whom the rules contact."""
    tables = (
        (leaves_table, policy.rules),
        (groups_table, policy.groups),
        (harm_table, policy.harm),
        (protected_table, policy.protected),
    )
    yield from (table(facts, policy) for table, found in tables if found)
    if policy.moments is not None and policy.moments.cells:
        yield moments_table(facts, policy, policy.moments)


def _frontier(facts: Facts, policy: PolicyResult) -> Figure:
    gains = Gains(facts, policy.aim, each=True)
    many, points = facts.people.many, policy.frontier
    lot = tuple(_spot(gains, one, one.untargeted) for one in points if one.untargeted.point is not None)
    lines = [
        Curve(
            name=("by prediction",),
            spots=tuple(_spot(gains, one, one.gain) for one in points if one.gain.point is not None),
        ),
        *([Curve(name=("by lot",), spots=lot, dashed=True)] if lot else []),
    ]
    unit = f"in {facts.currency or 'money'}" if in_money(facts) else "in contacts"
    last = len(points) - 1
    axes = Axes(
        across=(f"budget per {facts.people.one}, {unit}",),
        upwards=(f"gain{gains.unit}",),
        x=tuple(Tick(at=one.budget, words=(_bare(facts, policy, at),)) for at, one in enumerate(points)),
        y=tuple(
            Tick(at=(told.point or 0.0) * gains.factor, words=(gains.point(key, told, sign=True, bare=True),))
            for key, told in (
                (path("policy", "frontier", last, "untargeted"), points[last].untargeted),
                (path("policy", "frontier", last, "gain"), points[last].gain),
            )
            if told.point is not None
        ),
    )
    words = [_heard(facts, policy, gains, at) for at in range(len(points))]
    label = f"What budgets gain, by prediction and with the best arm for as many {many} by lot: {'; '.join(words)}."
    caption: Sentence = (
        *("What a budget gains where it is spent by prediction, and where the best arm goes to as many by lot: ",),
        *(*gains.counted(), ", with ranges"),
    )
    return Figure(name="curves", caption=caption, picture=curves(lines, _current(gains, policy), axes, label))


def _bare(facts: Facts, policy: PolicyResult, at: int) -> Number:
    """Return a budget on the axis, as fine as the widest of them asks for."""
    place = place_for(*(one.budget for one in policy.frontier))
    return facts.number(path("policy", "frontier", at, "budget"), Style(place=place))


def _spot(gains: Gains, one: FrontierPoint, told: Told) -> Spot:
    by = gains.factor
    return Spot(
        x=one.budget,
        y=(told.point or 0.0) * by,
        low=told.low * by if told.low is not None else None,
        high=told.high * by if told.high is not None else None,
    )


def _heard(facts: Facts, policy: PolicyResult, gains: Gains, at: int) -> str:
    point, key = policy.frontier[at], path("policy", "frontier", at)
    told = [
        f"{plain((gains.point(f'{key}.{name}', number, sign=True, bare=True),))} {how}"
        for name, number, how in (("gain", point.gain, "by prediction"), ("untargeted", point.untargeted, "by lot"))
        if number.point is not None
    ]
    return f"a budget of {plain((_bare(facts, policy, at),))} gains {' and '.join(told)}"


def _current(gains: Gains, policy: PolicyResult) -> tuple[Single, ...]:
    """Return the rule in use as a point."""
    at = place_of(policy, "current_rule")
    if at is None or policy.policies[at].cost is None or not spans(policy.policies[at].gain):
        return ()
    told, by = policy.policies[at].gain, gains.factor
    spot = Spot(
        x=policy.policies[at].cost or 0.0,
        y=(told.point or 0.0) * by,
        low=(told.low or 0.0) * by,
        high=(told.high or 0.0) * by,
    )
    return (Single(name=("rule in use",), spot=spot),)
