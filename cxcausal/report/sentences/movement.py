"""Page one: what moved since the run before, and that the decision is another one."""

from collections.abc import Iterator

from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.targeting import told_policy
from cxcausal.report.text import Sentence


def movement_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield the one sentence of a rerun, after the note that its decision flipped; nothing where it is none."""
    movement = facts.result.movement
    if movement is None:
        return
    if movement.flipped and movement.notes:
        yield (facts.quote(path("movement", "notes", 0)),)
    if not facts.withheld:
        yield (facts.quote(path("movement", "sentence")),)
        if movement.whom is not None and told_policy(facts) is not None:
            yield (facts.quote(path("movement", "whom", "sentence")),)
