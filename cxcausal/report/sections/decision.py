"""Page one: the decision asked for, by whom, until when, and the hold-out to keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import SectionView, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.answer import recommendation_sentence
from cxcausal.report.sentences.information import waiting_sentence
from cxcausal.report.sentences.reading import next_look
from cxcausal.report.sentences.record import signature_terms
from cxcausal.report.sentences.rule_and_verdict import whom_terms
from cxcausal.report.text import Piece, Sentence


@dataclass(frozen=True, kw_only=True)
class DecisionSection:
    """Action, reason, owner, approvers, date and hold-out."""

    name: ClassVar[str] = "decision"

    def build(self, facts: Facts) -> SectionView:
        """Return the decision that the leader is asked for."""
        return SectionView(name=self.name, heading="Decision asked", blocks=(Terms(items=tuple(_items(facts))),))


def _items(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    plan = facts.result.plan
    yield ("Action",), recommendation_sentence(facts)
    reason = path("arms", facts.lead, "reason")
    if facts.has(reason) and not facts.withheld:
        yield ("Reason",), (facts.quote(reason),)
    yield from whom_terms(facts)
    waiting = waiting_sentence(facts)
    if waiting is not None:
        yield ("Waiting",), waiting
    following = next_look(facts)
    if following is not None:
        yield ("Next look",), following
    yield ("Owner",), (facts.quote(path("plan", "owner")),)
    approvers = plan.get("approvers") or ()
    if approvers:
        yield ("To approve",), tuple(_approvers(facts, len(approvers)))
    yield from signature_terms(facts)
    yield ("Query on",), (facts.date("created_at"),)
    if facts.result.verdict in {"ship", "ship_with_monitoring", "pilot"}:
        keep = f"Keep a random group of {facts.people.many} without the contact, so that the effect stays measurable."
        yield ("Hold-out",), (keep,)


def _approvers(facts: Facts, count: int) -> Iterator[Piece]:
    for index in range(count):
        if index:
            yield ", "
        yield facts.quote(path("plan", "approvers", index))
