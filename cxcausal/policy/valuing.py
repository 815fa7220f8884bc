"""Every rule learned on one side of each turn and valued on the other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.held_out import HeldOut
from cxcausal.core.registry import Registry
from cxcausal.core.rows import Floats
from cxcausal.core.whom import PolicyWorth, Told
from cxcausal.policy.seen import Chooser, Policy, Seen, Setting
from cxcausal.policy.worth import Judging
from cxcausal.stats.multiplicity import holm

RULES, LIMITED_RULES = ("value", "tree"), ("limited",)
"""Those that may be recommended over the best single arm; where means are scarce, only what keeps within them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """One turn as rules see it."""

    learned: Seen
    judged: Seen


@dataclass(frozen=True, kw_only=True, eq=False)
class Valued:
    """A rule after all turns.

    Attributes:
        policy: the rule. choosers: as learned in each turn. gains: what each judged customer's scores say it gains
            against the control, shape (m,). share: of judged customers whom each arm gets, shape (arms,).
    """

    policy: Policy
    choosers: tuple[Chooser, ...]
    gains: Floats
    share: Floats


def sides_of(held: HeldOut, setting: Setting) -> tuple[Sides, ...]:
    """Return the turns as rules see them."""
    return tuple(Sides(learned=setting.seen(turn.learned), judged=setting.seen(turn.judged)) for turn in held.turns)


def policies_of(setting: Setting, labels: Mapping[str, str]) -> tuple[Policy, ...]:
    """Return every registered rule that the plan has what it needs for, in the registry's order."""
    registry = Registry(kind="policies")
    return tuple(policy for name in registry.names() for policy in registry.load(name).of(setting, labels))


def valued(policy: Policy, sides: tuple[Sides, ...]) -> Valued:
    """Return a rule's gains on customers that it did not learn from."""
    choosers = tuple(policy.learn(turn.learned) for turn in sides)
    return of_choosers(policy, choosers, sides)


def of_choosers(policy: Policy, choosers: tuple[Chooser, ...], sides: tuple[Sides, ...]) -> Valued:
    """Return the gains of rules that were learned already, one per turn."""
    gains, shares, weights = [], [], []
    for chooser, turn in zip(choosers, sides, strict=True):
        chances = chooser.shares(turn.judged)
        gains.append(np.einsum("ia,ia->i", chances, turn.judged.effects))
        shares.append(turn.judged.weight @ chances)
        weights.append(turn.judged.weight.sum())
    share = np.sum(shares, axis=0) / np.sum(weights)
    return Valued(policy=policy, choosers=choosers, gains=np.concatenate(gains), share=share)


def worth_of(found: tuple[Valued, ...], judging: Judging, setting: Setting, alpha: float) -> tuple[PolicyWorth, ...]:
    """Return what each rule is worth: against nobody, the best single arm, and the rule in use."""
    gains = {each.policy.name: each.gains for each in found}
    best, current = gains["best_arm"], gains.get("current_rule")
    worths = []
    for each in found:
        rivals = [best] if current is None else [best, current]
        gain, beyond, *over = judging.told(
            np.column_stack([each.gains, *(each.gains - rival for rival in rivals)]), alpha
        )
        worth = PolicyWorth(name=each.policy.name, label=each.policy.label, gain=gain, beyond=beyond)
        share = {arm: float(s) for arm, s in zip(setting.rows.arms[1:], each.share[1:], strict=True)}
        cost = float(each.share @ setting.spending.cost)
        worths.append(replace(worth, share=share, cost=cost, over_current=(*over, Told())[0]))
    barred = frozenset(setting.rows.arms[place] for place in setting.rules.left_out)
    most = max(_gain(worth) for worth in worths if not gives(worth, barred))
    return tuple(worth if gives(worth, barred) else replace(worth, regret=most - _gain(worth)) for worth in worths)


def gives(worth: PolicyWorth, arms: Collection[str]) -> bool:
    """Return whether a rule gives anybody one of some arms.

    Example:
        >>> gives(PolicyWorth(name="everybody:bot", label="", share={"bot": 1.0, "call": 0.0}), {"bot"})
        True
    """
    return any(worth.share.get(arm, 0.0) > 0 for arm in arms)


def recommended(worths: tuple[PolicyWorth, ...], alpha: float, barred: Collection[str] = ()) -> tuple[str, bool]:
    """Return the name of the rule to follow, and whether choosing whom to contact is shown to gain.

    A rule is followed over the best single arm only where its gain beyond that is above zero after Holm's correction
    for the rules compared, and no single arm for everybody was seen to gain as much. Of several the first is, by
    prediction before by readable rules; not the one that happens to look best. Else the best single arm, where that is
    reliably better than contacting nobody. Else the first of those rules that is, after the same correction: whoever
    gains by it would lose by contacting nobody. Nobody is contacted where none of these is shown to gain.

    Args:
        worths: of every rule.
        alpha: error level.
        barred: arms that nobody may be given; rules that give one are not looked at.
    """
    by_name = {worth.name: worth for worth in worths if not gives(worth, barred)}
    limited = "limited" in by_name
    candidates = [by_name[name] for name in (LIMITED_RULES if limited else RULES) if name in by_name]
    tested = holm([1.0 if worth.beyond.p is None else worth.beyond.p for worth in candidates], alpha)
    # A single arm that turns did not choose may have gained more; with limits not everybody can have it.
    singles = [_gain(worth) for name, worth in by_name.items() if name.startswith("everybody:") and not limited]
    least = max([0.0, *singles])
    for worth, rejected in zip(candidates, tested.rejected, strict=True):
        if rejected and (worth.beyond.point or 0.0) > 0 and _gain(worth) > least:
            return worth.name, True
    if (by_name["best_arm"].gain.low or 0.0) > 0:
        return "best_arm", False
    against = holm([1.0 if worth.gain.p is None else worth.gain.p for worth in candidates], alpha)
    gaining = zip(candidates, against.rejected, strict=True)
    return next((worth.name for worth, shown in gaining if shown and _gain(worth) > least), "nobody"), False


def _gain(worth: PolicyWorth) -> float:
    return worth.gain.point or 0.0
