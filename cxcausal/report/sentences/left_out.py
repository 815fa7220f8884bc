"""Which arms are in no rule because they must be stopped for harm, and why."""

from collections.abc import Iterator

from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Piece, Sentence


def left_out_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield every arm that was left out before rules were learned, with the reason of its verdict."""
    for arm in _left_out(facts):
        why = facts.quote(path("arms", arm, "reason"))
        yield sentence("No rule gives “", facts.arm(arm), "”: it was left out before any rule was learned. ", why)


def left_out_briefly(facts: Facts) -> Sentence:
    """Return the same as one short sentence that follows another; nothing where no arm is left out."""
    named: list[Piece] = []
    arms = _left_out(facts)
    for place, arm in enumerate(arms):
        named += [] if not place else [" and " if place == len(arms) - 1 else ", "]
        named += ["“", facts.arm(arm), "”"]
    return (" No rule gives ", *named, ", which must be stopped because it harms.") if arms else ()


def _left_out(facts: Facts) -> tuple[str, ...]:
    """Return them in the plan's order."""
    policy = facts.result.policy
    return () if policy is None else tuple(arm for arm in facts.treated_arms if arm in policy.left_out)
