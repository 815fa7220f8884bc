"""Whom to contact in two runs: the recommended rule, what every rule gains, and whom contact harms."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cxcausal.core.compared import Interval
from cxcausal.core.people import people_of
from cxcausal.core.stored import record_from
from cxcausal.core.whom import GroupEffect, PolicyResult, PolicyWorth, Told
from cxcausal.core.whom_pairs import RulePair, WhomPair, WhomSide
from cxcausal.core.wording import listed, number
from cxcausal.reviewing.pairing import difference_interval

Results = Mapping[str, Any]
_THOUSAND = 1000
_SHARE = "share of "
_OTHER_AIM = "the runs value rules by another aim"


def whom_pair(first: Results, second: Results) -> WhomPair | None:
    """Return whom to contact by two results; None where neither has a policy.

    Behind a failed gate, and before an experiment may be read, a run recommends nobody and nothing.

    Args:
        first: the object of `run --json` of the earlier run.
        second: that of the later one.
    """
    policies = [_policy(results) for results in (first, second)]
    known = [policy for policy in policies if policy is not None]
    if not known:
        return None
    sides = [_side(results, policy) for results, policy in zip((first, second), policies, strict=True)]
    told = [policy if side.reason is None else None for side, policy in zip(sides, policies, strict=True)]
    both = all(side.reason is None for side in sides)
    gone, new = (tuple(name for name in mine.harmed if name not in other.harmed)
                 for mine, other in ((sides[0], sides[1]), (sides[1], sides[0])))  # fmt: skip
    pair = WhomPair(
        aim=known[-1].aim,
        unit=known[-1].unit,
        first=sides[0],
        second=sides[1],
        changed=both and sides[0].recommended != sides[1].recommended,
        rules=tuple(_rules(*told)),
        no_longer_harmed=gone if both else (),
        newly_harmed=new if both else (),
    )
    return replace(pair, sentence=_sentence(pair, people_of(second["plan"]).many))


def _policy(results: Results) -> PolicyResult | None:
    found = results.get("policy")
    return None if found is None else record_from(PolicyResult, found)


def _side(results: Results, policy: PolicyResult | None) -> WhomSide:
    """Return what a run says, or why it says nothing."""
    if policy is None:
        return WhomSide(reason="the run was not asked")
    if results["verdict"] == "no_decision":
        return WhomSide(reason="withheld with the verdict")
    if (results.get("reading") or {}).get("waiting") is not None:
        return WhomSide(reason="nothing is told before the experiment may be read")
    if policy.status != "ok" or policy.recommended is None:
        return WhomSide(reason=policy.reason or "no rule was recommended")
    labels = {worth.name: worth.label for worth in policy.policies}
    arms = results["plan"]["design"]["treatment"].get("arms") or {}
    harmed = (
        f"{_name(group)} (with “{(arms.get(group.arm) or {}).get('label') or group.arm}”)"
        for group in policy.groups
        if group.harmed
    )
    return WhomSide(
        recommended=policy.recommended,
        label=labels.get(policy.recommended, policy.recommended),
        targeting=policy.targeting,
        harmed=tuple(dict.fromkeys(harmed)),
    )


def _name(group: GroupEffect) -> str:
    """Return a group's name in words: a segment's as those of leaves are."""
    return group.name.replace(": ", " is ", 1) if group.declared else group.name


def _rules(first: PolicyResult | None, second: PolicyResult | None) -> Iterator[RulePair]:
    """Yield every rule that either run valued, but for contacting nobody, of which every gain is counted."""
    mine, other = ({} if one is None else {worth.name: worth for worth in one.policies} for one in (first, second))
    alike = first is not None and second is not None and (first.aim, first.unit) == (second.aim, second.unit)
    level = max((one.level for one in (first, second) if one is not None), default=0.0)
    for name in dict.fromkeys((*mine, *other)):
        if name != "nobody":
            yield _rule(mine.get(name), other.get(name), level if alike else None)


def _rule(first: PolicyWorth | None, second: PolicyWorth | None, level: float | None) -> RulePair:
    worth = next(one for one in (second, first) if one is not None)
    gains = [Told() if one is None or one.status != "ok" else one.gain for one in (first, second)]
    pair = RulePair(name=worth.name, label=worth.label, first=gains[0], second=gains[1])
    before, after = (gain.point for gain in gains)
    if first is None or second is None:
        return replace(pair, reason="only one of the runs has it")
    if before is None or after is None:
        return replace(pair, reason=first.reason or second.reason or "one of the runs has no gain for it")
    if level is None:
        return replace(pair, reason=_OTHER_AIM)
    told = replace(pair, difference=after - before)
    mine, other = (Interval(point=gain.point, se=gain.se) for gain in gains)
    found = difference_interval(mine, other, level)
    if found is None:
        return replace(told, reason="one of the runs has no standard error for it")
    return replace(told, low=found[0], high=found[1], beyond=found[0] > 0 or found[1] < 0)


def _sentence(pair: WhomPair, people: str) -> str:
    """Return which rule was and is recommended, what it gains, and whose harm is told by one run alone."""
    first, second = pair.first, pair.second
    if first.reason is not None and second.reason is not None:
        return f"Whom to contact is told by neither run: {second.reason}."
    if first.reason is not None or second.reason is not None:
        only, why = ("this one", first.reason) if first.reason is not None else ("the earlier one", second.reason)
        return f"Whom to contact is told by one run alone, {only}; of the other: {why}."
    opening = "Whom to contact is the same"
    if pair.changed:
        opening = f"Whom to contact is another answer: “{first.label}” before, “{second.label}” now"
    parts = [f"{opening}{_gains(pair, people)}."]
    if first.targeting != second.targeting:
        parts.append(f"A gain from targeting is {'now' if second.targeting else 'no longer'} shown.")
    if pair.newly_harmed:
        parts.append(f"Newly found to be harmed: {listed(pair.newly_harmed)}.")
    if pair.no_longer_harmed:
        parts.append(f"No longer found to be harmed: {listed(pair.no_longer_harmed)}.")
    return " ".join(parts)


def _gains(pair: WhomPair, people: str) -> str:
    """Return from what to what the gain of the recommended rule went."""
    rules = {rule.name: rule for rule in pair.rules}
    before, after = rules.get(str(pair.first.recommended)), rules.get(str(pair.second.recommended))
    gains = (0.0 if before is None else before.first.point, 0.0 if after is None else after.second.point)
    if any(rule is not None and rule.reason == _OTHER_AIM for rule in (before, after)) or None in gains:
        return ""
    was, now = (_amount(value or 0.0, pair) for value in gains)
    size = f", gaining {was} before and {now} now" + _counted(pair, people)
    same = before if pair.first.recommended == pair.second.recommended else None
    chance = {True: ", more than chance explains", False: ", which chance explains", None: ""}
    return size + chance[None if same is None else same.beyond]


def _amount(value: float, pair: WhomPair) -> str:
    money = pair.aim == "net_value"
    size = value * _THOUSAND if money or pair.unit.startswith(_SHARE) else value
    return f"{pair.unit} {number(size)}" if money else number(size)


def _counted(pair: WhomPair, people: str) -> str:
    if pair.aim == "net_value" or pair.unit.startswith(_SHARE):
        return f" per 1,000 {people} against contacting nobody"
    return f" ({pair.unit}) against contacting nobody"
