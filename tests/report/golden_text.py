"""The sentences of page one as text; `python -m tests.report.golden_text` writes the golden files anew."""

from collections.abc import Iterator
from pathlib import Path

from cxcausal.core.results import RunResult
from cxcausal.report import summary_text
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.adjustment import adjustment_sentence
from cxcausal.report.sentences.answer import VERDICT_WORDS
from cxcausal.report.sentences.caveats import beside_the_answer, harmed_groups, unknowns
from cxcausal.report.sentences.contact_cost import contact_cost_sentences
from cxcausal.report.sentences.delivery import delivery_sentence
from cxcausal.report.sentences.effects import effect_sentence
from cxcausal.report.sentences.guardrails import guardrail_sentence
from cxcausal.report.sentences.harm import harmed_by_prediction
from cxcausal.report.sentences.information import waiting_sentence
from cxcausal.report.sentences.money import left_out_sentence, money_sentence, unadjusted_sentence
from cxcausal.report.sentences.reading import next_look
from cxcausal.report.sentences.rule_and_verdict import whom_on_terminal, whom_terms
from cxcausal.report.sentences.targeting import targeting_sentences
from cxcausal.report.sentences.whom_briefly import whom_in_answer
from cxcausal.report.text import Sentence, plain
from tests.report.situations import SITUATIONS
from tests.report.worlds_observed import OBSERVED
from tests.report.worlds_whom import WHOM

FOLDER = Path(__file__).parent / "golden"
TOLD = {**SITUATIONS, **OBSERVED, **WHOM}
"""Every situation whose sentences are held, by its name."""


def golden_text(result: RunResult) -> str:
    """Return every sentence that page one may say about a result, block by block."""
    facts = Facts(result)
    blocks = {
        "Beside the answer": beside_the_answer(facts),
        "Changes": _changes(facts),
        "Money": iter(() if facts.withheld else (money_sentence(facts, facts.lead),)),
        "Harmed": iter(()) if facts.withheld else harmed_groups(facts),
        "Not known": unknowns(facts),
    }
    blocks |= {name: iter(lines) for name, lines in _where_told(facts) if lines}
    parts = [VERDICT_WORDS[result.verdict], summary_text(result)]
    parts += ["\n".join([f"{name}:", *(f"- {plain(words)}" for words in block)]) for name, block in blocks.items()]
    return "\n\n".join(parts).replace("\N{NO-BREAK SPACE}", " ") + "\n"


def _where_told(facts: Facts) -> Iterator[tuple[str, list[Sentence]]]:
    """Yield the sentences of page one that only some runs have."""
    if facts.withheld:
        return
    yield "Delivered", _said(delivery_sentence(facts))
    yield "Adjusted", _said(adjustment_sentence(facts))
    found = facts.money_of(facts.lead)
    costs = list(contact_cost_sentences(facts, *found)) if found else []
    yield "Money beside", [*costs, *_said(left_out_sentence(facts, facts.lead)), *_said(unadjusted_sentence(facts))]
    if facts.result.policy is not None:
        yield "Harmed by prediction", list(harmed_by_prediction(facts, frozenset()))
        yield "Whom to contact", list(targeting_sentences(facts))
        yield "In the answer", _said(whom_in_answer(facts))
        yield "On the terminal", list(whom_on_terminal(facts))
        yield "Decision asked", [(*term, ": ", *words) for term, words in whom_terms(facts)]
    yield "Waiting", [*_said(waiting_sentence(facts)), *_said(next_look(facts))]


def _said(words: Sentence | None) -> list[Sentence]:
    return [] if words is None else [words]


def _changes(facts: Facts) -> Iterator[Sentence]:
    if facts.withheld:
        return
    for metric in facts.by_role("success", "secondary"):
        yield effect_sentence(facts, metric, facts.lead)
    for metric in facts.by_role("guardrail"):
        yield guardrail_sentence(facts, metric, facts.lead)


def write() -> None:
    """Write every golden file."""
    FOLDER.mkdir(exist_ok=True)
    for name, build in TOLD.items():
        (FOLDER / f"{name}.txt").write_text(golden_text(build()), encoding="utf-8")


if __name__ == "__main__":
    write()
