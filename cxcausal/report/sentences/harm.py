"""Whom contact harms: groups by name and share, and between which bounds single customers."""

from collections.abc import Iterator

from cxcausal.core.whom import GroupEffect, PolicyResult
from cxcausal.report.facts import CLIP, Facts
from cxcausal.report.gains import Gains, spans
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import percent
from cxcausal.report.sentences.targeting import told_policy
from cxcausal.report.text import Number, Piece, Sentence, Strong


def harmed_by_prediction(facts: Facts, known: frozenset[tuple[str, str]]) -> Iterator[Sentence]:
    """Yield every group that an arm reliably harms, by name and share; of money, on which it reliably loses.

    Args:
        facts: the result.
        known: (group, arm) that another sentence names already.
    """
    policy = told_policy(facts)
    if policy is None:
        return
    found = [(at, group) for at, group in _harmed(policy) if (segment_name(group), group.arm) not in known]
    for name in dict.fromkeys((group.name, group.declared) for _, group in found):
        same = [(at, group) for at, group in found if (group.name, group.declared) == name]
        name_of, share = _group(facts, same[0][0])
        losses: list[Piece] = []
        for at, group in same:
            losses += [*([", "] if losses else []), *_loss(facts, policy, at, group)]
        late = () if same[0][1].declared else (" The data named this group, not the plan.",)
        word = "Loses money: " if all(loses_money(facts, group) for _, group in same) else "Harmed: "
        opening = (Strong(pieces=(word, *name_of)), " (", share, f" of these {facts.people.many}) ")
        yield (*opening, *losses, ".", *late)


def _loss(facts: Facts, policy: PolicyResult, at: int, group: GroupEffect) -> Sentence:
    gains, key = Gains(facts, policy.aim), path("policy", "groups", at, "gain")
    size: Sentence = (gains.point(key, group.gain), gains.unit, *gains.ranged(key, group.gain))
    return ("with “", facts.arm(group.arm), "”: ", *size)


def loses_money(facts: Facts, group: GroupEffect) -> bool:
    """Return whether a loss may be the cost of contact alone: the group itself need not fare worse."""
    policy = facts.result.policy
    if policy is None or Gains(facts, policy.aim).metric is not None:
        return False
    arms = facts.result.plan["design"]["treatment"].get("arms") or {}
    costs = [(arms.get(arm) or {}).get("unit_cost") or 0.0 for arm in (group.arm, facts.control)]
    return (group.gain.high or 0.0) + costs[0] - costs[1] >= 0


def harmed_by_lead(facts: Facts, known: frozenset[str], *, money: bool) -> list[Sentence]:
    """Return the groups that the arm of page one harms and that are not known yet, each with its share.

    Args:
        facts: the result.
        known: what another sentence names already.
        money: return instead those on which the arm loses no more than it may cost.
    """
    policy = told_policy(facts)
    found = [] if policy is None else _harmed(policy)
    found = [(at, group) for at, group in found if loses_money(facts, group) is money]
    places = {group.name: at for at, group in found if group.arm == facts.lead and segment_name(group) not in known}
    told = (_group(facts, at) for at in places.values())
    return [(*name, " (", share, f" of these {facts.people.many})") for name, share in told]


def segment_name(group: GroupEffect) -> str:
    """Return a declared group's name as rows of effects have it: `tier=premium` of `tier: premium`.

    Example:
        >>> from cxcausal.core.whom import Told
        >>> segment_name(GroupEffect(name="tier: missing", arm="a", n=9, share=0.1, gain=Told(), declared=True))
        'tier='
    """
    column, colon, value = group.name.partition(": ")
    if not group.declared or not colon:
        return group.name
    return f"{column}={'' if value == 'missing' else value}"


def _harmed(policy: PolicyResult) -> list[tuple[int, GroupEffect]]:
    groups = enumerate(policy.groups if policy.status == "ok" else ())
    return [(at, group) for at, group in groups if group.harmed and spans(group.gain)]


def group_name(facts: Facts, at: int) -> Sentence:
    """Return the name of a group of the policy in words: a segment's as `tier is premium`, as those of leaves are."""
    policy, key = facts.result.policy, path("policy", "groups", at, "name")
    if policy is not None and policy.groups[at].declared:
        return facts.group(key, ": ", clip=CLIP)
    return (facts.quote(key, clip=CLIP),)


def _group(facts: Facts, at: int) -> tuple[Sentence, Number]:
    share = facts.number(derived("percent", path("policy", "groups", at, "share")), percent())
    return group_name(facts, at), share


def individual_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield between which bounds customers may be worse off one by one, with the arm of page one."""
    policy = told_policy(facts)
    if policy is None:
        return
    for at, harm in enumerate(policy.harm):
        metric = next((one for one in facts.metrics if one.name == harm.metric), None)
        bounds = (harm.lowest, harm.highest)
        if metric is None or harm.arm != facts.lead or harm.status != "ok" or None in bounds:
            continue
        key = path("policy", "harm", at)
        low, high = (facts.number(derived("per_thousand", f"{key}.{end}")) for end in ("lowest", "highest"))
        yield (
            *("Who is worse off one by one: averages cannot tell who would have done the same anyway. With “",),
            *(
                facts.arm(harm.arm),
                "” between ",
                low,
                " and ",
                high,
                f" {facts.people.many} in 1,000 come out worse in “",
            ),
            *(facts.label(metric), "” than they would without", *_limits(facts, key, harm.lowest_limit), "."),
        )


def _limits(facts: Facts, key: str, limit: float | None) -> Sentence:
    if limit is None or not facts.has(f"{key}.highest_limit"):
        return ()
    low, high = (facts.number(derived("per_thousand", f"{key}.{end}_limit")) for end in ("lowest", "highest"))
    return (" (with what chance leaves: ", low, " to ", high, ")")
