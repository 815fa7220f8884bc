"""What a reader of the terminal must also know, in the order of its weight: page one has the same sentences."""

from collections.abc import Iterator

from cxcausal.core.results import RunResult
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.answer import main_metric
from cxcausal.report.sentences.caveats import beside_the_answer, cap_sentences, notes
from cxcausal.report.sentences.money import uncounted_sentences
from cxcausal.report.sentences.rule_and_verdict import whom_on_terminal
from cxcausal.report.sentences.surveys import unsafe_sentence
from cxcausal.report.sentences.targeting import not_valued_sentence
from cxcausal.report.text import Sentence, on_terminal

MOST = 4
"""So many sentences are read; what comes behind them is counted."""


def caveat_texts(result: RunResult, most: int = MOST) -> tuple[str, ...]:
    """Return what stands beside the answer, the notes that qualify a number, and last what is shown of targeting.

    Behind that comes which worths no money here holds.

    Args:
        result: of a run; why its verdict is capped, and what checks found, is not told again, as the terminal has lines
            of their own for that.
        most: sentences; of what is left over only the number is told. What targeting makes of the verdict comes on top.
    """
    listed = {check.text for check in result.checks if check.verdict in {"fail", "warn"}}
    facts = Facts(result)
    told = list(dict.fromkeys(on_terminal(words).strip() for words in _caveats(facts)))
    told = [text for text in told if text not in listed]
    left = len(told) - most
    more = f"{left} more of this kind in the report, under “The answer” and “What we do not know”."
    unvalued = not_valued_sentence(facts)
    last = (*whom_on_terminal(facts), *([] if unvalued is None else [unvalued]), *uncounted_sentences(facts))
    return (*told[:most], *([more] if left > 0 else []), *map(on_terminal, last))


def _caveats(facts: Facts) -> Iterator[Sentence]:
    metric = main_metric(facts)
    row = facts.row(metric.name, facts.lead)
    unsafe = unsafe_sentence(facts, metric, facts.lead)
    if not facts.withheld and unsafe and row is not None and row.clear:
        yield unsafe
    capped = tuple(cap_sentences(facts)) if facts.result.capped_by is not None else ()
    yield from (words for words in beside_the_answer(facts) if words not in capped)
    if not facts.withheld:
        yield from notes(facts)
