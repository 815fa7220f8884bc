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

LOOKING: tuple[tuple[str, str], ...] = (
    ("Look", "A reading of the data while they still grow, on a day that was agreed before them."),
    (
        "Hold at every look",
        "Ordinary intervals that are read again and again err far more often than they say; these are wider for it.",
    ),
)
"""What is told in addition where the plan may be read more than once."""


@dataclass(frozen=True, kw_only=True)
class GlossarySection:
    """What the words mean."""

    name: ClassVar[str] = "appendix_glossary"

    def build(self, facts: Facts) -> SectionView:
        """Return the glossary."""
        terms = GLOSSARY if facts.result.reading is None else (*GLOSSARY, *LOOKING)
        items: tuple[tuple[Sentence, Sentence], ...] = tuple(((term,), (meaning,)) for term, meaning in terms)
        return SectionView(name=self.name, heading="Glossary", blocks=(Terms(items=items),))
