"""Appendix: every effect on all customers, unadjusted, adjusted and trimmed side by side."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, SectionView
from cxcausal.report.facts import Facts, Row
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED


@dataclass(frozen=True, kw_only=True)
class EffectsSection:
    """The effects table of the whole population."""

    name: ClassVar[str] = "appendix_effects"

    def build(self, facts: Facts) -> SectionView:
        """Return the table; behind a failed gate under a warning."""
        rows = [Row(index=i, estimate=e) for i, e in enumerate(facts.result.effects) if e.population == "all"]
        caption = f"Effects on all {facts.people.many}, in the units of the metric"
        table = effect_table(facts, rows, caption, "effects-table")
        blocks: tuple[Block, ...] = (MUST_NOT_BE_USED, table) if facts.withheld else (table,)
        return SectionView(name=self.name, heading="Effects, side by side", blocks=blocks)
