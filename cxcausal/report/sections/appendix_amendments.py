"""Appendix: every amendment of the registered plan, with its difference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Cell, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.record import amended
from cxcausal.report.text import Sentence

_NOT_SEEN = ", before any result was seen."


@dataclass(frozen=True, kw_only=True)
class AmendmentsSection:
    """What was changed after the registration, when, by whom, why, and whether results had been seen."""

    name: ClassVar[str] = "appendix_amendments"

    def build(self, facts: Facts) -> SectionView | None:
        """Return every amendment with its keys before and after; None where there is none."""
        record = facts.result.record
        if record is None or not record.amendments:
            return None
        blocks = tuple(block for index in range(len(record.amendments)) for block in _amendment(facts, index))
        return SectionView(name=self.name, heading="What was changed after the registration", blocks=blocks)


def _amendment(facts: Facts, index: int) -> Iterator[Block]:
    """Yield one amendment in a sentence and its changes as a table."""
    assert facts.result.record is not None  # noqa: S101 - see `build`
    amendment = facts.result.record.amendments[index]
    seen = path("record", "amendments", index, "why_seen")
    end: Sentence = (", ", facts.quote(seen), ".") if amendment.seen else (_NOT_SEEN,)
    yield Paragraph(words=(*amended(facts, index), *end), tone="warning" if amendment.seen else "")
    bases = tuple(path("record", "amendments", index, "changes", place) for place in range(len(amendment.changes)))
    if bases:
        yield Table(
            caption=("Keys of the plan that were changed",),
            name=f"amendment-{index}-table",
            head=(("Key",), ("Before",), ("After",)),
            rows=tuple(_row(facts, base) for base in bases),
            bases=bases,
        )


def _row(facts: Facts, base: str) -> tuple[Cell, ...]:
    """Return a key, what it was and what it is."""
    parts = (f"{base}.{part}" for part in ("key", "before", "after"))
    return tuple(Cell(words=(facts.quote(part) if facts.has(part) else "nothing",)) for part in parts)
