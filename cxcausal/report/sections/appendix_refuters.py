"""Appendix: what the effects became when something was tampered with on purpose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import RefuterFact
from cxcausal.report.blocks import Block, Cell, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import Style
from cxcausal.report.sections.score_cells import dash, effect, metric_of, unit_words, whole
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.observed import check_text
from cxcausal.report.text import Sentence

_NAMES: Mapping[str, str] = {
    "placebo_treatment": "Arms dealt anew by chance",
    "random_common_cause": "A random column allowed for",
    "subset": "Part of the data left out",
    "dummy_outcome": "An outcome that nothing caused",
}
_NOTE = (
    "Each must give what is known beforehand: none, or the effect itself. Where it does, the calculation holds; what "
    "learns nothing again says nothing of what was not measured."
)


@dataclass(frozen=True, kw_only=True)
class RefutersSection:
    """One line per effect and refuter."""

    name: ClassVar[str] = "appendix_refuters"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the table; nothing where nothing was tampered with."""
        if facts.result.scores is None or not facts.result.scores.refutation:
            return None
        warned: tuple[Block, ...] = (MUST_NOT_BE_USED,) if facts.withheld else ()
        blocks = (*warned, *_blocks(facts, facts.result.scores.refutation))
        return SectionView(name=self.name, heading="Refuters: what tampering does", blocks=blocks)


def _blocks(facts: Facts, found: tuple[RefuterFact, ...]) -> Iterator[Block]:
    said = check_text(facts, "refutation", "pass", "info", "warn", "fail", "could_not_run")
    if said is not None:
        yield Paragraph(words=said)
    yield Table(
        caption=("What was tampered with, what the effect ought to be then, and what it was",),
        name="refuters-table",
        head=tuple(
            (title,)
            for title in ("Tampered with", "Effect", "Ought to be", "Was", "Distance in SE", "Draws", "Learned", "p")
        ),
        rows=tuple(_row(facts, at, one) for at, one in enumerate(found) if metric_of(facts, one.metric) is not None),
        wide=True,
    )
    yield Paragraph(words=(_NOTE,), tone="note")


def _row(facts: Facts, at: int, one: RefuterFact) -> tuple[Cell, ...]:
    key, metric = path("scores", "refutation", at), metric_of(facts, one.metric)
    assert metric is not None  # noqa: S101 - only planned metrics are told
    name: Sentence = (_NAMES[one.name],) if one.name in _NAMES else (facts.quote(f"{key}.name"),)
    return (
        Cell(words=name),
        Cell(words=("“", facts.label(metric), "”, “", facts.arm(one.arm), "”", *unit_words(facts, metric))),
        *(effect(facts, metric, f"{key}.{place}", one.arm) for place in ("expected", "found")),
        _distance(facts, key, one),
        whole(facts, f"{key}.draws"),
        Cell(words=("again" if one.refits else "not again",)),
        Cell(words=(facts.p_value(f"{key}.p"),), state="number") if one.p is not None else dash(),
    )


def _distance(facts: Facts, key: str, one: RefuterFact) -> Cell:
    """Return how far what came out lies from what ought to, in standard errors of one draw."""
    if one.found is None or one.expected is None or not one.se or one.se < 0:
        return dash()
    name = derived("apart_in", f"{key}.found", f"{key}.expected", f"{key}.se")
    return Cell(words=(facts.number(name, Style(place=-1)),), state="number")
