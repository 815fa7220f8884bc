"""Page one: what we do not know."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Bullets, SectionView
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.caveats import unknowns


@dataclass(frozen=True, kw_only=True)
class UnknownsSection:
    """Open questions, checks that could not run, customers who are not counted yet."""

    name: ClassVar[str] = "unknowns"

    def build(self, facts: Facts) -> SectionView:
        """Return the list."""
        return SectionView(
            name=self.name, heading="What we do not know", blocks=(Bullets(items=tuple(unknowns(facts))),)
        )
