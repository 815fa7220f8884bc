"""The situations that the report must find the right words for, by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cxcausal.core.results import RunResult
from tests.report import worlds, worlds_email, worlds_rich
from tests.report.worlds import CHURN, CSAT, MARGIN, Case, one_arm, outreach, verdict, with_rows
from tests.report.worlds_plan import plan as plan_of_outreach

FLAT = replace(CHURN, point=-0.0008, se=0.0018, level=0.95)
SMALL = replace(CHURN, point=-0.0060, se=0.0029, level=0.95)
SMALLER = replace(CHURN, point=-0.0030, se=0.0012, level=0.95)


def plan_with(**change: Any) -> dict[str, Any]:
    """Return the plan with some blocks replaced."""
    return {**plan_of_outreach(), **change}


def hold_may_not_pay() -> RunResult:
    reason = "It works, but it may not pay: the range of net value spans zero."
    result = verdict(one_arm(outreach()), "hold", reason)
    assert result.value is not None
    money = replace(result.value, arms=(worlds.arm_value("gig", (2.90, 1.94, -3.4), 1.98, break_even=0.0081),))
    return replace(result, value=money)


def stop_harmed() -> RunResult:
    reason = "Customers who leave within 90 days rose by 12 in 1,000."
    return verdict(with_rows(one_arm(outreach()), churn_90d=replace(CHURN, point=0.0121)), "stop", reason)


def stop_not_worthwhile() -> RunResult:
    reason = "The whole range lies below the smallest effect worth acting on."
    return verdict(with_rows(one_arm(outreach()), churn_90d=FLAT), "stop", reason)


def stop_too_small() -> RunResult:
    reason = "The whole range lies below the smallest effect worth acting on."
    return verdict(with_rows(one_arm(outreach()), churn_90d=SMALLER), "stop", reason)


def null_without() -> RunResult:
    reason = "We cannot tell yet."
    return verdict(with_rows(one_arm(outreach()), churn_90d=replace(CHURN, point=-0.004)), "hold", reason)


def guardrail_open() -> RunResult:
    complaint = replace(worlds.COMPLAINT, point=0.0012, se=0.0009)
    return verdict(with_rows(one_arm(outreach()), complaint_30d=complaint), "hold", "A guardrail is still open.")


def guardrail_beyond() -> RunResult:
    complaint = replace(worlds.COMPLAINT, point=0.0052, se=0.0009)
    minutes = replace(worlds.MINUTES, point=2.9, se=0.3)
    result = with_rows(one_arm(outreach()), complaint_30d=complaint, handle_minutes_30d=minutes)
    return verdict(result, "stop", "A guardrail is beyond its limit.")


def guardrail_better() -> RunResult:
    complaint = replace(worlds.COMPLAINT, point=-0.0031, se=0.0009)
    return with_rows(one_arm(outreach()), complaint_30d=complaint, csat=replace(CSAT, point=0.09))


def conflict() -> RunResult:
    return with_rows(one_arm(outreach()), margin_90d=replace(MARGIN, point=-2.4))


def money_unknown() -> RunResult:
    return replace(one_arm(outreach()), value=None)


def money_not_computed() -> RunResult:
    result = one_arm(outreach())
    assert result.value is not None
    arm = replace(result.value.arms[0], net_total={}, status="not_computed", reason="margin_90d has no values")
    return replace(result, value=replace(result.value, arms=(arm,)))


def not_computed() -> RunResult:
    result = one_arm(outreach())
    missing = worlds.not_computed("csat", "guardrail", "gig", "nobody in the call arm answered")
    rows = tuple(missing if row.metric == "csat" else row for row in result.effects)
    return verdict(replace(result, effects=rows), "hold", "A guardrail was not computed.")


def main_not_computed() -> RunResult:
    result = one_arm(outreach())
    missing = worlds.not_computed("churn_90d", "success", "gig", "the outcome does not vary")
    rows = (missing, *(row for row in result.effects if row.metric != "churn_90d"))
    return verdict(replace(result, effects=rows), "hold", "The success metric was not computed.")


def agent_stops() -> RunResult:
    result = outreach()
    arms = {
        **result.arms,
        "agent": replace(result.arms["agent"], verdict="stop", reason="It costs more than it brings."),
    }
    return replace(result, arms=arms)


def mean_only() -> RunResult:
    """A success metric that is a mean, and no segments."""
    result = one_arm(outreach())
    metrics = plan_of_outreach()["metrics"]
    plan = plan_with(metrics={**metrics, "success": metrics["secondary"][:1], "secondary": []}, segments=[])
    plan["design"] = result.plan["design"]
    case = Case(metric="margin_90d", role="success", control=41.3, point=1.94, se=0.83, unit="per customer")
    guards = tuple(row for row in result.effects if row.role == "guardrail")
    return replace(result, plan=plan, effects=(worlds.estimate(case, "gig"), *guards))


SITUATIONS: Mapping[str, Callable[[], RunResult]] = {
    "ship_of_several_arms": outreach,
    "ship_of_one_arm": lambda: one_arm(outreach()),
    "an_arm_stops": agent_stops,
    "hold_may_not_pay": hold_may_not_pay,
    "stop_harmed": stop_harmed,
    "stop_not_worthwhile": stop_not_worthwhile,
    "stop_too_small": stop_too_small,
    "null_without_information": null_without,
    "guardrail_open": guardrail_open,
    "guardrail_beyond": guardrail_beyond,
    "guardrail_better": guardrail_better,
    "conflict": conflict,
    "money_unknown": money_unknown,
    "money_not_computed": money_not_computed,
    "guardrail_not_computed": not_computed,
    "success_not_computed": main_not_computed,
    "mean_only": mean_only,
    "pilot_by_cap": worlds_email.email,
    "rich_hold_at_a_look": worlds_rich.rich,
    "wide_range": worlds_rich.wide,
    "no_decision": worlds.failed_gate,
}
