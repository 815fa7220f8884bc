"""Appendix: every effect on all customers, unadjusted and adjusted side by side, and apart from them what is beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Paragraph, SectionView
from cxcausal.report.facts import Facts, Row
from cxcausal.report.sections.appendix_parts import part_rows
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.text import Sentence

_BESIDE = "Beside these effects, from other questions or under other assumptions; the verdict rests on none of them"


@dataclass(frozen=True, kw_only=True)
class EffectsSection:
    """The effects table of the whole population."""

    name: ClassVar[str] = "appendix_effects"

    def build(self, facts: Facts) -> SectionView:
        """Return the metrics' own effects, and apart from them what is beside; behind a failed gate under a warning."""
        blocks = ((MUST_NOT_BE_USED,) if facts.withheld else ()) + tuple(_blocks(facts))
        return SectionView(name=self.name, heading="Effects, side by side", blocks=blocks)


def _blocks(facts: Facts) -> Iterator[Block]:
    rows = [Row(index=i, estimate=e) for i, e in enumerate(facts.result.effects) if e.population == "all"]
    own = [row for row in rows if not row.estimate.companion]
    whom = "for the plan's own population" if facts.observational else f"on all {facts.people.many}"
    yield effect_table(facts, own, f"Effects {whom}, in the units of the metric", "effects-table")
    yield Paragraph(words=levels_note(facts), tone="note")
    elsewhere = {row.index for metric in facts.metrics for row in part_rows(facts, metric)}
    beside = [row for row in rows if row.estimate.companion and row.index not in elsewhere]
    if beside:
        yield effect_table(facts, beside, _BESIDE, "companions-table")


def levels_note(facts: Facts) -> Sentence:
    """Return how the levels of the ranges come about."""
    analysis = facts.result.plan.get("analysis") or {}
    holm = analysis.get("multiplicity", "holm") == "holm"
    success = (
        "Levels and adjusted p of success metrics allow for all success metrics and arms asked about (Holm)."
        if holm
        else "Levels of success metrics do not allow for several questions, as the plan asks."
    )
    guards = " Of guardrails one side is tested, so their ranges are read at a lower level."
    rest = " All other rows stand alone: nothing is corrected for how many there are."
    looks = " Every range holds at every reading, so it is wider than an ordinary one of its level."
    return (f"{success}{guards}{rest}{looks if facts.result.reading is not None else ''}",)
