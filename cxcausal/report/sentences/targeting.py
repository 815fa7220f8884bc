"""Whom to contact, in sentences: what choosing by prediction gains, or that it is not shown to gain anything."""

from collections.abc import Iterator, Mapping

from cxcausal.core.whom import PolicyResult, PolicyWorth
from cxcausal.report.facts import CLIP, Facts
from cxcausal.report.gains import Gains, in_money, spans
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import Style, money, percent, place_for
from cxcausal.report.sentences.left_out import left_out_sentences
from cxcausal.report.sentences.money import uncounted_sentences
from cxcausal.report.sentences.whom import whom
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Number, Piece, Sentence, Strong

PREDICTED = ("limited", "value", "tree")
"""Rules that choose by prediction, the one that may be carried out first."""
EVERYBODY = "everybody:"
_DOING: Mapping[str, str] = {
    "nobody": "Contacting nobody",
    "current_rule": "The rule in use",
    "top_risk": "Contacting those at the highest risk first",
    "value": "Contacting those whose predicted gain is above zero",
    "limited": "Contacting by predicted gain within budget and capacity",
    "tree": "Contacting by a few readable rules",
}
_GOES_AHEAD = frozenset({"ship", "ship_with_monitoring", "pilot"})
_SAME = 0.95
_FOUR_FIFTHS = 0.8
"""Of the highest rate: a group that is chosen less often than that is commonly taken to be treated differently."""
_NO_CONTACT: Sentence = ("contacting nobody",)
_TRIED = ", before the number of rules that were compared is allowed for."


def told_policy(facts: Facts) -> PolicyResult | None:
    """Return what was found about whom to contact; None where nothing of it may stand on page one."""
    policy, reading = facts.result.policy, facts.result.reading
    waiting = reading is not None and reading.waiting is not None
    return None if policy is None or facts.withheld or waiting else policy


def targeting_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield what page one says about whom to contact."""
    policy = told_policy(facts)
    if policy is None:
        yield _unasked(facts)
        return
    untold = not_valued_sentence(facts)
    if untold is not None:
        yield untold
        return
    claim = claim_sentence(facts)
    if claim is not None:
        yield claim
    yield from _against_others(facts, policy)
    yield from left_out_sentences(facts)
    if in_money(facts):
        yield from uncounted_sentences(facts)
    yield from protected_sentences(facts)
    yield _ground(facts)
    if whom(facts):
        yield _of_everybody(facts)


def targeting_line(facts: Facts) -> Sentence | None:
    """Return the one sentence for a terminal; None where there is nothing to say."""
    policy = told_policy(facts)
    return None if policy is None or policy.status != "ok" else claim_sentence(facts)


def not_valued_sentence(facts: Facts) -> Sentence | None:
    """Return that no rule could be valued, and why; None where rules were, or nothing may be told."""
    policy = told_policy(facts)
    if policy is None or policy.status == "ok":
        return None
    why: Sentence = (facts.quote("policy.reason"),) if policy.reason else ("there is no reason on record",)
    return sentence("Whom to contact could not be valued: ", *why)


def _unasked(facts: Facts) -> Sentence:
    asked = facts.result.plan.get("policy") or {}
    if facts.result.policy is not None:
        return ("Whom to contact: nothing is told before the experiment may be read.",)
    if not any(asked.values()):
        return ("Whom to contact: the plan asked for no targeting policy, and none was valued.",)
    rule: Sentence = (
        (" (rule in use: “", facts.quote("plan.policy.current_rule"), "”)") if asked.get("current_rule") else ()
    )
    return (
        *("Whom to contact: the plan asks about a targeting policy", *rule),
        ", but this run valued none: contacting all, none or by the rule in use was not compared.",
    )


def place_of(policy: PolicyResult, name: str | None) -> int | None:
    """Return where a rule stands among those that were valued; None where it has no gain."""
    told = ((at, one) for at, one in enumerate(policy.policies) if one.status == "ok" and one.gain.point is not None)
    return next((at for at, one in told if one.name == name), None)


def compared_rule(policy: PolicyResult) -> int | None:
    """Return the rule by prediction that is set against the best single arm; None where none has a range.

    It is the recommended one, if it is such; where targeting pays otherwise, one that reliably gains more.
    """
    found = [place_of(policy, name) for name in dict.fromkeys((policy.recommended, *PREDICTED)) if name in PREDICTED]
    ranged = [at for at in found if at is not None and spans(policy.policies[at].beyond)]
    gaining = [at for at in ranged if _above(policy.policies[at])]
    return next(iter(gaining if policy.targeting and gaining else ranged), None)


def claim_sentence(facts: Facts) -> Sentence | None:
    """Return that choosing by prediction gains more than the best single arm for everybody, or that it is not shown.

    None where neither is known: no rule by prediction has a difference with its range.
    """
    policy = facts.result.policy
    at = None if policy is None else compared_rule(policy)
    if policy is None or at is None:
        return None
    gains, key, told = Gains(facts, policy.aim), path("policy", "policies", at, "beyond"), policy.policies[at].beyond
    single, above = single_arm(facts, policy), _above(policy.policies[at])
    if policy.targeting and above:
        size = Strong(pieces=(gains.point(key, told), gains.unit))
        claim = (*lowered(doing(facts, policy, at)), " gains ", size, " more than ", *single)
        return (*gains.opening(), *claim, *gains.ranged(key, told), ".")
    if told.low == told.high == 0:
        words = "choosing whom to contact by prediction comes to the same as "
        return (*gains.opening(), words, *single, ", and gains nothing more.")
    low, high = gains.ends(key, told, bare=False)
    if (told.high or 0.0) < 0:
        words = "choosing whom to contact by prediction gains less than "
        ends = (": the difference is from ", low, " to ", high, f"{gains.unit}.")
        return (*gains.opening(), words, *single, *ends)
    words = "choosing whom to contact by prediction is not shown to gain more than "
    tried = _TRIED if above else "."
    return (*gains.opening(), words, *single, "; the difference could be from ", low, " to ", high, gains.unit, tried)


def _above(rule: PolicyWorth) -> bool:
    """Return whether the whole range of a rule lies above the best single arm."""
    return (rule.beyond.low or 0.0) > 0


def is_limited(policy: PolicyResult) -> bool:
    """Return whether budget or capacity don't reach for everybody."""
    return any(rule.name == "limited" for rule in policy.policies)


def single_arm(facts: Facts, policy: PolicyResult) -> Sentence:
    """Return `giving everybody “Agent calls”`: the best single arm, by name where nearly every turn chose the same.

    Where budget or capacity don't reach for everybody, it goes by lot to as many as they allow.
    """
    at = place_of(policy, "best_arm")
    shares = {} if at is None else {arm: policy.policies[at].share.get(arm, 0.0) for arm in facts.treated_arms}
    contacted = sum(shares.values())
    if at is not None and contacted == 0:
        return _NO_CONTACT
    same = [arm for arm, share in shares.items() if share >= _SAME * contacted]
    arm: Sentence = ("“", facts.arm(same[0]), "”") if same else ("the best single arm",)
    if is_limited(policy):
        return ("giving ", *arm, " by lot to as many as budget and capacity allow")
    return ("giving everybody ", *arm)


def doing(facts: Facts, policy: PolicyResult, at: int) -> Sentence:
    """Return what a rule does, as the beginning of a sentence."""
    rule = policy.policies[at]
    if rule.name.startswith(EVERYBODY):
        return ("Giving everybody “", facts.arm(rule.name.removeprefix(EVERYBODY)), "”")
    if rule.name == "best_arm":
        return _raised(single_arm(facts, policy))
    known = _DOING.get(rule.name)
    return (known,) if known else ("The rule “", facts.quote(path("policy", "policies", at, "label")), "”")


def _raised(words: Sentence) -> Sentence:
    """Return words as the beginning of a sentence."""
    return (f"{str(words[0])[:1].upper()}{str(words[0])[1:]}", *words[1:])


def lowered(words: Sentence) -> Sentence:
    """Return the beginning of a sentence as its middle."""
    return (f"{str(words[0])[:1].lower()}{str(words[0])[1:]}", *words[1:])


def _against_others(facts: Facts, policy: PolicyResult) -> Iterator[Sentence]:
    """Yield what the recommended rule gains against nobody and the rule in use, whom it contacts, and in all."""
    at = place_of(policy, policy.recommended)
    if policy.recommended == "nobody":
        yield _nobody(facts, policy)
    elif at is not None:
        yield _recommended(facts, policy, at)
        if policy.recommended == "tree" and policy.rules:
            yield _leaves(facts, policy)
        if policy.population is not None:
            yield _rolled_out(facts, policy, at)
        if policy.break_even_budget is not None and policy.recommended in {"value", "limited"}:
            yield break_even_sentence(facts)
        yield from _stopped(facts, policy.policies[at])
    yield from _in_use(facts, policy)


def _leaves(facts: Facts, policy: PolicyResult) -> Sentence:
    """Return the readable rules, one after another."""
    parts: list[Piece] = []
    for at, rule in enumerate(policy.rules):
        key = path("policy", "rules", at)
        share = facts.number(derived("percent", f"{key}.share"), percent())
        where = facts.quote(f"{key}.condition", clip=CLIP)
        parts += [*(["; "] if parts else []), "“", facts.arm(rule.arm), "” where ", where, " (", share, ")"]
    return ("Its rules: ", *parts, ".")


def break_even_sentence(facts: Facts) -> Sentence:
    """Return the budget beyond which nobody is left who seems to gain."""
    key = "policy.break_even_budget"
    value = facts.number(key).value
    place = place_for(value) if value else 0
    budget = facts.number(key, money(facts.currency, place) if in_money(facts) else Style(place=place))
    unit = "" if in_money(facts) else " contacts"
    return ("Beyond a budget of ", budget, f"{unit} per {facts.people.one}, a larger one is not expected to gain more.")


def _stopped(facts: Facts, rule: PolicyWorth) -> Iterator[Sentence]:
    """Yield which arms of a rule are to be stopped for everybody, and why: its gains don't make up for harm."""
    for name, arm in facts.result.arms.items():
        if arm.verdict == "stop" and rule.share.get(name, 0.0) > 0:
            reason = facts.quote(path("arms", name, "reason"))
            yield sentence(
                "The recommended rule contacts with “",
                facts.arm(name),
                "”, whose verdict for everybody is STOP: ",
                reason,
            )


def _nobody(facts: Facts, policy: PolicyResult) -> Sentence:
    """Return that nobody is to be contacted by this comparison: not even the best single arm is shown to gain."""
    at = place_of(policy, "best_arm")
    single, goes_ahead = single_arm(facts, policy), facts.result.verdict in _GOES_AHEAD
    advice = "by this alone, nobody would be contacted" if goes_ahead else "recommended is to contact nobody"
    if at is None or single == _NO_CONTACT:
        return (f"No arm seems to gain anything: {advice}.",)
    gains, key, told = Gains(facts, policy.aim), path("policy", "policies", at, "gain"), policy.policies[at].gain
    if not spans(told) or (told.low or 0.0) > 0:
        return (f"{advice[:1].upper()}{advice[1:]}.",)
    low, high = gains.ends(key, told, bare=False)
    ends = (" (from ", low, " to ", high, f"{gains.unit}): until it is, {advice} outside a test.")
    return (*_raised(single), " is not shown to gain anything", *ends)


def _recommended(facts: Facts, policy: PolicyResult, at: int) -> Sentence:
    gains, rule, key = Gains(facts, policy.aim), policy.policies[at], path("policy", "policies", at)
    who: Sentence = (
        ("It",) if policy.targeting and at == compared_rule(policy) and _above(rule) else doing(facts, policy, at)
    )
    parts: list[Piece] = [*who, " gains ", gains.point(f"{key}.gain", rule.gain)]
    parts += [gains.unit, *gains.ranged(f"{key}.gain", rule.gain), " against contacting nobody"]
    if spans(rule.over_current) and rule.name != "current_rule":
        parts += [", and ", gains.point(f"{key}.over_current", rule.over_current)]
        parts += [*gains.ranged(f"{key}.over_current", rule.over_current), " against the rule in use"]
    return (*parts, *contacts(facts, key, rule), ".")


def contacts(facts: Facts, key: str, rule: PolicyWorth) -> Sentence:
    """Return `; it contacts 43 % with “Agent calls”`, arm by arm."""
    arms = [arm for arm in facts.treated_arms if rule.share.get(arm, 0.0) > 0]
    whole = len(arms) == 1 and rule.share[arms[0]] >= _SAME
    if not arms or (whole and rule.name.startswith((EVERYBODY, "best_arm"))):
        return ()
    parts: list[Piece] = []
    for arm in arms:
        share = facts.number(derived("percent", f"{key}.{path('share', arm)}"), percent())
        parts += [*([", "] if parts else []), share, " with “", facts.arm(arm), "”"]
    return ("; it contacts ", *parts)


def _rolled_out(facts: Facts, policy: PolicyResult, at: int) -> Sentence:
    gains, rule, key = Gains(facts, policy.aim), policy.policies[at], path("policy", "policies", at)
    may: Sentence = ()
    if policy.eligible < 1:
        may = (", of whom ", facts.number(derived("percent", "policy.eligible"), percent()), " may be contacted,")
    opening: Sentence = ("Over the ", facts.number("policy.population"), f" {facts.people.many} of the roll-out", *may)
    total = (*opening, " that is ", *gains.over(f"{key}.gain", rule.gain), " against contacting nobody")
    if not policy.targeting or not spans(rule.beyond):
        return (*total, ".")
    others: Sentence = ("by lot",) if is_limited(policy) else single_arm(facts, policy)
    return (*total, ", and ", *gains.over(f"{key}.beyond", rule.beyond), " more than ", *others, ".")


def _in_use(facts: Facts, policy: PolicyResult) -> Iterator[Sentence]:
    at = place_of(policy, "current_rule")
    if at is None or policy.recommended == "current_rule":
        return
    gains, rule, key = Gains(facts, policy.aim), policy.policies[at], path("policy", "policies", at)
    name: Sentence = ()
    if (facts.result.plan.get("policy") or {}).get("current_rule"):
        name = (" (“", facts.quote("plan.policy.current_rule"), "”)")
    told = (gains.point(f"{key}.gain", rule.gain), gains.unit, *gains.ranged(f"{key}.gain", rule.gain))
    yield ("The rule in use", *name, " gains ", *told, " against contacting nobody", *contacts(facts, key, rule), ".")


def protected_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield, per protected column, whom the recommended rule contacts most and least, where the two differ."""
    policy = told_policy(facts)
    told = [] if policy is None else [(at, one) for at, one in enumerate(policy.protected) if one.contacted is not None]
    for column in dict.fromkeys(one.column for _, one in told):
        rates = sorted((one.contacted or 0.0, at) for at, one in told if one.column == column)
        least, most = (_level(facts, at) for at in (rates[0][1], rates[-1][1]))
        if least[1].text != most[1].text:
            far = rates[0][0] < _FOUR_FIFTHS * rates[-1][0]
            name: Sentence = ("“", facts.quote(path("policy", "protected", rates[0][1], "column")), "”: ")
            opening = "does not contact all alike by " if far else "contacts about alike by "
            who: Sentence = (most[1], " of “", most[0], "”, ", least[1], " of “", least[0], "”.")
            yield ("The recommended rule ", opening, *name, *who)


def _level(facts: Facts, at: int) -> tuple[Piece, Number]:
    key = path("policy", "protected", at)
    return facts.quote(f"{key}.level", clip=48), facts.number(derived("percent", f"{key}.contacted"), percent())


def _ground(facts: Facts) -> Sentence:
    """Return on whom it was judged, and that it is no test where nobody tossed a coin."""
    held = (f"Every rule was judged on {facts.people.many} whom it had not learned from",)
    number: Sentence = (" (", facts.number("policy.judged"), ")") if facts.has("policy.judged") else ()
    if facts.observational:
        return (*held, *number, ", by comparing similar ones: it was ", Strong(pieces=("not",)), " a randomised test.")
    return (*held, *number, ".")


def _of_everybody(facts: Facts) -> Sentence:
    """Return that gains are of others than effects are of, where nobody tossed a coin."""
    opening = f"What rules, groups and cells gain is of all {facts.people.many} who may be contacted, and not only of"
    close = " whom the averages above are of; the two need not agree."
    return (opening, " those", *whom(facts), ",", close)
