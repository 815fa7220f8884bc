"""The plan's order of arms in a stored result, whose JSON has its keys sorted: the control, then as the effects are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from cxcausal.core.results import RunResult

T = TypeVar("T")


def in_plan_order(result: RunResult) -> RunResult:
    """Return a result that was read from JSON with its arms in the plan's order.

    Effects, and what arms are worth, are lists, which JSON keeps as the run made them: in the plan's order. An arm that
    neither of them has comes last.
    """
    worths = result.value.arms if result.value is not None else ()
    told = [(row.arm, row.control) for row in result.effects] + [(worth.arm, worth.control) for worth in worths]
    order = order_of(result.plan, told)
    data = replace(
        result.data,
        enrolled_by_arm=sorted_as(order, result.data.enrolled_by_arm),
        immature_by_arm=sorted_as(order, result.data.immature_by_arm),
        analysed_by_arm=sorted_as(order, result.data.analysed_by_arm),
        assigned_by_arm=sorted_as(order, result.data.assigned_by_arm),
        unexposed_by_arm=sorted_as(order, result.data.unexposed_by_arm),
    )
    return replace(result, plan=with_arms_in(order, result.plan), arms=sorted_as(order, result.arms), data=data)


def order_of(plan: Mapping[str, Any], told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the control and then the arms in the order in which lists of a result tell of (arm, against what)."""
    control = str(plan["design"]["treatment"]["control"])
    return (control, *dict.fromkeys(arm for arm, against in told if against == control))


def with_arms_in(order: Iterable[str], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored plan with its arms in an order.

    Example:
        >>> plan = {"design": {"treatment": {"control": "none", "arms": {"call": {}, "none": {}}}}}
        >>> list(with_arms_in(["none", "call"], plan)["design"]["treatment"]["arms"])
        ['none', 'call']
    """
    treatment = plan["design"]["treatment"]
    arms = {**treatment, "arms": sorted_as(order, treatment.get("arms") or {})}
    return {**plan, "design": {**plan["design"], "treatment": arms}}


def sorted_as(order: Iterable[str], by_arm: Mapping[str, T]) -> dict[str, T]:
    """Return a map by arm in an order; arms that are not part of it come last.

    Example:
        >>> sorted_as(["none", "gig", "agent"], {"agent": 1, "bot": 2, "gig": 3, "none": 4})
        {'none': 4, 'gig': 3, 'agent': 1, 'bot': 2}
    """
    known = [arm for arm in dict.fromkeys(order) if arm in by_arm]
    return {arm: by_arm[arm] for arm in dict.fromkeys((*known, *by_arm))}
