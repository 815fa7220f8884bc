"""Appendix: every effect within a declared segment."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Paragraph, SectionView
from cxcausal.report.facts import Facts, Row
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED

_RELATIVE = Paragraph(words=("Relative effects within segments are in the results file of the run.",), tone="note")

_LEVELS = Paragraph(
    words=("Adjusted p and levels allow for the number of segments and arms asked about (Benjamini and Hochberg).",),
    tone="note",
)


@dataclass(frozen=True, kw_only=True)
class SegmentsSection:
    """The effects table of the segments, on the absolute scale."""

    name: ClassVar[str] = "appendix_segments"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the table; nothing where the plan has no segments."""
        numbered = enumerate(facts.result.effects)
        rows = [Row(index=i, estimate=e) for i, e in numbered if e.population != "all" and e.scale == "absolute"]
        if not rows:
            return None
        table = effect_table(facts, rows, "Effects within segments, in the units of the metric", "segments-table")
        blocks: tuple[Block, ...] = (MUST_NOT_BE_USED, table) if facts.withheld else (table, _LEVELS, _RELATIVE)
        return SectionView(name=self.name, heading="Segments", blocks=blocks)
