"""Page one: where the human matters, segment by segment, and who is harmed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import MANY, Block, Bullets, Cell, Paragraph, SectionView, Table
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.limits import bad, good
from cxcausal.report.rounding import TO
from cxcausal.report.scales import SHARE, scale_of, shown, style_of
from cxcausal.report.sections.withheld import WITHHELD
from cxcausal.report.sentences.answer import main_metric
from cxcausal.report.sentences.caveats import harmed_groups
from cxcausal.report.text import Sentence

NO_DIFFERENCE = "no reliable difference"


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
    metric = main_metric(facts)
    populations = segment_names(facts, metric)
    harmed = tuple(harmed_groups(facts))
    if harmed:
        yield Bullets(items=harmed)
    if populations:
        yield _map(facts, metric, populations)
    else:
        yield Paragraph(words=("The plan declares no segments, so this page cannot say for whom it works best.",))
    if populations and not harmed:
        yield Paragraph(words=("No segment is reliably harmed.",))
    yield Paragraph(words=_policy(facts), tone="note")


def segment_names(facts: Facts, metric: PlannedMetric) -> tuple[str, ...]:
    """Return the segments of a metric's rows against the control, in their order."""
    rows = facts.rows(metric=metric.name, scale="absolute")
    names = (
        r.estimate.population for r in rows if r.estimate.control == facts.control and r.estimate.population != "all"
    )
    return tuple(dict.fromkeys(names))


def _map(facts: Facts, metric: PlannedMetric, populations: tuple[str, ...]) -> Table:
    head: tuple[Sentence, ...] = (("Segment",), *((facts.arm(arm),) for arm in facts.treated_arms))
    unit = ", customers per 1,000" if scale_of(metric) is SHARE else ""
    rows = tuple(tuple(_line(facts, metric, population)) for population in populations)
    caption: Sentence = (
        "“",
        facts.label(metric),
        f"”: difference{unit}, against “",
        facts.arm(facts.control),
        "”, with its range",
    )
    return Table(caption=caption, name="segment-map", head=head, rows=rows, wide=len(head) > MANY)


def _line(facts: Facts, metric: PlannedMetric, population: str) -> Iterator[Cell]:
    rows = {arm: facts.row(metric.name, arm, population=population) for arm in facts.treated_arms}
    named = next(row for row in rows.values() if row is not None)
    yield Cell(words=(facts.quote(named.key("population"), clip=48),))
    for row in rows.values():
        yield _cell(facts, metric, row)


def _cell(facts: Facts, metric: PlannedMetric, row: Row | None) -> Cell:
    if row is None or not row.computed:
        return Cell(words=("not computed",), state="none", icon=icon("none"))
    scale = scale_of(metric)
    style = style_of(row, scale)
    low, point, high = (shown(facts, row.key(part), scale, style) for part in ("low", "point", "high"))
    spread: Sentence = (point, " (", low, TO, high, ")")
    if good(row, metric.sign):
        return Cell(words=spread, state="good", icon=icon("good"))
    if bad(row, metric.sign):
        return Cell(words=spread, state="bad", icon=icon("bad"))
    return Cell(words=(NO_DIFFERENCE, " ", *spread[1:]), state="none", icon=icon("none"))


def _policy(facts: Facts) -> Sentence:
    """Return what is said about whom to contact: this version values no targeting rule."""
    policy = facts.result.plan.get("policy") or {}
    if not any(policy.values()):
        return ("Whom to contact: the plan asked for no targeting policy, and none was valued.",)
    rule: Sentence = (
        (" (rule in use: “", facts.quote("plan.policy.current_rule"), "”)") if policy.get("current_rule") else ()
    )
    words = " but this version values none: contacting all, none or by the rule in use was not compared."
    return ("Whom to contact: the plan asks about a targeting policy", *rule, ",", words)
