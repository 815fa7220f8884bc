"""Appendix: who responds, told on customers whom nothing was learned from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.whom import AimHeterogeneity, ArmHeterogeneity, PredictedGroup, Told
from cxcausal.report.blocks import Block, Bullets, Figure, Group, Legend, Paragraph, SectionView
from cxcausal.report.charts.curves import Axes, Curve, Spot, Tick, curves
from cxcausal.report.charts.forest import ForestRow, forest
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, spans, state_of
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import percent
from cxcausal.report.sections.responder_tables import drivers_table, learners_board, tests_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Number, Sentence, plain

_FIFTHS = ("Least promising fifth", "Second fifth", "Middle fifth", "Fourth fifth", "Most promising fifth")
_DEFINED = Paragraph(words=("What the tests measure stands in the glossary.",), tone="note")


@dataclass(frozen=True, kw_only=True)
class RespondersSection:
    """Whether effects differ, whom predictions tell apart, and who learned it."""

    name: ClassVar[str] = "appendix_responders"

    def build(self, facts: Facts) -> SectionView | None:
        """Return pictures and tables aim by aim; nothing where none was asked for or nothing may be read yet."""
        reading = facts.result.reading
        if not facts.result.heterogeneity or (reading is not None and reading.waiting is not None):
            return None
        blocks: list[Block] = [MUST_NOT_BE_USED] if facts.withheld else []
        for at, aim in enumerate(facts.result.heterogeneity):
            blocks += _of_aim(facts, at, aim)
        blocks.append(_DEFINED)
        return SectionView(name=self.name, heading="Who responds", blocks=tuple(blocks))


def _of_aim(facts: Facts, at: int, aim: AimHeterogeneity) -> Iterator[Block]:
    key = path("heterogeneity", at)
    many = facts.people.many
    learned, judged = facts.number(f"{key}.learned"), facts.number(f"{key}.judged")
    yield Paragraph(
        words=(
            *("“", facts.quote(f"{key}.label"), "”: learned in turns from ", learned, f" {many}, and judged on "),
            *(judged, f" {many} of whom nothing had been learned when it was their turn."),
        )
    )
    for place, arm in enumerate(aim.arms):
        yield from _of_arm(facts, aim, f"{key}.{path('arms', place)}", arm)
    if any(arm.status == "ok" for arm in aim.arms):
        yield tests_table(facts, at, aim)
    if aim.learners:
        yield learners_board(facts, at, aim)
    if aim.drivers:
        yield drivers_table(facts, at, aim)
    if aim.surrogate:
        yield Paragraph(words=("In a few words, what predictions rest on:",))
        yield Bullets(items=tuple((facts.quote(f"{key}.surrogate.{line}"),) for line in range(len(aim.surrogate))))


def _of_arm(facts: Facts, aim: AimHeterogeneity, key: str, arm: ArmHeterogeneity) -> Iterator[Block]:
    if arm.status != "ok":
        why: Sentence = (facts.quote(f"{key}.reason"),) if arm.reason else ("there is no reason on record",)
        yield Paragraph(words=sentence("“", facts.arm(arm.arm), "”: not computed, because: ", *why))
        return
    yield Paragraph(words=finding(facts, key, arm))
    gains = Gains(facts, aim.aim, each=True)
    drawn: list[Block] = []
    if any(spans(group.gain) for group in arm.groups):
        drawn.append(_groups(facts, gains, key, arm))
    if len([point for point in arm.uplift if point.gain is not None]) > 1:
        drawn.append(_uplift(facts, gains, key, arm))
    if drawn:
        yield Group(blocks=tuple(drawn))


def finding(facts: Facts, key: str, arm: ArmHeterogeneity) -> Sentence:
    """Return whether predictions tell who responds to an arm."""
    p: Sentence = ()
    if arm.p_adjusted is not None:
        p = (" (adjusted p ", facts.p_value(f"{key}.p_adjusted"), ")")
    many = facts.people.many
    if arm.found:
        return ("“", facts.arm(arm.arm), f"”: {many} respond differently, and predictions tell who", *p, ".")
    open_ = f". {many.capitalize()} may still differ in ways that nothing here predicts."
    return ("“", facts.arm(arm.arm), "”: predictions are not shown to tell who responds more", *p, open_)


def _group_name(facts: Facts, key: str, arm: ArmHeterogeneity, at: int) -> Sentence:
    if len(arm.groups) == len(_FIFTHS):
        return (_FIFTHS[at],)
    return ("Group ", facts.number(f"{key}.groups.{at}.group"), " from the least promising")


def _groups(facts: Facts, gains: Gains, key: str, arm: ArmHeterogeneity) -> Figure:
    rows: list[ForestRow] = []
    for at, group in enumerate(arm.groups):
        if not spans(group.gain):
            continue
        low, high = gains.ends(f"{key}.groups.{at}.gain", group.gain)
        rows.append(
            ForestRow(
                label=(*_group_name(facts, key, arm, at), *_predicted(gains, f"{key}.groups.{at}", group)),
                value=(low, " to ", high),
                heading=() if rows else (facts.arm(arm.arm, clip=32),),
                low=(group.gain.low or 0.0) * gains.factor,
                point=(group.gain.point or 0.0) * gains.factor,
                high=(group.gain.high or 0.0) * gains.factor,
                state=state_of(group.gain),
                pays_from=None if group.predicted is None else group.predicted * gains.factor,
            )
        )
    caption: Sentence = (
        *("“", facts.arm(arm.arm), "” against “", facts.arm(facts.control), "”, by what was predicted: "),
        *gains.counted(),
    )
    legend = (Legend(swatch="pays", words=("predicted; the bar is what they gained, with its range",)),)
    return Figure(name="forest", caption=caption, picture=forest(rows, "right"), legend=legend)


def _predicted(gains: Gains, key: str, group: PredictedGroup) -> Sentence:
    if group.predicted is None:
        return ()
    return (", predicted ", gains.number(f"{key}.predicted", gains.style(group.gain, sign=True, bare=True)))


def _uplift(facts: Facts, gains: Gains, key: str, arm: ArmHeterogeneity) -> Figure:
    """Return what contacting the most promising share gains, against as many by lot."""
    told = [(at, point) for at, point in enumerate(arm.uplift) if point.gain is not None]
    by = gains.factor
    spots = tuple(
        Spot(
            x=point.share,
            y=(point.gain or 0.0) * by,
            low=None if point.low is None else point.low * by,
            high=None if point.high is None else point.high * by,
        )
        for _, point in told
    )
    last = spots[-1]
    lot = (Spot(x=0.0, y=0.0), Spot(x=last.x, y=last.y))
    first = () if told[0][1].share <= 0 else (Spot(x=0.0, y=0.0, low=0.0, high=0.0),)
    lines = (
        Curve(name=("by prediction",), spots=(*first, *spots)),
        Curve(name=("by lot",), spots=lot, dashed=True),
    )
    many = facts.people.many
    best = max(told, key=lambda item: item[1].gain or 0.0)[0]
    axes = Axes(
        across=(f"share of {many} contacted, the most promising first",),
        upwards=(f"gain{gains.unit}",),
        x=tuple(Tick(at=point.share, words=(_share(facts, key, at),)) for at, point in told),
        y=tuple(
            Tick(at=(arm.uplift[at].gain or 0.0) * by, words=(_height(gains, key, at, arm),))
            for at in dict.fromkeys((best, told[-1][0]))
        ),
    )
    words = [
        f"{plain((_share(facts, key, at),))} contacted gain {plain((_height(gains, key, at, arm),))}" for at, _ in told
    ]
    name = plain((facts.arm(arm.arm),))
    label = (
        f"What contacting the most promising {many} with {name} gains, {plain(gains.counted())}: "
        f"{'; '.join(words)}. By lot it grows evenly to the last."
    )
    caption: Sentence = ("“", facts.arm(arm.arm), "”, the most promising contacted first: ", *gains.counted())
    return Figure(name="curves", caption=caption, picture=curves(lines, (), axes, label))


def _share(facts: Facts, key: str, at: int) -> Number:
    return facts.number(derived("percent", f"{key}.uplift.{at}.share"), percent())


def _height(gains: Gains, key: str, at: int, arm: ArmHeterogeneity) -> Number:
    point = arm.uplift[at]
    style = gains.style(Told(point=point.gain, low=point.low, high=point.high), sign=True, bare=True)
    return gains.number(f"{key}.uplift.{at}.gain", style)
