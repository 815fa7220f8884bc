"""Page one: what changed for customers, as a thousand dots, as intervals, and as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Bullets, Figure, Group, Legend, Paragraph, SectionView
from cxcausal.report.charts.pictogram import pictogram
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.limits import effect_style
from cxcausal.report.scales import SHARE, scale_of
from cxcausal.report.sections.change_table import change_table
from cxcausal.report.sections.panels import panels
from cxcausal.report.sections.withheld import WITHHELD
from cxcausal.report.sentences.adjustment import adjustment_sentence
from cxcausal.report.sentences.answer import main_metric
from cxcausal.report.sentences.delivery import delivery_sentence
from cxcausal.report.sentences.effects import effect_sentence
from cxcausal.report.sentences.guardrails import guardrail_sentence
from cxcausal.report.sentences.whom import among, whom
from cxcausal.report.sentences.words import predicate
from cxcausal.report.text import Number, Sentence, plain


@dataclass(frozen=True, kw_only=True)
class ChangeSection:
    """The effects on success and guardrail metrics."""

    name: ClassVar[str] = "change"

    def build(self, facts: Facts) -> SectionView:
        """Return the pictures, the sentences and the table."""
        blocks = (WITHHELD,) if facts.withheld else tuple(_blocks(facts))
        return SectionView(name=self.name, heading=f"What changed for {facts.people.many}", blocks=blocks)


def _blocks(facts: Facts) -> Iterator[Block]:
    dots = _dots(facts)
    figures = panels(facts)
    if dots is not None:
        yield dots
    sentences = tuple(_sentences(facts))
    if sentences:
        yield Bullets(items=sentences)
    if figures:
        yield Group(blocks=figures)
    yield change_table(facts)
    if facts.observational:
        people = among(facts) or (f" of all {facts.people.many} analysed, whichever arm they got",)
        yield Paragraph(words=("All averages, differences and ranges above are those", *people, "."), tone="note")
    adjusted = adjustment_sentence(facts)
    if adjusted is not None:
        yield Paragraph(words=adjusted, tone="note")
    if len(facts.treated_arms) > 1:
        words = (
            "Guardrails and secondary metrics are shown for “",
            facts.arm(facts.lead),
            "”; the appendix has every arm.",
        )
        yield Paragraph(words=words, tone="note")


def _sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield one sentence per metric that the answer hasn't told yet, and whom the contact reached."""
    main = main_metric(facts)
    for metric in facts.by_role("success", "secondary"):
        if metric.name != main.name:
            yield effect_sentence(facts, metric, facts.lead)
    for metric in facts.by_role("guardrail"):
        yield guardrail_sentence(facts, metric, facts.lead)
    delivered = delivery_sentence(facts)
    if delivered is not None:
        yield delivered


def _dots(facts: Facts) -> Figure | None:
    """Return the pictogram of the first success metric that counts customers."""
    for metric in facts.by_role("success"):
        row = facts.row(metric.name, facts.lead)
        if scale_of(metric) is SHARE and row is not None and row.computed and row.estimate.mean_control is not None:
            return _pictogram(facts, metric, row)
    return None


def _pictogram(facts: Facts, metric: PlannedMetric, row: Row) -> Figure:
    rate, change = row.key("mean_control"), row.key("point")
    coarse = _coarse(facts, metric, row)
    before = facts.number(derived("dots", rate))
    after = facts.number(derived("dots_after", rate, change, *coarse))
    changed = facts.number(derived("dots_change", change, *coarse))
    rest = facts.number(derived("dots_rest", rate, change, *coarse))
    fewer = row.point < 0
    treated, control = facts.arm(row.estimate.arm), facts.arm(row.estimate.control)
    base, with_base, with_more = (after, treated, control) if fewer else (before, control, treated)
    legend = (
        Legend(swatch="anyway", words=(base, " do with “", with_base, "”")),
        Legend(swatch="fewer" if fewer else "more", words=_difference(facts, row, changed)),
        Legend(swatch="rest", words=(rest, " do not with “", with_more, "”")),
    )
    return Figure(
        name="pictogram",
        caption=(
            f"Of a thousand {facts.people.many}",
            *whom(facts, row.estimate.arm),
            ", how many ",
            *predicate(facts, metric),
            *_whole(row),
        ),
        picture=pictogram(int(base.value), int(changed.value), fewer=fewer, label=_told(facts, legend)),
        legend=legend,
    )


def _told(facts: Facts, legend: tuple[Legend, ...]) -> str:
    """Return what the dots show, for those who can't see them."""
    return f"A thousand {facts.people.many} as dots: {'; '.join(plain(entry.words) for entry in legend)}."


def _whole(row: Row) -> Sentence:
    """Return that the dots are rounded, where the sentence beside them tells more than whole people."""
    fine = row.high - row.low < 0.004 or abs(row.estimate.mean_control or 1.0) < 0.01  # noqa: PLR2004 - in 1,000: 4, 10
    return (", to the nearest whole one",) if fine else ()


def _coarse(facts: Facts, metric: PlannedMetric, row: Row) -> tuple[str, ...]:
    """Return the place that a wide range leaves to the sentence and the table, so that the dots say the same."""
    place = effect_style(facts, metric, row, SHARE).place
    return (str(place),) if place > 0 else ()


def _difference(facts: Facts, row: Row, number: Number) -> Sentence:
    """Return the difference between the arms; who among the customers changed is not known."""
    if number.value == 0:
        whole = abs(1000 * row.point) < 0.5  # noqa: PLR2004 - half a dot
        return (f"less than one {facts.people.one} of difference" if whole else "next to no difference",)
    unclear = "" if row.clear else "; the range includes no change"
    return (
        number,
        f" {'fewer' if row.point < 0 else 'more'} than with “",
        facts.arm(row.estimate.control),
        f"”{unclear}",
    )
