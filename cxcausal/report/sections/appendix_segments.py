"""Appendix: every effect within a declared segment."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, SectionView
from cxcausal.report.facts import Facts, Row
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED


@dataclass(frozen=True, kw_only=True)
class SegmentsSection:
    """The effects table of the segments."""

    name: ClassVar[str] = "appendix_segments"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the table; nothing where the plan has no segments."""
        rows = [Row(index=i, estimate=e) for i, e in enumerate(facts.result.effects) if e.population != "all"]
        if not rows:
            return None
        table = effect_table(facts, rows, "Effects within segments, in the units of the metric", "segments-table")
        blocks: tuple[Block, ...] = (MUST_NOT_BE_USED, table) if facts.withheld else (table,)
        return SectionView(name=self.name, heading="Segments", blocks=blocks)
