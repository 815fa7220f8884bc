"""Verdict and rule together: one is of an arm for everybody, the other of whom to contact, and neither stands alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cxcausal.core.results import Verdict
from cxcausal.core.whom import PolicyResult, PolicyWorth
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, spans
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import percent
from cxcausal.report.sentences.answer import VERDICT_WORDS
from cxcausal.report.sentences.left_out import left_out_briefly
from cxcausal.report.sentences.targeting import (
    PREDICTED,
    claim_sentence,
    doing,
    is_limited,
    place_of,
    single_arm,
    targeting_line,
    told_policy,
)
from cxcausal.report.text import Piece, Sentence, Strong

GO: Mapping[Verdict, str] = {
    "ship": "Go ahead with “",
    "ship_with_monitoring": "Measuring on, go ahead with “",
    "pilot": "In the pilot, try “",
}
_ONE = 0.95
_DECIDES = "The verdict decides: "


@dataclass(frozen=True)
class Chosen:
    """What is recommended about whom to contact.

    Attributes:
        facts: the result. policy: all rules. at: the place of the recommended one among them.
    """

    facts: Facts
    policy: PolicyResult
    at: int

    @property
    def rule(self) -> PolicyWorth:
        """The rule to follow: the recommended one, or the rule in use where that reliably gains more."""
        return self.policy.policies[self.at]

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it gives anybody, in the plan's order."""
        return tuple(arm for arm in self.facts.treated_arms if self.rule.share.get(arm, 0.0) > 0)

    @property
    def chooses(self) -> bool:
        """Whether it tells customers apart: a rule by prediction, or the one in use."""
        return self.rule.name in {*PREDICTED, "current_rule"}

    @property
    def unsettled(self) -> tuple[str, ...]:
        """The arms that it gives, and that may not go ahead for everybody though the arm of page one may."""
        verdicts = self.facts.result.arms
        return tuple(
            arm for arm in self.arms if arm != self.facts.lead and arm in verdicts and verdicts[arm].verdict not in GO
        )

    @property
    def harmful(self) -> tuple[str, ...]:
        """The arms that it gives though they must be stopped for harm: in runs of before these were left out."""
        verdicts = self.facts.result.arms
        return tuple(arm for arm in self.arms if arm in verdicts and verdicts[arm].harms)

    @property
    def is_lead_alone(self) -> bool:
        """Whether it gives hardly any arm but that of page one."""
        whole = sum(self.rule.share.get(arm, 0.0) for arm in self.arms)
        return whole > 0 and self.rule.share.get(self.facts.lead, 0.0) >= _ONE * whole


def chosen_of(facts: Facts) -> Chosen | None:
    """Return what is recommended about whom to contact; None where nothing may be told, or nothing was valued."""
    policy = told_policy(facts)
    if policy is None or policy.status != "ok":
        return None
    at = place_of(policy, policy.recommended)
    today = place_of(policy, "current_rule")
    if at is not None and today is not None and _loses_to_today(policy.policies[at]):
        at = at if Chosen(facts, policy, today).harmful else today
    return None if at is None else Chosen(facts, policy, at)


def whom_terms(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield what leadership decides about whom to contact, and how that goes with the verdict."""
    policy = told_policy(facts)
    if policy is None:
        return
    chosen = chosen_of(facts)
    if chosen is None:
        why: Sentence = (facts.quote("policy.reason"),) if policy.reason else ("no rule has a value",)
        yield ("Whom to contact",), ("Not known: ", *why, ". The decision is of the arm alone.")
        return
    yield ("Whom to contact",), _whom(chosen)
    yield ("Arm and rule",), together_sentence(chosen)


def apart_sentence(facts: Facts) -> Sentence | None:
    """Return how rule and verdict go together where one read alone would mislead; None where they say the same."""
    chosen = chosen_of(facts)
    return None if chosen is None or agree(chosen) else together_sentence(chosen)


def beside_the_verdict(facts: Facts) -> Sentence:
    """Return, for who reads the verdict alone, that it is not for everybody; nothing where it is, or is no go."""
    chosen = chosen_of(facts)
    if chosen is None or not chosen.chooses or facts.result.verdict not in GO:
        return ()
    return (" But contact by a rule, not everybody: see “Decision asked”.",)


def whom_on_terminal(facts: Facts) -> tuple[Sentence, ...]:
    """Return the lines for a terminal: what is shown of targeting, and what that makes of the verdict."""
    return tuple(words for words in (targeting_line(facts), apart_sentence(facts)) if words is not None)


def together_sentence(chosen: Chosen) -> Sentence:
    """Return what rule and verdict say together; by the contract the verdict decides what may be rolled out."""
    verdict = chosen.facts.result.verdict
    if agree(chosen):
        return (*_the_same(chosen), *left_out_briefly(chosen.facts))
    told = _of_going_ahead if verdict in GO else _of_holding if verdict == "hold" else _of_stopping
    return (*told(chosen), *_kept_from_harm(chosen))


def _loses_to_today(rule: PolicyWorth) -> bool:
    """Return whether the rule in use reliably gains more."""
    return spans(rule.over_current) and (rule.over_current.high or 0.0) < 0


def agree(chosen: Chosen) -> bool:
    """Return whether the arm's verdict and the recommendation come to the same."""
    if chosen.facts.result.verdict in GO:
        return chosen.rule.name == "best_arm" and chosen.is_lead_alone and not _harmed(chosen)
    return chosen.rule.name == "nobody" or not chosen.arms


def _harmed(chosen: Chosen) -> bool:
    """Return whether a group is reliably harmed by the arm of page one."""
    return any(group.harmed and group.arm == chosen.facts.lead for group in chosen.policy.groups)


def _whom(chosen: Chosen) -> Sentence:
    """Return the recommendation, with its gain over the best single arm and over nobody."""
    facts, policy, rule = chosen.facts, chosen.policy, chosen.rule
    if rule.name == "current_rule":
        return _today(chosen)
    claim = claim_sentence(facts) or ("No rule by prediction could be set against one arm for everybody.",)
    if policy.targeting:
        return (_opening(facts, "Not everybody, but by a rule."), " ", *claim, " ", *_against_nobody(chosen))
    opening = Strong(pieces=("No reliable gain from targeting.",))
    if rule.name == "nobody":
        return (opening, " ", *claim, " Nor is any arm for everybody shown to gain over contacting nobody.")
    return (opening, " ", *claim, " ", *_against_nobody(chosen))


def _today(chosen: Chosen) -> Sentence:
    """Return that the rule in use gains more than what would be recommended without it."""
    facts, policy = chosen.facts, chosen.policy
    at = place_of(policy, policy.recommended)
    gains, key = Gains(facts, policy.aim), path("policy", "policies", at or 0, "over_current")
    low, high = gains.ends(key, policy.policies[at or 0].over_current, bare=False)
    others = " gains reliably less (from ", low, " to ", high, f"{gains.unit}). "
    keep = _opening(facts, "Keep the rule in use.")
    instead = (" ", *doing(facts, policy, at or 0)) if at is not None else ()
    return (keep, *instead, *others, *_against_nobody(chosen))


def _opening(facts: Facts, words: str) -> Strong:
    """Return what to do, in a few words, which are not for doing while the verdict is against it."""
    if facts.result.verdict in GO:
        return Strong(pieces=(words,))
    return Strong(pieces=(f"Nobody outside a test while the verdict is {_word(facts)}.",))


def _against_nobody(chosen: Chosen) -> Sentence:
    """Return what the rule gains against contacting nobody, and whom it contacts."""
    facts, rule = chosen.facts, chosen.rule
    gains, key = Gains(facts, chosen.policy.aim), path("policy", "policies", chosen.at)
    size = (gains.point(f"{key}.gain", rule.gain), gains.unit, *gains.ranged(f"{key}.gain", rule.gain))
    who: Sentence = ("It",) if chosen.chooses else doing(facts, chosen.policy, chosen.at)
    contacts: Sentence = ("; it contacts ", *shares_of(chosen)) if chosen.chooses else ()
    return (*who, " gains ", *size, " against contacting nobody", *contacts, ".", *_against_today(chosen))


def _against_today(chosen: Chosen) -> Sentence:
    """Return that a rule is not shown to gain more than the one in use; nothing where it is, or none is in use."""
    rule = chosen.rule
    if rule.name == "current_rule" or not spans(rule.over_current) or (rule.over_current.low or 0.0) > 0:
        return ()
    gains, key = Gains(chosen.facts, chosen.policy.aim), path("policy", "policies", chosen.at, "over_current")
    low, high = gains.ends(key, rule.over_current, bare=False)
    return (" It is not shown to gain more than the rule in use (from ", low, " to ", high, f"{gains.unit}).")


def shares_of(chosen: Chosen, arms: tuple[str, ...] | None = None) -> Sentence:
    """Return `41 % with “Agent calls” and 19 % with “Bot message”`."""
    pieces: list[Piece] = []
    named = chosen.arms if arms is None else arms
    for place, arm in enumerate(named):
        pieces += [] if not place else [" and " if place == len(named) - 1 else ", "]
        pieces += [_share(chosen, arm), " with “", chosen.facts.arm(arm), "”"]
    return tuple(pieces) or ("nobody",)


def _share(chosen: Chosen, arm: str) -> Piece:
    key = f"{path('policy', 'policies', chosen.at)}.{path('share', arm)}"
    return chosen.facts.number(derived("percent", key), percent())


def _the_same(chosen: Chosen) -> Sentence:
    """Return that rule and verdict come to the same."""
    facts = chosen.facts
    if facts.result.verdict not in GO:
        return (f"Verdict and rule say the same: contact nobody outside a test while the verdict is {_word(facts)}.",)
    lot = ", by lot to as many as budget and capacity allow" if is_limited(chosen.policy) else ""
    whole = f"{lot or ' for everybody who may be contacted'}, without a rule that leaves anybody out."
    return ("Verdict and rule say the same: “", facts.arm(facts.lead), f"”{whole}")


def _of_going_ahead(chosen: Chosen) -> Sentence:
    """Return what a rule makes of an arm that may go ahead."""
    facts, rule = chosen.facts, chosen.rule
    lead: Sentence = ("“", facts.arm(facts.lead), "”")
    if rule.name == "nobody" or not chosen.arms:
        return _nobody_though(chosen)
    if not chosen.chooses:
        if chosen.is_lead_alone:
            return ("Verdict and rule both say ", *lead, _all(chosen), _GROUPS_APART)
        others: Sentence = ("the single arm that gains most among those held out is another in at least some turns",)
        return (_DECIDES, *lead, ", since it also weighs guardrails and every success metric; ", *others, ".")
    if facts.lead not in chosen.arms:
        no = ", but the rule gives it to nobody. The verdict decides what may go ahead: test the rule before it is"
        return ("The verdict is for ", *lead, no, " used.")
    go: Sentence = (GO[facts.result.verdict], facts.arm(facts.lead), "”, but only for whom the rule gives it (")
    many = f" of {facts.people.many}). The verdict is of giving it to everybody"
    return (*go, _share(chosen, facts.lead), f"{many}{_more(chosen)}.", *_weaker(chosen))


def _more(chosen: Chosen) -> str:
    """Return that the rule gains more than the verdict's arm would, where that is what was compared."""
    at = place_of(chosen.policy, "best_arm")
    best = None if at is None else Chosen(chosen.facts, chosen.policy, at)
    if not chosen.policy.targeting or chosen.rule.name == "current_rule" or best is None or not best.is_lead_alone:
        return ""
    gains = "seems to gain" if chosen.facts.observational else "is shown to gain"
    return f", and the rule {gains} more than {'as many contacts by lot' if is_limited(chosen.policy) else 'that'}"


_GROUPS_APART = (
    ", and no rule is shown to gain more. Leaving out the groups that it reliably harms is a decision of its own: "
    "they are named under “Where the human matters”."
)


def _all(chosen: Chosen) -> str:
    return " by lot to as many as budget and capacity allow" if is_limited(chosen.policy) else " for everybody"


def _weaker(chosen: Chosen) -> Sentence:
    """Return which other arms of the rule may not go ahead by their own verdict; those that harm are told apart."""
    facts = chosen.facts
    arms = tuple(arm for arm in chosen.unsettled if not facts.result.arms[arm].harms)
    if not arms:
        return ()
    verdicts = " or ".join(dict.fromkeys(VERDICT_WORDS[facts.result.arms[arm].verdict] for arm in arms))
    guarded = any(facts.by_role("guardrail"))
    untested = f", as guardrails were not tested among those {facts.people.many}" if guarded else ""
    close = f", whose verdict for everybody is {verdicts}: that part is for a pilot at most{untested}."
    return (" It also contacts ", *shares_of(chosen, arms), close)


def _kept_from_harm(chosen: Chosen) -> Sentence:
    """Return that arms which harm are not to be given by a rule either."""
    facts = chosen.facts
    arms = tuple(arm for arm in chosen.harmful if arm != facts.lead)
    if not arms or not chosen.chooses:
        return left_out_briefly(facts)
    close = ", which is to be stopped because it harms: leave it out; what the rule gains without it was not valued."
    return (" It also contacts ", *shares_of(chosen, arms), close)


def _nobody_though(chosen: Chosen) -> Sentence:
    """Return why an arm may go ahead though no gain of contacting anybody is shown where rules were judged."""
    facts = chosen.facts
    all_of_them = ("it rests on all ", facts.number("data.analysed"), f" {facts.people.many} analysed. ")
    judged: Sentence = (facts.number("policy.judged"), " of them") if facts.has("policy.judged") else ("some of them",)
    less = ("Rules were judged on ", *judged, ", and there no arm is shown to gain: that is less to go by, not a stop.")
    return (_DECIDES, *all_of_them, *less)


def _of_holding(chosen: Chosen) -> Sentence:
    """Return what a rule makes of an arm that is on hold."""
    facts = chosen.facts
    arm: Sentence = ("“", facts.arm(facts.lead), "”")
    if chosen.chooses:
        hold: Sentence = (_DECIDES, *arm, " is on hold, and no rule goes live. ")
        return (*hold, *_rule_is_another(chosen))
    return (_DECIDES, *arm, " is on hold. What ", *single_arm(facts, chosen.policy), *_gain_of_one(chosen))


def _of_stopping(chosen: Chosen) -> Sentence:
    """Return what a rule makes of an arm that is to be stopped."""
    facts = chosen.facts
    stop: Sentence = (_DECIDES, "stop “", facts.arm(facts.lead), "” for everybody")
    if not chosen.chooses:
        return (*stop, ". What ", *single_arm(facts, chosen.policy), *_gain_of_one(chosen))
    if facts.lead in chosen.harmful:
        harm = ", and by rule as well: whether the harm spares those whom the rule contacts was not tested."
        return (*stop, harm)
    return (*stop, ". ", *_rule_is_another(chosen))


def _rule_is_another(chosen: Chosen) -> Sentence:
    """Return that a rule which gains is another thing than its arms for everybody, and may be tested."""
    opening = ("The rule gains because it does not contact everybody (", *shares_of(chosen), "): ")
    return (*opening, "it may be tested, with the guardrails measured among those whom it contacts.")


def _gain_of_one(chosen: Chosen) -> Sentence:
    gains = Gains(chosen.facts, chosen.policy.aim)
    aim: Sentence = ("net value",) if gains.metric is None else ("“", chosen.facts.label(gains.metric), "”")
    return (" gains in ", *aim, " does not settle the reason above.")


def _word(facts: Facts) -> str:
    return VERDICT_WORDS[facts.result.verdict]
