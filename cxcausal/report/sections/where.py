"""Page one: where the human matters, segment by segment, and who is harmed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import MANY, Block, Bullets, Cell, Paragraph, SectionView, Table
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.limits import bad, effect_style, good
from cxcausal.report.rounding import TO
from cxcausal.report.scales import SHARE, scale_of, shown, without_currency
from cxcausal.report.sections.moments import NO_DIFFERENCE, moment_blocks
from cxcausal.report.sections.withheld import WITHHELD
from cxcausal.report.sentences.answer import main_metric
from cxcausal.report.sentences.caveats import harmed_groups, harmed_names
from cxcausal.report.sentences.harm import harmed_by_prediction
from cxcausal.report.sentences.targeting import targeting_sentences, told_policy
from cxcausal.report.sentences.whom import among
from cxcausal.report.text import Sentence

_MANY_SEGMENTS = 16
_MANY_HARMED = 6


@dataclass(frozen=True, kw_only=True)
class WhereSection:
    """The map of segments and arms of the main metric, the harmed, and the targeting policy."""

    name: ClassVar[str] = "where"
    heading: ClassVar[str] = "Where the human matters"

    def build(self, facts: Facts) -> SectionView:
        """Return the map, the harmed by name, and what is said about targeting."""
        blocks = (WITHHELD,) if facts.withheld else tuple(_blocks(facts))
        return SectionView(name=self.name, heading=self.heading, blocks=blocks)


def _blocks(facts: Facts) -> Iterator[Block]:
    metric, policy = main_metric(facts), told_policy(facts)
    populations = segment_names(facts, metric)
    harmed = (*harmed_groups(facts), *harmed_by_prediction(facts, harmed_names(facts)))
    if harmed:
        yield Bullets(items=harmed[:_MANY_HARMED])
    if len(harmed) > _MANY_HARMED:
        more = "More groups are reliably harmed, or cost more than they bring; the appendix names them all."
        yield Paragraph(words=(more,), tone="warning")
    if policy is not None and policy.moments is not None and policy.moments.cells:
        yield from moment_blocks(facts, policy.moments)
    elif populations:
        yield from _maps(facts, metric, populations)
    else:
        yield Paragraph(words=("The plan declares no segments, so this page cannot say for whom it works best.",))
    if populations and not harmed:
        yield Paragraph(words=("No segment is reliably harmed; the wider a range, the more harm it could hide.",))
    claim, *others = targeting_sentences(facts)
    yield Paragraph(words=claim, tone="lead" if policy is not None and policy.status == "ok" else "note")
    if others:
        yield Bullets(items=tuple(others))


def _maps(facts: Facts, metric: PlannedMetric, populations: tuple[str, ...]) -> Iterator[Block]:
    """Yield the map; of many segments only those where an arm makes a reliable difference."""
    told = populations
    if len(populations) > _MANY_SEGMENTS:
        told = tuple(name for name in populations if any(row.clear for row in _of_segment(facts, metric, name)))
    if told:
        yield _map(facts, metric, told)
    if len(told) < len(populations):
        words = f"In {'every other' if told else 'no'} segment"
        rest = "no arm makes a reliable difference" if told else "does any arm make a reliable difference"
        yield Paragraph(words=(f"{words} {rest}; the appendix has the numbers of all segments.",))


def _of_segment(facts: Facts, metric: PlannedMetric, population: str) -> tuple[Row, ...]:
    rows = (facts.row(metric.name, arm, population=population) for arm in facts.treated_arms)
    return tuple(row for row in rows if row is not None)


def _levels(facts: Facts, metric: PlannedMetric, told: tuple[str, ...]) -> Sentence:
    """Return the levels of the ranges: one, or the span where the correction for many questions makes several."""
    rows = [row for name in told for row in _of_segment(facts, metric, name) if row.computed and row.estimate.level]
    if not rows:
        return ()
    lowest, highest = (pick(rows, key=lambda row: row.estimate.level or 0.0) for pick in (min, max))
    first, last = facts.level(lowest), facts.level(highest)
    if first.text == last.text:
        return (" (", first, ")")
    return (" (each at its own level, ", first, " to ", last, ", for the number of questions asked)")


def segment_names(facts: Facts, metric: PlannedMetric) -> tuple[str, ...]:
    """Return the segments of a metric's rows against the control, in their order."""
    rows = facts.rows(metric=metric.name, scale="absolute")
    names = (
        r.estimate.population for r in rows if r.estimate.control == facts.control and r.estimate.population != "all"
    )
    return tuple(dict.fromkeys(names))


def _map(facts: Facts, metric: PlannedMetric, told: tuple[str, ...]) -> Table:
    head: tuple[Sentence, ...] = (("Segment",), *((facts.arm(arm),) for arm in facts.treated_arms))
    unit = f", {facts.people.many} per 1,000" if scale_of(metric) is SHARE else _currency(metric)
    rows = tuple(tuple(_line(facts, metric, population)) for population in told)
    caption: Sentence = (
        "“",
        facts.label(metric),
        f"”: difference{unit}, against “",
        facts.arm(facts.control),
        "”,",
        *((*among(facts), ",") if among(facts) else ()),
        *(" with its range", *_levels(facts, metric, told)),
    )
    return Table(caption=caption, name="segment-map", head=head, rows=rows, wide=len(head) > MANY)


def _currency(metric: PlannedMetric) -> str:
    return f", in {metric.currency}" if metric.currency else ""


def _line(facts: Facts, metric: PlannedMetric, population: str) -> Iterator[Cell]:
    rows = {arm: facts.row(metric.name, arm, population=population) for arm in facts.treated_arms}
    named = next(row for row in rows.values() if row is not None)
    yield Cell(words=facts.population(named, clip=48))
    for row in rows.values():
        yield _cell(facts, metric, row)


def _cell(facts: Facts, metric: PlannedMetric, row: Row | None) -> Cell:
    if row is None or not row.computed:
        return Cell(words=("not computed",), state="none", icon=icon("none"))
    scale = scale_of(metric)
    style = without_currency(effect_style(facts, metric, row, scale))
    low, point, high = (shown(facts, row.key(part), scale, style) for part in ("low", "point", "high"))
    spread: Sentence = (point, " (", low, TO, high, ")")
    if good(row, metric.sign):
        return Cell(words=spread, state="good", icon=icon("good"))
    if bad(row, metric.sign):
        return Cell(words=spread, state="bad", icon=icon("bad"))
    return Cell(words=(NO_DIFFERENCE, " ", *spread[1:]), state="none", icon=icon("none"))
