"""Appendix: promoters and detractors, who has any and how much they have, and what capping the values does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Bullets, Paragraph, SectionView
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.text import Sentence

_OF_TYPE = {"nps": ("promoters", "detractors"), "mean": ("who", "how_much", "from_who", "from_how_much")}


@dataclass(frozen=True, kw_only=True)
class PartsSection:
    """What stands behind an average; nothing of it decides."""

    name: ClassVar[str] = "appendix_parts"

    def build(self, facts: Facts) -> SectionView | None:
        """Return a table of all parts, with what they mean; nothing where no metric has parts or capped values."""
        parted = [metric for metric in facts.metrics if any(part_rows(facts, metric))]
        capped = [metric for metric in facts.metrics if _capped(facts, metric) is not None]
        if not parted and not capped:
            return None
        blocks: list[Block] = [MUST_NOT_BE_USED] if facts.withheld else []
        if parted:
            rows = [row for metric in parted for row in part_rows(facts, metric)]
            blocks.append(Bullets(items=tuple(_meaning(facts, metric) for metric in parted)))
            caption = (
                f"Parts of averages over all {facts.people.many}, not adjusted for covariates; nothing is decided by"
            )
            blocks.append(effect_table(facts, rows, f"{caption} them", "parts-table"))
        if capped:
            blocks.append(
                Paragraph(words=("Effects on capped values stand above, beside the effects, as “winsorized”:",))
            )
            blocks.append(Bullets(items=tuple(_cap(facts, metric) for metric in capped)))
        return SectionView(name=self.name, heading="What the averages are made of", blocks=tuple(blocks))


def part_rows(facts: Facts, metric: PlannedMetric) -> Iterator[Row]:
    """Yield the rows of a metric's parts, contrast by contrast."""
    for part in _OF_TYPE.get(metric.type, ()):
        yield from facts.companions(metric=f"{metric.name}.{part}")


def _capped(facts: Facts, metric: PlannedMetric) -> Row | None:
    """Return a winsorised row that holds a number, whose reason says where the values are capped."""
    rows = facts.companions(metric=metric.name)
    return next((row for row in rows if row.estimate.trimming == "winsorized" and row.computed), None)


def _meaning(facts: Facts, metric: PlannedMetric) -> Sentence:
    label: Sentence = ("“", facts.label(metric), "”")
    if metric.type == "nps":
        return (*label, " is the share of promoters less the share of detractors, in points of a hundred.")
    meaning = (
        ": its difference is the sum of what comes from who has any (from_who) and of what comes from how much they "
        f"have (from_how_much). The {facts.people.many} behind how_much are not the same in both arms, so that it "
        "describes them and is no effect on anybody."
    )
    return (*label, meaning)


def _cap(facts: Facts, metric: PlannedMetric) -> Sentence:
    row = _capped(facts, metric)
    reason: Sentence = () if row is None else (facts.quote(row.key("reason")),)
    return ("“", facts.label(metric), "”: ", *reason, ". Money and the verdict take the values as they are.")
