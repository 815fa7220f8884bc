"""Appendix: the words of this page, in plain language."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import SectionView, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.text import Sentence

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Arm", "One way of treating customers; the control arm is what all others are compared with."),
    (
        "Difference",
        "What an arm adds to or takes from the control's average, over all customers assigned to it.",
    ),
    ("Plausible range", "An interval that catches the true effect in the stated share of studies like this one."),
    ("Guardrail", "A metric that must not get worse by more than a limit that was agreed before the data."),
    ("Smallest effect worth acting on", "The effect below which nobody would change anything, agreed before the data."),
    (
        "Evidence grade",
        "A: chance decided who was contacted. B: nearly chance. C: alike customers were compared. D: a check failed.",
    ),
    ("Cap", "The best verdict that evidence of this kind can carry, however good the numbers look."),
    ("Reliably", "The whole interval, after the correction for several questions, lies on one side."),
    (
        "Several questions",
        "The more is asked, the more looks true by chance; intervals are widened for it.",
    ),
    (
        "Net value",
        "Margin that the contact brings minus what it costs, against the control, for the customers in the test.",
    ),
    ("Break-even", "The effect from which the contact pays for itself."),
    ("Estimand itt", "The effect of being assigned to an arm, whether or not the contact came about."),
    ("Estimand late", "The effect of the contact on those whom it reached because they were assigned to it."),
    ("SE", "Standard error: how much the estimate would vary from study to study."),
    ("p", "How often chance alone would show a difference at least this large."),
    (
        "Sample ratio",
        "Whether as many customers landed in each arm as planned; if not, something broke the random assignment.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class GlossarySection:
    """What the words mean."""

    name: ClassVar[str] = "appendix_glossary"

    def build(self, facts: Facts) -> SectionView:  # noqa: ARG002 - the same for every result
        """Return the glossary."""
        items: tuple[tuple[Sentence, Sentence], ...] = tuple(((term,), (meaning,)) for term, meaning in GLOSSARY)
        return SectionView(name=self.name, heading="Glossary", blocks=(Terms(items=items),))
