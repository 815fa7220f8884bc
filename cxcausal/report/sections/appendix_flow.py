"""Appendix: how many customers came in, and how many are in the analysis."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import MANY, Cell, SectionView, Table
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.text import MISSING, Sentence

_STEPS = (
    ("Rows read", "rows"),
    ("Left out: assigned before", "later"),
    ("Left out by the filter of the plan", "filtered_out"),
    ("Not counted: never exposed", "unexposed"),
    ("Enrolled", "enrolled"),
    ("Not counted: window still open", "immature"),
    ("Analysed", "analysed"),
)

_SOMETIMES = frozenset({"later", "unexposed"})
"""Steps that only plans over event tables have, told where they leave somebody out."""


@dataclass(frozen=True, kw_only=True)
class FlowSection:
    """From the file to the analysis, in all and per arm."""

    name: ClassVar[str] = "appendix_flow"

    def build(self, facts: Facts) -> SectionView:
        """Return the flow of units."""
        title = f"Flow of {facts.people.many}"
        arms = (facts.control, *facts.treated_arms)
        head: tuple[Sentence, ...] = (("Step",), ("All",), *((facts.arm(arm),) for arm in arms))
        told = (step for step in _STEPS if step[1] not in _SOMETIMES or getattr(facts.result.data, step[1]))
        rows = tuple(_step(facts, label, name, arms) for label, name in told)
        units = (
            Cell(words=("Randomised units",)),
            _count(facts, path("data", "randomization_units")),
            *(_none() for _ in arms),
        )
        rows = rows if facts.observational else (*rows, units)
        table = Table(caption=(title,), name="flow-table", head=head, rows=rows, wide=len(head) > MANY)
        return SectionView(name=self.name, heading=title, blocks=(table,))


def _step(facts: Facts, label: str, name: str, arms: tuple[str, ...]) -> tuple[Cell, ...]:
    by_arm = tuple(_count(facts, path("data", f"{name}_by_arm", arm)) for arm in arms)
    return (Cell(words=(label,)), _count(facts, path("data", name)), *by_arm)


def _count(facts: Facts, key: str) -> Cell:
    return Cell(words=(facts.number(key),), state="number") if facts.has(key) else _none()


def _none() -> Cell:
    return Cell(words=(MISSING,), state="number")
