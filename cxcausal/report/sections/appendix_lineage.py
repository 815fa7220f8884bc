"""Appendix: the files that were read, the versions that ran, and the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Bullets, Cell, SectionView, Table, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.text import Quote, Sentence


@dataclass(frozen=True, kw_only=True)
class LineageSection:
    """Where the numbers come from."""

    name: ClassVar[str] = "appendix_lineage"

    def build(self, facts: Facts) -> SectionView:
        """Return inputs, versions, seed and the notes of the run."""
        return SectionView(name=self.name, heading="Lineage and versions", blocks=tuple(_blocks(facts)))


def _blocks(facts: Facts) -> Iterator[Block]:
    inputs = range(len(facts.result.data.inputs))
    yield Table(
        caption=("Inputs, with the SHA-256 of their content",),
        name="inputs-table",
        head=(("Input",), ("SHA-256",)),
        rows=tuple(tuple(Cell(words=(facts.quote(path("data", "inputs", i, j)),)) for j in (0, 1)) for i in inputs),
    )
    yield Terms(items=tuple(_versions(facts)))
    notes = tuple((facts.quote(path("notes", index)),) for index in range(len(facts.result.notes)))
    if notes:
        yield Bullets(items=notes)


def _versions(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    seed = path("plan", "analysis", "seed")
    if facts.has(seed):
        yield ("Seed",), (facts.quote(seed),)
    model = path("policy", "model")
    if facts.has(model):
        yield ("Model for fresh customers",), (facts.quote(model),)
    for name in facts.result.versions:
        key = path("versions", name)
        yield (Quote(path=key, text=name),), (facts.quote(key),)
