"""Appendix: whether those of one arm also had a chance of another, as mirrored bars and as numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import ArmOverlapFacts, OverlapFacts
from cxcausal.report.blocks import Block, Cell, Figure, Paragraph, SectionView, Table
from cxcausal.report.charts.overlap import overlap
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sections.score_cells import part, whole
from cxcausal.report.sentences.observed import check_text
from cxcausal.report.text import Sentence

_QUANTILES = ("Hundredth", "Twentieth", "Quarter", "Middle", "Quarter", "Twentieth", "Hundredth")
"""Names of the quantiles between the least and the most, those after the middle counted from the top."""
_MIDDLE = 3
_FEW = "fewer than ten"


@dataclass(frozen=True, kw_only=True)
class OverlapSection:
    """How the arms overlap."""

    name: ClassVar[str] = "appendix_overlap"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the pictures and tables; nothing where no chances were learned."""
        scores = facts.result.scores
        if scores is None or scores.overlap is None:
            return None
        blocks = tuple(_blocks(facts, scores.overlap))
        return SectionView(name=self.name, heading="Overlap: who might have got the other arm", blocks=blocks)


def _blocks(facts: Facts, found: OverlapFacts) -> Iterator[Block]:
    said = check_text(facts, "overlap", "pass", "info", "warn", "fail", "could_not_run")
    if said is not None:
        yield Paragraph(words=said)
    for arm in found.arms:
        if arm.arm != facts.control and _drawn(facts, arm):
            yield _picture(facts, arm)
    yield _arms(facts, found)
    yield _quantiles(facts, found)


def _drawn(facts: Facts, arm: ArmOverlapFacts) -> bool:
    own, others = (arm.histogram.get(name, ()) for name in (arm.arm, facts.control))
    return bool(own) and len(own) == len(others)


def _picture(facts: Facts, arm: ArmOverlapFacts) -> Figure:
    own, others = (tuple(count or 0.0 for count in arm.histogram[name]) for name in (arm.arm, facts.control))
    names: tuple[Sentence, Sentence] = (
        (f"{facts.people.many} of “", facts.arm(arm.arm), "”"),
        (f"{facts.people.many} of “", facts.arm(facts.control), "”"),
    )
    what: Sentence = ("chance of “", facts.arm(arm.arm), "”")
    caption: Sentence = (
        *("How likely each was to get “", facts.arm(arm.arm), "”, by what was known: those who did above the line, "),
        *("those of “", facts.arm(facts.control), "” below, each as shares of their group"),
    )
    return Figure(name="overlap", caption=caption, picture=overlap(own, others, names, what))


def _arms(facts: Facts, found: OverlapFacts) -> Table:
    head = (
        facts.people.many.capitalize(),
        "As good as",
        "Chance too small",
        "Chance too large",
        "Raised",
        "Told apart",
    )
    rows = []
    for index, arm in enumerate(found.arms):
        key = path("scores", "overlap", "arms", index)
        rows.append(
            (
                Cell(words=(facts.arm(arm.arm),)),
                *(whole(facts, f"{key}.{name}") for name in ("units", "effective")),
                *(_count(facts, f"{key}.{name}") for name in ("below", "above", "clipped")),
                part(facts, f"{key}.discrimination"),
            )
        )
    caption = (
        "Each arm's own, how many equally weighted ones its weighted ones are worth, how many of all lie outside the "
        "agreed chances of it, whose chance was raised where it divides, and how often what was known tells one of "
        "the arm from another (half the time is a coin)"
    )
    return Table(caption=(caption,), name="overlap-table", head=(("Arm",), *((one,) for one in head)), rows=tuple(rows))


def _count(facts: Facts, key: str) -> Cell:
    """Return a count; where it is of so few that it may tell about one of them, that it is."""
    return whole(facts, key) if facts.has(key) else Cell(words=(_FEW,), state="number")


def _quantiles(facts: Facts, found: OverlapFacts) -> Table:
    rows = []
    for index, arm in enumerate(found.arms):
        key = path("scores", "overlap", "arms", index, "quantiles")
        numbers = (part(facts, f"{key}.{at + 1}", -1) for at in range(len(_QUANTILES)))
        rows.append((Cell(words=(facts.arm(arm.arm),)), *numbers))
    head = (("Arm",), *((_title(at),) for at in range(len(_QUANTILES))))
    caption = f"The chance of each arm, among all {facts.people.many}: from the less to the more likely"
    return Table(caption=(caption,), name="chances-table", head=head, rows=tuple(rows), wide=True)


def _title(at: int) -> str:
    """Return a quantile's name; where there are two of a kind, from which side."""
    if at == _MIDDLE:
        return _QUANTILES[at]
    return f"{_QUANTILES[at]} from {'below' if at < _MIDDLE else 'above'}"
