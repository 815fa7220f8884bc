"""Appendix: every check with its number and its limit."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import CheckResult
from cxcausal.report.blocks import Cell, SectionView, Table
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.rounding import Style, place_for
from cxcausal.report.sections.trust import WORDS
from cxcausal.report.text import MISSING, Sentence


@dataclass(frozen=True, kw_only=True)
class ChecksSection:
    """What was checked, what it found, and what a breach would have meant."""

    name: ClassVar[str] = "appendix_checks"

    def build(self, facts: Facts) -> SectionView:
        """Return one line per check."""
        head: tuple[Sentence, ...] = (
            ("Check",),
            ("Found",),
            ("In words",),
            ("Value",),
            ("Limit",),
            ("p",),
            ("A breach means",),
        )
        rows = tuple(_line(facts, index, check) for index, check in enumerate(facts.result.checks))
        table = Table(caption=("Checks of validity",), name="checks-table", head=head, rows=rows)
        return SectionView(name=self.name, heading="Checks, with their numbers", blocks=(table,))


def _line(facts: Facts, index: int, check: CheckResult) -> tuple[Cell, ...]:
    base = path("checks", index)
    p: Sentence = (facts.p_value(f"{base}.p"),) if check.p is not None else (MISSING,)
    return (
        Cell(words=(facts.quote(f"{base}.name"),)),
        Cell(words=(WORDS[check.verdict],), icon=icon(check.verdict)),
        Cell(words=(facts.quote(f"{base}.text"),)),
        _value(facts, f"{base}.value", check.value),
        _value(facts, f"{base}.threshold", check.threshold),
        Cell(words=p, state="number"),
        Cell(words=(facts.quote(f"{base}.on_breach"),)),
    )


def _value(facts: Facts, key: str, value: float | None) -> Cell:
    if value is None:
        return Cell(words=(MISSING,), state="number")
    place = 0 if float(value).is_integer() else place_for(value, digits=3)
    return Cell(words=(facts.number(key, Style(place=place)),), state="number")
