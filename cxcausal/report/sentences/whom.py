"""Of whom an effect is, where nobody tossed a coin: no number stands without its population."""

from collections.abc import Mapping

from cxcausal.report.facts import Facts
from cxcausal.report.text import Sentence, Strong

ALL, TREATED, OVERLAP = "ate", "att", "ato"
_EVERY_TARGET = frozenset({ALL, TREATED, OVERLAP})
_TWO = 2


def target(facts: Facts) -> str:
    """Return whom the headline's effects are of: ate, att or ato; empty where a coin decided."""
    if not facts.observational:
        return ""
    told = {row.estimand for row in facts.result.effects if not row.companion} & _EVERY_TARGET
    asked = str((facts.result.plan.get("estimand") or {}).get("contrast") or OVERLAP)
    return min(told) if len(told) == 1 else asked


def whom(facts: Facts, arm: str | None = None) -> Sentence:
    """Return what follows "customers" to say of whom a number is; nothing where it is of all.

    Args:
        facts: the result.
        arm: whose effect it is; without one the words are of each arm's own.
    """
    wanted = target(facts)
    if wanted == OVERLAP:
        return (f" for whom {_possible(facts)} was a real possibility",)
    if wanted == TREATED and arm is None and len(facts.treated_arms) > 1:
        return (" of the arm itself",)
    return (" of “", facts.arm(arm or facts.lead), "”") if wanted == TREATED else ()


def among(facts: Facts, arm: str | None = None) -> Sentence:
    """Return ` among customers for whom either was a real possibility`; nothing where it is of all."""
    told = whom(facts, arm)
    return (f" among {facts.people.many}", *told) if told else ()


def opening(facts: Facts, arm: str | None = None) -> Sentence:
    """Return the same as the beginning of a sentence; nothing where it is of all."""
    told = whom(facts, arm)
    return (f"Among {facts.people.many}", *told, ", ") if told else ()


def compared_sentence(facts: Facts, arm: str) -> Sentence:
    """Return what was compared with what, and that no coin decided it."""
    similar = f"This compares {facts.people.many} of “", facts.arm(arm), "” with similar ones of “"
    close = "”. It was ", Strong(pieces=("not",)), " a randomised test."
    return (*similar, facts.arm(facts.control), *close)


TARGETS: Mapping[str, str] = {
    ALL: "everybody who was analysed",
    TREATED: "those who got the arm in question",
    OVERLAP: "those for whom every arm was a real possibility",
}
"""Each target population in plain words."""


def _possible(facts: Facts) -> str:
    return "either" if len(facts.treated_arms) + 1 == _TWO else "every arm"
