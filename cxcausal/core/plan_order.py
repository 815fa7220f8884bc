"""The plan's order of arms in a stored result, whose JSON has its keys sorted: the control, then as the effects are."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TypeVar

from cxcausal.core.results import DataFacts, RunResult

T = TypeVar("T")
_BY_ARM = tuple(item.name for item in fields(DataFacts) if item.name.endswith("_by_arm"))


def in_plan_order(result: RunResult) -> RunResult:
    """Return a result that was read from JSON with its arms in the plan's order.

    Effects, and what arms are worth, are lists, which JSON keeps as the run made them: in the plan's order. An arm that
    neither of them has comes last.
    """
    treatment = result.plan["design"]["treatment"]
    control = str(treatment["control"])
    worths = result.value.arms if result.value is not None else ()
    rows = (*result.effects, *worths)
    order = (control, *(row.arm for row in rows if row.control == control))
    arms = {**treatment, "arms": sorted_as(order, treatment.get("arms") or {})}
    plan = {**result.plan, "design": {**result.plan["design"], "treatment": arms}}
    counts = {name: sorted_as(order, getattr(result.data, name)) for name in _BY_ARM}
    return replace(result, plan=plan, arms=sorted_as(order, result.arms), data=replace(result.data, **counts))


def sorted_as(order: Iterable[str], by_arm: Mapping[str, T]) -> dict[str, T]:
    """Return a map by arm in an order; arms that are not part of it come last.

    Example:
        >>> sorted_as(["none", "gig", "agent"], {"agent": 1, "bot": 2, "gig": 3, "none": 4})
        {'none': 4, 'gig': 3, 'agent': 1, 'bot': 2}
    """
    known = [arm for arm in dict.fromkeys(order) if arm in by_arm]
    return {arm: by_arm[arm] for arm in dict.fromkeys((*known, *by_arm))}
