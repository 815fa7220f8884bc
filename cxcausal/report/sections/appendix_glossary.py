"""Appendix: the words of this page, in plain language."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.surveys import is_unsafe
from cxcausal.report.blocks import SectionView, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.sections.glossary_observed import BY_OPINION, INSTEAD, MORE, NOT_HERE
from cxcausal.report.sections.glossary_whom import RESPONDERS, TARGETING
from cxcausal.report.text import Sentence

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Arm", "One way of treating customers; the control arm is what all others are compared with."),
    (
        "Difference",
        "What an arm adds to or takes from the control's average, over all customers assigned to it.",
    ),
    ("Plausible range", "An interval that catches the true effect in the stated share of studies like this one."),
    (
        "Level",
        "That stated share. Of guardrails only one side is tested, so the level of their ranges is lower.",
    ),
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

BY_METHOD: tuple[tuple[str, str, str], ...] = (
    ("difference_in_means", "Difference in means", "The average of one arm less that of the other, as they came out."),
    ("newcombe", "Newcombe", "A difference of shares whose range also holds where few customers are counted."),
    (
        "lin",
        "Lin",
        "A comparison of customers alike in what was known beforehand, which may matter differently by arm.",
    ),
    ("ols", "OLS", "A comparison of customers alike in what was known beforehand, which matters alike in every arm."),
    ("quantile_difference", "Quantile", "The value that a stated share of customers stay below; the median is one."),
    ("wald", "Wald", "The effect of being assigned, divided by the share whom the contact reached because of it."),
    (
        "response_aipw",
        "Response AIPW",
        "The answers are weighed up to stand for those like them who gave none, as far as what is known tells.",
    ),
    ("lee_bounds", "Lee bounds", "The least and the most the effect can be on those who answer in either arm."),
    ("worst_case_bounds", "Worst-case bounds", "The same on everybody, whatever those who gave no answer would say."),
    ("split_mean", "Split mean", "A difference of averages, parted into who has any and how much they have."),
)
"""What is told in addition where a method is used: its name in the tables, its term and its meaning."""

ADJUSTED = (
    "Adjusted",
    "Freed of differences between the arms that were there by chance before the contact; it narrows the range.",
)
BESIDE = ("Beside an effect", "An answer to another question, or under other assumptions; the verdict rests on none.")
CAPPED = ("Capped, or winsorized", "Values beyond a limit are counted as the limit, so that few customers weigh less.")
UNSAFE = (
    "Unsafe to read alone",
    "Who answers differs between the arms, so that the answers may not compare like with like.",
)
KNOWING = (
    "Perfect answer",
    "What knowing the true effect would be worth: the chance of a wrong choice times what it would cost.",
)


@dataclass(frozen=True, kw_only=True)
class GlossarySection:
    """What the words mean."""

    name: ClassVar[str] = "appendix_glossary"

    def build(self, facts: Facts) -> SectionView:
        """Return the glossary."""
        terms = (*GLOSSARY, *_in_addition(facts))
        if facts.observational:
            kept = ((term, INSTEAD.get(term, meaning)) for term, meaning in terms if term not in NOT_HERE)
            terms = (*kept, *MORE)
        items: tuple[tuple[Sentence, Sentence], ...] = tuple(((term,), (meaning,)) for term, meaning in terms)
        return SectionView(name=self.name, heading="Glossary", blocks=(Terms(items=items),))


def _in_addition(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the terms that only this page has: of its methods, its readings and its money."""
    rows = facts.result.effects
    methods = {row.method for row in rows}
    yield from ((term, meaning) for method, term, meaning in (*BY_METHOD, *BY_OPINION) if method in methods)
    if any(row.adjustment == "covariates" for row in rows):
        yield ADJUSTED
    if any(row.companion for row in rows):
        yield BESIDE
    if any(row.trimming == "winsorized" for row in rows):
        yield CAPPED
    if any(is_unsafe(row) for row in rows):
        yield UNSAFE
    if facts.result.value is not None and any(arm.information is not None for arm in facts.result.value.arms):
        yield KNOWING
    if facts.result.reading is not None:
        yield from LOOKING
    if facts.result.heterogeneity:
        yield from RESPONDERS
    if facts.result.policy is not None:
        yield from TARGETING
