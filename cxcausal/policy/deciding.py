"""Whom to contact, and what that is worth: every rule valued, the best recommended, and whom contact harms."""

from dataclasses import replace

import numpy as np

from cxcausal.core.held_out import HeldOut, Rules, Spending
from cxcausal.core.whom import GroupEffect, PolicyResult, PolicyWorth, ProtectedGroup
from cxcausal.policy.best_arm import is_limited
from cxcausal.policy.frontier import break_even, frontier_of
from cxcausal.policy.groups import declared_groups, discovered, group_effects
from cxcausal.policy.harm import harm_of
from cxcausal.policy.moments import map_of
from cxcausal.policy.protection import Judged, protected_groups
from cxcausal.policy.question import Question, everyone
from cxcausal.policy.seen import Setting
from cxcausal.policy.valuing import Sides, Valued, gives, policies_of, recommended, sides_of, valued, worth_of
from cxcausal.policy.worth import Judging

LEAST_JUDGED = 20
"""Customers of every arm on whom rules are judged; of fewer, nothing is told."""


def policy_of(held: HeldOut, spending: Spending, rules: Rules, question: Question) -> PolicyResult:
    """Return what rules for whom to contact are worth, each learned in turns and valued on the customers judged.

    The value of a learned rule is the mean over turns of the values of the rules that the turns learned.

    Args:
        held: turns of the aim: net value where the plan has money, else its first success metric.
        spending: costs, budget and capacities.
        rules: who may be contacted, and the rule in use.
        question: segments, protected columns, and what else the plan names.
    """
    setting = Setting.of(held, spending, rules, question.modifiers, seed=question.seed)
    sides = sides_of(held, setting)
    empty = PolicyResult(
        aim=held.aim.name,
        label=held.aim.label,
        unit=held.aim.unit,
        level=1 - question.alpha,
        priced=held.aim.costs,
        learned=sides[-1].learned.m if sides else 0,
        judged=sum(turn.judged.m for turn in sides),
        eligible=float(np.average(rules.eligible, weights=held.weight)),
        population=question.population,
    )
    few = _too_few(sides, held.arms)
    return _refused(empty, few) if few else _decided(held, setting, sides, question, empty)


def _decided(
    held: HeldOut, setting: Setting, sides: tuple[Sides, ...], question: Question, empty: PolicyResult
) -> PolicyResult:
    judging = Judging.of(setting.rows, setting.weight, [turn.judged.side.units for turn in sides])
    found = tuple(valued(policy, sides) for policy in policies_of(setting, question.labels))
    worths = worth_of(found, judging, setting, question.alpha)
    left_out = tuple(setting.rows.arms[place] for place in setting.rules.left_out)
    name, targeting = recommended(worths, question.alpha, left_out)
    everybody = everyone(held, setting.rules)
    leaves, groups = discovered(held, setting, question)
    declared = group_effects(
        list(declared_groups(question.segments, everybody)), everybody, setting, question.alpha / 2, declared=True
    )
    protected, untold = _protected(next(each for each in found if each.policy.name == name), sides, judging, question)
    return replace(
        empty,
        recommended=name,
        targeting=targeting,
        left_out=left_out,
        policies=worths,
        frontier=frontier_of(sides, judging, question.alpha),
        break_even_budget=_break_even(worths, sides),
        rules=leaves,
        groups=(*declared, *news_of(groups, declared)),
        harm=harm_of(question.success or held, setting.rules, question.alpha),
        protected=protected,
        moments=map_of(question.segments, everybody, setting, question.alpha),
        notes=(*_notes(worths, setting, name), *untold),
    )


def news_of(found: tuple[GroupEffect, ...], declared: tuple[GroupEffect, ...]) -> tuple[GroupEffect, ...]:
    """Return the groups found, without those of which the plan's own segments say the same.

    Example:
        >>> from cxcausal.core.whom import Told
        >>> told = GroupEffect(name="tier: gold", arm="call", n=9, share=0.1, gain=Told(), declared=True, harmed=True)
        >>> news_of((replace(told, name="tier is gold", declared=False),), (told,))
        ()
    """
    known = {(group.name.replace(": ", " is ", 1), group.arm, group.harmed, group.helped) for group in declared}
    return tuple(group for group in found if (group.name, group.arm, group.harmed, group.helped) not in known)


def _too_few(sides: tuple[Sides, ...], arms: tuple[str, ...]) -> str | None:
    """Return why nothing can be told, or None."""
    for turn in sides:
        for side in (turn.learned, turn.judged):
            counts = np.bincount(side.setting.rows.arm[side.side.units], minlength=len(arms))
            if counts.min() < LEAST_JUDGED:
                return f"a turn has fewer than {LEAST_JUDGED} of an arm to learn from or to judge"
    return None if sides else "there are no turns in which rules could be learned"


def _refused(empty: PolicyResult, why: str) -> PolicyResult:
    return replace(empty, status="not_computed", reason=why)


def _protected(
    chosen: Valued, sides: tuple[Sides, ...], judging: Judging, question: Question
) -> tuple[tuple[ProtectedGroup, ...], tuple[str, ...]]:
    if not question.protected:
        return (), ()
    chances = [chooser.shares(turn.judged) for chooser, turn in zip(chosen.choosers, sides, strict=True)]
    contacted = np.concatenate([1 - chance[:, 0] for chance in chances])
    units = np.concatenate([turn.judged.side.units for turn in sides])
    rule = Judged(contacted=contacted, gains=chosen.gains, judging=judging)
    return protected_groups(question.protected, units, rule, question.alpha)


def _break_even(worths: tuple[PolicyWorth, ...], sides: tuple[Sides, ...]) -> float | None:
    """Return the budget beyond which nobody seems to gain, where those who seem to are shown to."""
    value = next(worth for worth in worths if worth.name == "value")
    return break_even(sides) if (value.gain.low or 0.0) > 0 else None


def _of_today(worths: tuple[PolicyWorth, ...], left_out: list[str]) -> str:
    """Return what to do with a rule in use that gains reliably more than what is recommended."""
    today = next(worth for worth in worths if worth.name == "current_rule")
    more = "The rule in use today gains reliably more than what is recommended here"
    if gives(today, left_out):
        return f"{more}, but it gives arms that must be stopped for harm: it can't be kept as it is."
    return f"{more}: keep it."


def _notes(worths: tuple[PolicyWorth, ...], setting: Setting, name: str) -> tuple[str, ...]:
    notes = []
    if is_limited(setting):
        notes.append("Differences are taken from the best single arm for as many as budget and capacity allow.")
    chosen = next(worth for worth in worths if worth.name == name)
    if chosen.over_current.high is not None and chosen.over_current.high < 0:
        notes.append(_of_today(worths, [setting.rows.arms[place] for place in setting.rules.left_out]))
    return tuple(notes)
