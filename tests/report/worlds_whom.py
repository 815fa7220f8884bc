"""Made-up results that know who responds and whom to contact, for the outreach trial and for its observed sibling."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import NormalDist

from cxcausal.core.results import ReadingFacts, RunResult
from cxcausal.core.whom import (
    AimHeterogeneity,
    ArmHeterogeneity,
    Candidate,
    CurvePoint,
    Driver,
    FrontierPoint,
    GroupEffect,
    IndividualHarm,
    Moment,
    MomentMap,
    PolicyResult,
    PolicyWorth,
    PredictedGroup,
    ProtectedGroup,
    Rule,
    Told,
)
from tests.report import worlds, worlds_observed
from tests.report.worlds import failed_gate, outreach

Z = NormalDist().inv_cdf(0.975)
TIERS = ("basic", "plus", "premium")
INTENTS = ("billing", "complaint", "password_reset", "order_status")
_CELLS = {
    ("billing", "basic"): ("gig", 3.1, 0.8), ("billing", "plus"): ("agent", 7.4, 1.6),
    ("billing", "premium"): (None, 0.4, 2.1), ("complaint", "basic"): ("agent", 9.2, 1.9),
    ("complaint", "plus"): ("agent", 11.6, 2.4), ("complaint", "premium"): ("agent", 14.1, 3.3),
    ("password_reset", "basic"): ("none", -1.9, 0.5), ("password_reset", "plus"): (None, -0.6, 0.9),
    ("password_reset", "premium"): ("none", -4.1, 1.1), ("order_status", "basic"): (None, 0.2, 0.6),
    ("order_status", "plus"): (None, 0.8, 0.7),
}  # fmt: skip


def told(point: float, se: float, *, p: float | None = None) -> Told:
    """Return a number with a normal interval."""
    return Told(point=point, se=se, low=point - Z * se, high=point + Z * se, p=p)


def moments() -> MomentMap:
    """Return the map of intents and tiers; one cell was never seen, one is too small."""
    cells = [
        Moment(row=row, column=column, n=812, arm=arm, gains={"gig": told(x - 0.3, se), "agent": told(x, se)})
        for (row, column), (arm, x, se) in _CELLS.items()
    ]
    few = Moment(row="technical", column="basic", n=31, reason="too few customers to tell")
    return MomentMap(rows="intent", columns="tier", cells=(*cells, few), level=0.95)


def rules(scale: float, beyond: Told, recommended: float) -> tuple[PolicyWorth, ...]:
    """Return every rule: gains are multiplied by the scale, the rule by prediction gains what is recommended."""
    se = 0.4 * scale
    best = told(2.3 * scale, se)
    nothing = told(0.0, 0.0)
    return (
        PolicyWorth(name="nobody", label="Nobody", gain=Told(point=0.0), beyond=told(-2.3 * scale, se), cost=0.0),
        *(
            PolicyWorth(
                name=f"everybody:{arm}", label=f"Everybody: {arm}", gain=told(x * scale, se),
                beyond=told((x - 2.3) * scale, se), share={arm: 1.0}, cost=cost,
            )
            for arm, x, cost in (("bot", -0.5, 0.1), ("gig", 2.3, 2.54), ("agent", 0.3, 6.03))
        ),
        PolicyWorth(
            name="best_arm", label="The best single arm", gain=best, beyond=nothing, share={"none": 0.0, "gig": 1.0},
            cost=2.54,
        ),
        PolicyWorth(
            name="current_rule", label="The rule in use", gain=told(1.1 * scale, se), beyond=told(-1.2 * scale, se),
            share={"gig": 0.33}, cost=0.84, over_current=nothing, regret=3.1 * scale,
        ),
        PolicyWorth(
            name="value", label="By predicted value", gain=told(recommended * scale, se), beyond=beyond,
            over_current=told((recommended - 1.1) * scale, 1.1 * se), share={"none": 0.4, "gig": 0.41, "agent": 0.19},
            cost=2.19, regret=0.0,
        ),
        PolicyWorth(
            name="top_risk", label="Highest risk first", status="not_computed", reason="the plan names no risk",
        ),
        PolicyWorth(
            name="tree", label="Readable rules", gain=told(3.2 * scale, se), beyond=told(0.9 * scale, 0.5 * scale),
            share={"gig": 0.5, "agent": 0.1}, cost=1.9, regret=1.0 * scale,
        ),
    )  # fmt: skip


def frontier(scale: float) -> tuple[FrontierPoint, ...]:
    """Return what five budgets gain."""
    return tuple(
        FrontierPoint(
            budget=2.19 * share, share_of_full=share, contacted=0.6 * share,
            gain=told(4.2 * scale * share**0.5, 0.4 * scale * share**0.5),
            untargeted=told(2.0 * scale * share, 0.35 * scale * share),
            beyond=told(scale * (4.2 * share**0.5 - 2.0 * share), 0.45 * scale),
        )
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    )  # fmt: skip


GROUPS = (
    GroupEffect(name="tier: premium", arm="bot", n=9100, share=0.2, gain=told(-2.9, 0.7), declared=True, harmed=True),
    GroupEffect(
        name="tenure_months <= 6 and autopay = no", arm="gig", n=4100, share=0.09, gain=told(-4.1, 1.0),
        declared=False, harmed=True,
    ),
    GroupEffect(name="tier: basic", arm="gig", n=20400, share=0.45, gain=told(3.0, 0.6), declared=True, helped=True),
    GroupEffect(name="tier: plus", arm="gig", n=15600, share=0.35, gain=told(0.9, 0.6), declared=True),
)  # fmt: skip
HARM = (
    IndividualHarm(
        arm="gig", metric="churn_90d", lowest=0.0, highest=0.1311, lowest_limit=0.0, highest_limit=0.1377
    ),
    IndividualHarm(
        arm="agent", metric="churn_90d", lowest=0.0024, highest=0.1264, lowest_limit=0.0, highest_limit=0.133
    ),
)  # fmt: skip
PROTECTED = (
    ProtectedGroup(column="age_band", level="18-34", n=15000, share=0.33, contacted=0.44, gain=told(3.1, 0.7)),
    ProtectedGroup(column="age_band", level="35-64", n=20000, share=0.44, contacted=0.61, gain=told(4.4, 0.6)),
    ProtectedGroup(column="age_band", level="65+", n=10000, share=0.23, contacted=0.78, gain=told(5.0, 0.9)),
    ProtectedGroup(column="region", level="north", n=22000, share=0.49, contacted=0.6, gain=told(4.2, 0.6)),
    ProtectedGroup(column="region", level="south", n=23000, share=0.51, contacted=0.6, gain=told(4.2, 0.6)),
)
TREE = (
    Rule(condition="intent is billing or complaint and tier is not basic", arm="agent", share=0.21, gain=told(9.1, 1)),
    Rule(condition="intent is billing or complaint and tier is basic", arm="gig", share=0.29, gain=told(3.2, 0.8)),
    Rule(condition="intent is neither", arm="none", share=0.5, gain=Told(point=0.0)),
)


def money(*, targeting: bool = True) -> PolicyResult:
    """Return whom to contact for net value: choosing by prediction pays, or is not shown to."""
    beyond = told(1.9, 0.5) if targeting else told(0.1, 0.5)
    return PolicyResult(
        aim="net_value", label="Net value", unit="EUR", level=0.95, priced=True, learned=30000, judged=45037,
        eligible=0.93, recommended="value" if targeting else "best_arm", targeting=targeting,
        policies=rules(1.0, beyond, 4.2 if targeting else 2.4), frontier=frontier(1.0), break_even_budget=1.87,
        rules=TREE, groups=GROUPS, harm=HARM, protected=PROTECTED if targeting else (), moments=moments(),
        population=184000, notes=("The mean over turns of the rules' values is told.",),
    )  # fmt: skip


def _groups(scale: float, spread: float) -> tuple[PredictedGroup, ...]:
    return tuple(
        PredictedGroup(
            group=at + 1, n=9007, predicted=scale * (2 + spread * (at - 2)),
            gain=told(scale * (2 + 0.8 * spread * (at - 2)), 0.6 * scale),
        )
        for at in range(5)
    )  # fmt: skip


def _curve(scale: float, top: float) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(share=s, gain=(g := scale * (2 * s + top * s * (1 - s))), low=g - 0.5 * scale, high=g + 0.5 * scale)
        for s in (0.1, 0.25, 0.5, 0.75, 1.0)
    )


def arm_of(arm: str, scale: float, *, found: bool) -> ArmHeterogeneity:
    """Return whether one arm's effect differs."""
    strong = 1.0 if found else 0.05
    return ArmHeterogeneity(
        arm=arm, n=45037, average=told(2.0 * scale, 0.4 * scale), slope=told(0.8 * strong, 0.15),
        groups=_groups(scale, 2.0 * strong), spread=told(6.4 * scale * strong, 0.9 * scale),
        autoc=told(2.9 * scale * strong, 0.5 * scale), qini=told(0.7 * scale * strong, 0.2 * scale),
        auuc=told(1.7 * scale, 0.3 * scale), toc=_curve(scale, 2 * strong), uplift=_curve(scale, 4 * strong),
        p=0.0004 if found else 0.41, p_adjusted=0.0012 if found else 0.82, found=found, error=0.3 * scale,
    )  # fmt: skip


LEARNERS = (
    Candidate(name="constant", loss=0.0, weight=0.1),
    Candidate(name="dr", loss=-0.0041, weight=0.6),
    Candidate(name="t", loss=-0.0029, weight=0.3),
    Candidate(name="causal_forest", loss=None),
)
DRIVERS = (Driver(modifier="intent", importance=0.61), Driver(modifier="tier", importance=0.2))


def responders(*, found: bool = True) -> tuple[AimHeterogeneity, ...]:
    """Return who responds, for net value and for churn; the bot was not learned."""
    missing = ArmHeterogeneity(arm="bot", status="not_computed", reason="too few customers of this arm")
    return tuple(
        AimHeterogeneity(
            aim=aim, label=label, unit=unit, learned=30000, judged=45037,
            arms=(missing, arm_of("gig", scale, found=found), arm_of("agent", scale, found=False)),
            learners=LEARNERS, drivers=DRIVERS,
            surrogate=("intent is billing or complaint: gains most", "all others: gains least"),
        )
        for aim, label, unit, scale in (
            ("net_value", "Net value", "EUR", 1.0),
            ("churn_90d", "Customers who leave within 90 days", "share of customers", 0.006),
        )
    )  # fmt: skip


def pays() -> RunResult:
    """Return the trial where choosing whom to contact pays."""
    return replace(outreach(), policy=money(), heterogeneity=responders())


def refused() -> RunResult:
    """Return the trial where choosing is not shown to gain more than the best single arm."""
    return replace(outreach(), policy=money(targeting=False), heterogeneity=responders(found=False))


def _within(share: float, beyond: Told, gain: Told) -> RunResult:
    """Return the trial under a budget: by lot the best single arm goes to a share, by prediction it is limited."""
    policy = money()
    lot = [
        replace(
            rule, label="The best single arm, by lot", share={"bot": 0.0, "gig": share, "agent": 0.0}, cost=2.54 * share
        )
        if rule.name == "best_arm"
        else rule
        for rule in policy.policies
    ]
    limited = replace(
        policy.policies[6], name="limited", label="Within budget", gain=gain, beyond=beyond, cost=0.7,
        share={"gig": 0.11, "agent": 0.07},
    )  # fmt: skip
    return replace(pays(), policy=replace(policy, recommended="limited", policies=(*lot, limited)))


def readable() -> RunResult:
    """Return the trial where a few readable rules are recommended, one of them with an arm that is to be stopped."""
    policy = money()
    tree = tuple(
        replace(rule, beyond=told(1.2, 0.4)) if rule.name == "tree" else rule
        for rule in policy.policies
        if rule.name != "value"
    )
    reason = "A guardrail is reliably beyond its limit: complaints rose."
    arms = {**pays().arms, "agent": replace(pays().arms["agent"], verdict="stop", reason=reason, rule=2)}
    return replace(pays(), arms=arms, policy=replace(policy, recommended="tree", policies=tree))


def left_out() -> RunResult:
    """Return the trial where one arm must be stopped for harm, so that no rule was learned that gives it."""
    reason = "Harm beyond the agreed limit: complaints rose."
    arms = {**pays().arms, "bot": replace(pays().arms["bot"], verdict="stop", reason=reason, rule=2)}
    groups = tuple(group for group in GROUPS if group.arm != "bot")
    return replace(pays(), arms=arms, policy=replace(money(), left_out=("bot",), groups=groups))


def within_budget() -> RunResult:
    """Return the trial where choosing whom to contact pays within a budget."""
    return _within(0.28, told(1.4, 0.4), told(2.1, 0.3))


def loses() -> RunResult:
    """Return the trial where choosing by prediction within a budget gains less than the same by lot."""
    result = _within(0.28, told(-1.4, 0.4), told(0.9, 0.2))
    assert result.policy is not None
    policy = replace(result.policy, recommended="best_arm", targeting=False, protected=())
    return replace(result, policy=policy, heterogeneity=responders(found=False))


def in_people() -> RunResult:
    """Return the trial without money: gains are customers who stay."""
    policy = replace(
        money(), aim="churn_90d", label="Customers who leave within 90 days", unit="share of customers", priced=False,
        policies=rules(0.006, told(0.0112, 0.003), 4.2), frontier=frontier(0.006), break_even_budget=None, groups=(),
        moments=None, eligible=1.0, rules=(), protected=(),
    )  # fmt: skip
    return replace(outreach(), value=None, policy=policy, heterogeneity=responders()[1:])


def nobody() -> RunResult:
    """Return the trial where not even the best single arm is shown to gain anything."""
    policy = money(targeting=False)
    changed = tuple(
        replace(rule, gain=told(0.2, 0.4)) if rule.name == "best_arm" else rule
        for rule in policy.policies
        if rule.name != "current_rule"
    )
    return replace(refused(), policy=replace(policy, recommended="nobody", policies=changed, groups=(), harm=()))


def not_valued() -> RunResult:
    """Return the trial where whom to contact could not be valued."""
    bare = PolicyResult(
        aim="net_value", label="Net value", unit="EUR", level=0.95, status="not_computed",
        reason="too few customers for turns",
    )  # fmt: skip
    return replace(outreach(), policy=bare, heterogeneity=())


def waiting() -> RunResult:
    """Return the trial before it may be read."""
    reading = ReadingFacts(
        peeking="group_sequential", sentence="Not a planned look.", boundary=2.9, usual=1.96, units=60_052,
        waiting="the first look is on 2026-12-01",
    )  # fmt: skip
    return worlds.verdict(replace(pays(), reading=reading), "hold", "Nothing is concluded yet.")


def _decided(result: RunResult, reason: str, *, rule: int) -> RunResult:
    """Return the trial with the verdict of its best arm by a line of the table; it is stopped but by line 3."""
    told_by = worlds.verdict(result, "hold" if rule == 3 else "stop", reason)
    return replace(told_by, arms={**told_by.arms, "gig": replace(told_by.arms["gig"], rule=rule)})


def held() -> RunResult:
    """Return the trial whose best arm is on hold for everybody, though a rule gains."""
    return _decided(pays(), "It works, but may not pay: it is worth EUR 0.1 per customer.", rule=3)


def stopped() -> RunResult:
    """Return the trial whose best arm has no worthwhile effect for everybody, though a rule gains."""
    return _decided(pays(), "No worthwhile effect: churn is 1 fewer per 1,000.", rule=4)


def harmful() -> RunResult:
    """Return the trial whose best arm harms, though a rule gains in net value."""
    return _decided(pays(), "Harm beyond the agreed limit: complaints rose.", rule=2)


def stopped_though_it_pays() -> RunResult:
    """Return the trial whose best arm harms while it gains in net value, and no rule gains more."""
    return _decided(refused(), "Harm beyond the agreed limit: complaints rose.", rule=2)


def in_use() -> RunResult:
    """Return the trial where the rule in use gains more than what is recommended without it."""
    policy = money(targeting=False)
    changed = tuple(
        replace(rule, over_current=told(-2.0, 0.5)) if rule.name == "best_arm" else rule for rule in policy.policies
    )
    return replace(refused(), policy=replace(policy, policies=changed))


def of_another_arm() -> RunResult:
    """Return the trial where the rule never gives the arm that the verdict is for."""
    policy = money()
    changed = tuple(
        replace(rule, share={"none": 0.7, "agent": 0.3}) if rule.name == "value" else rule for rule in policy.policies
    )
    return replace(pays(), policy=replace(policy, policies=changed))


def behind_a_gate() -> RunResult:
    """Return the same numbers behind a failed gate."""
    return replace(failed_gate(), policy=money(), heterogeneity=responders())


def observed() -> RunResult:
    """Return a comparison that nobody tossed a coin for."""
    base = worlds_observed.OBSERVED["observed_overlap"]()
    arm = next(iter(base.arms))
    valued = tuple(
        replace(rule, share={arm: sum(x for one, x in rule.share.items() if one != "none")})
        for rule in rules(1.0, told(1.9, 0.5), 4.2)
        if not rule.name.startswith("everybody")
    )
    policy = replace(money(), moments=None, harm=(), protected=(), rules=(), groups=(), policies=valued)
    return replace(base, policy=policy, heterogeneity=())


WHOM: Mapping[str, Callable[[], RunResult]] = {
    "whom_pays": pays,
    "whom_refused": refused,
    "whom_readable": readable,
    "whom_left_out": left_out,
    "whom_within_budget": within_budget,
    "whom_loses": loses,
    "whom_in_people": in_people,
    "whom_nobody": nobody,
    "whom_not_valued": not_valued,
    "whom_waiting": waiting,
    "whom_held": held,
    "whom_stopped": stopped,
    "whom_harmful": harmful,
    "whom_stopped_though_it_pays": stopped_though_it_pays,
    "whom_in_use": in_use,
    "whom_of_another_arm": of_another_arm,
    "whom_no_decision": behind_a_gate,
    "whom_observed": observed,
}
