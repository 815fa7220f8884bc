"""Page one, first: the verdict, its grade, the data's date, and whether the plan came before the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import Grade, RunResult
from cxcausal.core.surveys import is_unsafe
from cxcausal.report.blocks import Hero, SectionView
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.answer import VERDICT_WORDS, main_metric, no_decision_sentence
from cxcausal.report.sentences.rule_and_verdict import beside_the_verdict
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Html, Sentence

GRADES: Mapping[Grade, str] = {
    "A": "A, randomised",
    "B": "B, as-if random",
    "C": "C, adjusted",
    "D": "D, a check failed",
}
_TITLE = 120


@dataclass(frozen=True, kw_only=True)
class VerdictBar:
    """What was decided, at one glance."""

    name: ClassVar[str] = "verdict"

    def build(self, facts: Facts) -> SectionView:
        """Return the verdict bar."""
        result = facts.result
        hero = Hero(
            title=_title(facts),
            verdict=result.verdict,
            word=VERDICT_WORDS[result.verdict],
            icon=icon(result.verdict),
            arm=(facts.arm(facts.lead),) if result.recommended_arm else (),
            reason=_reason(facts),
            facts=_evidence(facts),
            arms=tuple(_arms(facts)),
        )
        return SectionView(name=self.name, heading="Verdict", blocks=(hero,))


def _title(facts: Facts) -> Sentence:
    key = path("plan", "title")
    return (facts.quote(key if facts.has(key) else path("plan", "id"), clip=_TITLE),)


def _reason(facts: Facts) -> Sentence:
    if facts.withheld:
        return no_decision_sentence(facts)[1:]
    key = path("arms", facts.lead, "reason")
    return (*sentence(facts.opening(key)), *_unsafe(facts), *beside_the_verdict(facts)) if facts.has(key) else ()


def _unsafe(facts: Facts) -> Sentence:
    """Return that the number behind a verdict is not safe to read alone, for those who read nothing else."""
    row = facts.row(main_metric(facts).name, facts.lead)
    unsafe = row is not None and row.clear and is_unsafe(row.estimate)
    return (" But the number behind it is unsafe to read alone.",) if unsafe else ()


def _evidence(facts: Facts) -> tuple[tuple[str, Sentence], ...]:
    result = facts.result
    cut: Sentence = (facts.date("data.data_cut"),) if result.data.data_cut else ("not recorded",)
    return (
        ("Evidence grade", (GRADES[result.grade],)),
        ("Data up to", cut),
        (f"{facts.people.many.capitalize()} analysed", (facts.number("data.analysed"),)),
        ("Planned before the data", (_planned_first(result),)),
    )


def _planned_first(result: RunResult) -> str:
    """Return whether the plan came first, and no plain yes where something under “Plan followed” speaks against it."""
    if not result.registered:
        return "no"
    return "by the record, not by dates" if result.record is not None and result.record.after_cut else "yes"


def _arms(facts: Facts) -> list[tuple[Html, str, str, Sentence]]:
    """Return every arm's verdict, where there are several arms and something to tell apart."""
    if facts.withheld or len(facts.result.arms) < 2:  # noqa: PLR2004 - several
        return []
    return [
        (icon(arm.verdict), arm.verdict, VERDICT_WORDS[arm.verdict], (facts.arm(name),))
        for name, arm in facts.result.arms.items()
    ]
