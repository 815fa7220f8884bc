"""Page one: five lights that say whether the answer can be trusted, in words and shapes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import CheckResult
from cxcausal.report.blocks import Light, Lights, SectionView
from cxcausal.report.charts.icons import icon
from cxcausal.report.checks_in_words import TELLING, is_robustness, lights_of
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.reading import reading_sentences
from cxcausal.report.sentences.record import earlier_sentences, once_sentence, record_reasons
from cxcausal.report.text import Sentence

ROBUSTNESS = "Robustness"
PLAN = "Plan followed"
WORDS = {
    "fail": "Failed",
    "warn": "Look closer",
    "could_not_run": "Could not be checked",
    "info": "For information",
    "pass": "Passed",
}
_UNCHECKED = "No check of this kind was run, so nothing is known for or against it."
_UNTRIED = (
    "Nothing was run that tries to break the answer, such as another method or an outcome that no contact can change. "
    "That speaks neither for the answer nor against it."
)
_WITHHELD = "What this tells of the effect is withheld, as a validity gate failed; it stands in the appendix."
_WORST_FIRST = tuple(WORDS)
_NOTHING_TO_CHECK = len(WORDS)


@dataclass(frozen=True, kw_only=True)
class TrustSection:
    """Assignment (or why some were treated), comparability, completeness, robustness, plan followed."""

    name: ClassVar[str] = "trust"

    def build(self, facts: Facts) -> SectionView:
        """Return the five lights."""
        checks = list(enumerate(facts.result.checks))
        titles, observed = lights_of(observational=facts.observational), facts.observational
        lights = [_light(facts, title, [c for c in checks if c[1].name in names]) for title, names in titles.items()]
        lights.append(
            _light(facts, ROBUSTNESS, [c for c in checks if is_robustness(c[1].name, observational=observed)])
        )
        lights.append(_plan_light(facts))
        return SectionView(name=self.name, heading="Can we trust it?", blocks=(Lights(lights=tuple(lights)),))


def _light(facts: Facts, title: str, checks: list[tuple[int, CheckResult]]) -> Light:
    if not checks:
        words: Sentence = (_UNTRIED if title == ROBUSTNESS else _UNCHECKED,)
        return Light(
            name=title, state="could_not_run", word="Not checked", icon=icon("could_not_run"), reasons=(words,)
        )
    state = min((check for _, check in checks), key=_rank).verdict
    told = [index for index, check in checks if check.verdict == state]
    told = told[:1] if state in {"pass", "info"} else told
    reasons = tuple(dict.fromkeys(_reason(facts, index) for index in told))
    return Light(name=title, state=state, word=WORDS[state], icon=icon(state), reasons=reasons)


def _reason(facts: Facts, index: int) -> Sentence:
    """Return a check's sentence; behind a failed gate none that tells an effect, unless it is what failed."""
    check = facts.result.checks[index]
    if facts.withheld and check.name in TELLING and check.verdict != "fail":
        return (_WITHHELD,)
    return (facts.quote(path("checks", index, "text")),)


def _rank(check: CheckResult) -> int:
    """Return how bad a check's outcome is, the worst first; a check that found nothing to look at hides none."""
    vain = check.verdict == "info" and check.value is None and check.p is None
    return _NOTHING_TO_CHECK if vain else _WORST_FIRST.index(check.verdict)


def _plan_light(facts: Facts) -> Light:
    state = "pass" if facts.result.registered and once_sentence(facts) is None and not facts.has_accepted else "warn"
    word = "Registered first" if state == "pass" else WORDS["warn"]
    return Light(name=PLAN, state=state, word=word, icon=icon(state), reasons=tuple(_plan_reasons(facts)))


def _plan_reasons(facts: Facts) -> Iterator[Sentence]:
    """Yield when the plan was made, and which of its readings this is."""
    yield (facts.quote("registration"),)
    yield from record_reasons(facts)
    yield from earlier_sentences(facts)
    yield from reading_sentences(facts)
