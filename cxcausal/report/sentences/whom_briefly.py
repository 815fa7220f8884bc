"""Whom to contact, for who reads no further than the answer: what to do, what it gains, and whom it harms."""

from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, spans
from cxcausal.report.keys import path
from cxcausal.report.sentences.answer import VERDICT_WORDS
from cxcausal.report.sentences.caveats import lead_harms
from cxcausal.report.sentences.rule_and_verdict import GO, Chosen, agree, chosen_of, shares_of
from cxcausal.report.sentences.targeting import compared_rule, is_limited, place_of, single_arm
from cxcausal.report.text import Sentence


def whom_in_answer(facts: Facts) -> Sentence | None:
    """Return at most three sentences; None where the arm's verdict says all there is."""
    chosen = chosen_of(facts)
    if chosen is None or agree(chosen):
        return None
    found = (_to_do(chosen), _gained(chosen), lead_harms(facts))
    told = [words for words in found if words]
    return (*told[0], *(piece for words in told[1:] for piece in (" ", *words)))


def _to_do(chosen: Chosen) -> Sentence:
    """Return what verdict and rule come to."""
    facts, verdict = chosen.facts, chosen.facts.result.verdict
    if verdict not in GO:
        stays = f"Contact nobody outside a test while the verdict is {VERDICT_WORDS[verdict]}"
        return (f"{stays}, though {_though(chosen)}.",)
    lead: Sentence = ("“", facts.arm(facts.lead), "”")
    if chosen.harmful:
        arm: Sentence = ("“", facts.arm(chosen.harmful[0]), "”")
        return ("Don't use the rule as it is: it gives ", *arm, ", which must be stopped because it harms.")
    if not chosen.arms:
        return ("The verdict is for ", *lead, ", though no arm is shown to gain where rules were judged.")
    if not chosen.chooses:
        return _one_arm(chosen, lead)
    if facts.lead not in chosen.arms:
        return ("The verdict is for ", *lead, ", but the rule gives it to nobody: test the rule before it is used.")
    return (*_by_rule(chosen), ".")


def _though(chosen: Chosen) -> str:
    return "a rule that leaves some out gains" if chosen.chooses else "one arm gains for everybody"


def _one_arm(chosen: Chosen, lead: Sentence) -> Sentence:
    if chosen.is_lead_alone:
        lot = "by lot, as far as budget and capacity go" if is_limited(chosen.policy) else "for everybody"
        return (*lead, f" {lot}: no rule is shown to gain more.")
    return ("The verdict is for ", *lead, ", though another single arm gains most where rules were judged.")


def _by_rule(chosen: Chosen) -> Sentence:
    """Return whom a rule gives which arm, and which of that is for a pilot at most."""
    pilot = chosen.facts.result.verdict == "pilot"
    unsettled = () if pilot else chosen.unsettled
    what = f"contact by a rule, not all {chosen.facts.people.many}:"
    if chosen.rule.name == "current_rule":
        what = "keep the rule in use, which contacts"
    opening = f"In the pilot, {what} " if pilot else f"{what[:1].upper()}{what[1:]} "
    ready = tuple(arm for arm in chosen.arms if arm not in unsettled)
    later: Sentence = (", and in a pilot at most ", *shares_of(chosen, unsettled)) if unsettled else ()
    return (opening, *shares_of(chosen, ready), *later)


def _gained(chosen: Chosen) -> Sentence:
    """Return what that gains: over the best single arm where that is shown, else over nobody; nothing of nobody."""
    facts, policy = chosen.facts, chosen.policy
    at, gains = chosen.at, Gains(facts, policy.aim)
    if not chosen.arms or chosen.harmful:
        return ()
    shown = policy.targeting and at == compared_rule(policy)
    told = policy.policies[at].beyond if shown else policy.policies[at].gain
    if not spans(told):
        return ()
    key = path("policy", "policies", at, "beyond" if shown else "gain")
    verb = "seems to gain" if facts.observational else "gains"
    size = (gains.point(key, told), gains.unit, " more than ", *(_single(chosen) if shown else ("no contact",)))
    return (*gains.opening(), f"{'that' if facts.result.verdict in GO else 'it'} {verb} ", *size,
            *gains.ranged(key, told), ".")  # fmt: skip


def _single(chosen: Chosen) -> Sentence:
    """Return the best single arm in as few words as tell it."""
    facts, policy = chosen.facts, chosen.policy
    at = place_of(policy, "best_arm")
    best = None if at is None else Chosen(facts, policy, at)
    if best is not None and best.is_lead_alone:
        return ("“", facts.arm(facts.lead), "” ", "by lot" if is_limited(policy) else "for everybody")
    return single_arm(facts, policy)
