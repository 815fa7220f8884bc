"""Realistic results for the report's tests: an outreach trial with four arms, and the same behind a failed gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

from cxcausal.core.results import (
    ArmValue,
    ArmVerdict,
    Assumption,
    CheckResult,
    CheckVerdict,
    DataFacts,
    Estimate,
    Range,
    Role,
    RunResult,
    ValuePart,
    ValueResult,
    Verdict,
)
from tests.report.worlds_plan import ARMS, plan

HASH = "9f2c4e7a1b3d5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcd"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One metric's numbers for one arm."""

    metric: str
    role: Role
    control: float
    point: float
    se: float
    unit: str = "share of customers"
    level: float = 0.95
    relative: bool = False


def estimate(case: Case, arm: str, **change: Any) -> Estimate:
    """Return a row with a normal interval around the point."""
    z = NormalDist().inv_cdf(0.5 + case.level / 2)
    p = 2 * (1 - NormalDist().cdf(abs(case.point) / case.se))
    scale = case.control if case.relative else 1.0
    return replace(
        Estimate(
            metric=case.metric,
            role=case.role,
            arm=arm,
            control="none",
            estimand="itt",
            scale="relative" if case.relative else "absolute",
            method="difference_in_means",
            point=case.point / scale,
            low=(case.point - z * case.se) / scale,
            high=(case.point + z * case.se) / scale,
            level=case.level,
            se=case.se / scale,
            p=p,
            p_adjusted=min(1.0, 3 * p),
            n_treated=15031,
            n_control=14987,
            mean_treated=case.control + case.point,
            mean_control=case.control,
            unit=case.unit,
            headline=not case.relative,
            df=28114.2,
        ),
        **change,
    )


CHURN = Case(metric="churn_90d", role="success", control=0.1432, point=-0.0121, se=0.0041, level=0.9833)
COMPLAINT = Case(metric="complaint_30d", role="guardrail", control=0.0181, point=0.0002, se=0.00055, level=0.9)
CSAT = Case(metric="csat", role="guardrail", control=3.91, point=0.012, se=0.021, unit="points", level=0.9)
MINUTES = Case(
    metric="handle_minutes_30d", role="guardrail", control=11.84, point=0.62, se=0.21, unit="per customer", level=0.9
)
MARGIN = Case(metric="margin_90d", role="secondary", control=41.3, point=1.94, se=0.83, unit="per customer")
NPS = Case(metric="nps", role="secondary", control=12.4, point=1.1, se=1.6, unit="points")
POINTS = {"bot": (0.0019, 0.05), "gig": (-0.0121, 1.94), "agent": (-0.0168, 2.31)}
SEGMENTS = {
    "tier=basic": (0.004, -0.011, -0.013, 0.0065, 6800),
    "tier=plus": (0.001, -0.016, -0.021, 0.0071, 5200),
    "tier=premium": (-0.003, 0.019, 0.002, 0.0064, 3031),
    "intent=password_reset": (-0.006, -0.001, 0.001, 0.0080, 3900),
    "intent=order_status": (-0.004, 0.002, -0.003, 0.0079, 3700),
    "intent=billing": (0.003, -0.024, -0.031, 0.0082, 3400),
    "intent=technical": (0.002, -0.018, -0.026, 0.0086, 2600),
    "intent=complaint": (0.028, -0.021, -0.034, 0.0098, 1431),
}


def effects() -> tuple[Estimate, ...]:
    """Return every row of the outreach trial."""
    rows: list[Estimate] = []
    for arm, (churn, margin) in POINTS.items():
        rows += [
            estimate(replace(CHURN, point=churn), arm),
            estimate(replace(CHURN, point=churn, relative=True), arm),
            estimate(COMPLAINT, arm),
            estimate(CSAT, arm, n_treated=4120, n_control=3874),
            estimate(MINUTES, arm),
            estimate(replace(MINUTES, relative=True), arm),
            estimate(replace(MARGIN, point=margin), arm),
            estimate(NPS, arm, n_treated=3921, n_control=3702),
            not_computed("spend_p90", "exploratory", arm, "quantile metrics are not computed by this version"),
        ]
        rows += [_segment(arm, place, name) for place, arm_ in enumerate(ARMS) if arm_ == arm for name in SEGMENTS]
    return tuple(rows)


def _segment(arm: str, place: int, name: str) -> Estimate:
    numbers = SEGMENTS[name]
    case = replace(CHURN, point=numbers[place], se=numbers[3], level=0.969)
    change = {"population": name, "headline": False, "n_treated": int(numbers[4]), "n_control": int(numbers[4]) - 37}
    return estimate(case, arm, **change)


def not_computed(name: str, role: Role, arm: str, reason: str) -> Estimate:
    """Return a row that has a reason instead of numbers."""
    return Estimate(
        metric=name,
        role=role,
        arm=arm,
        control="none",
        estimand="itt",
        method="difference_in_means",
        status="not_computed",
        reason=reason,
    )


def check(name: str, verdict: CheckVerdict, text: str, **extra: Any) -> CheckResult:
    """Return one check."""
    return replace(CheckResult(name=name, verdict=verdict, on_breach="fail", text=text), **extra)


CHECKS = (
    check(
        "srm",
        "pass",
        "Households landed in the arms as planned (24.9 to 25.1 % each, planned 25 %).",
        value=0.41,
        threshold=0.001,
        p=0.412,
    ),
    check(
        "srm_by_segment",
        "pass",
        "No segment is split unevenly.",
        on_breach="warn",
        value=0.08,
        threshold=0.001,
        p=0.083,
    ),
    check("mixed_assignment", "pass", "No household is in two arms.", value=0.0, threshold=0.0),
    check("duplicates", "pass", "Every customer appears once.", value=0.0, threshold=0.0),
    check("maturity", "pass", "All customers have their 90 days.", value=14987.0, threshold=30.0),
    check("missing_outcome", "pass", "No outcome is missing.", value=0.0, threshold=0.2),
    check(
        "differential_missingness",
        "warn",
        "Satisfaction was answered by 27.4 % with a call and 25.8 % without.",
        on_breach="warn",
        value=0.0002,
        threshold=0.001,
        p=0.0002,
    ),
    check(
        "pre_period_balance",
        "pass",
        "The arms looked alike before: the largest gap is 0.02 standard deviations.",
        on_breach="warn",
        value=0.02,
        threshold=0.1,
    ),
    check("leakage", "pass", "No covariate gives the outcome away.", value=0.31, threshold=0.98),
    check("tiny_arm", "pass", "Every arm is large enough.", value=1939.0, threshold=5.0),
)
N_TREATED = 15031


def arm_value(arm: str, parts: Sequence[float], half: float, **extra: Any) -> ArmValue:
    """Return what one arm is worth: kept margin, gained margin, contact cost; half the width of its interval."""
    names = ("churn_90d", "margin_90d", "contact_cost")
    labels = ("Margin of customers who stay", "Margin gained in the test", "Contact cost")
    net = sum(parts)
    levels = {"low": net - 0.6, "central": net, "high": net + 0.7}
    per_customer = {name: Range(point=x, low=x - half, high=x + half) for name, x in levels.items()}
    total = {
        k: Range(point=r.point * N_TREATED, low=(r.point - half) * N_TREATED, high=(r.point + half) * N_TREATED)
        for k, r in per_customer.items()
    }
    return ArmValue(
        **{
            "arm": arm,
            "control": "none",
            "n_treated": N_TREATED,
            "net_per_customer": per_customer,
            "net_total": total,
            "parts": tuple(
                ValuePart(name=n, label=title, per_customer=x) for n, title, x in zip(names, labels, parts, strict=True)
            ),
            "cost_per_customer": -parts[-1],
            "roi": net / -parts[-1],
            "break_even_metric": "churn_90d",
            "break_even": 0.0039,
            **extra,
        }
    )


def value() -> ValueResult:
    """Return the money of the outreach trial."""
    rollout = Range(point=20700.0, low=2880.0, high=38520.0)
    return ValueResult(
        currency="EUR",
        level=0.95,
        approved_by="finance-controller@example.com",
        approved_on="2026-10-01",
        assumptions=(
            Assumption(
                metric="churn_90d",
                name="retained_customer",
                low=180.0,
                central=240.0,
                high=310.0,
                basis="margin of months 4 to 12 of a customer who stays",
            ),
            Assumption(
                metric="margin_90d", name="per_unit", low=1.0, central=1.0, high=1.0, basis="as stated in the plan"
            ),
        ),
        arms=(
            arm_value("bot", (-0.46, 0.05, -0.1), 1.6, break_even=0.0002),
            arm_value("gig", (2.90, 1.94, -2.54), 1.98, rollout=rollout, rollout_customers=9000, rollout_limited=True),
            arm_value("agent", (4.03, 2.31, -6.03), 2.02, break_even=0.0155),
        ),
    )


def facts(analysed: Mapping[str, int]) -> DataFacts:
    """Return what was read."""
    enrolled = {arm: n + 100 for arm, n in analysed.items()}
    total = sum(analysed.values())
    return DataFacts(
        inputs=(("data/outreach.parquet", HASH),),
        fingerprint=HASH[::-1],
        data_cut="2027-01-31T00:00:00",
        rows=sum(enrolled.values()) + 812,
        filtered_out=812,
        enrolled=sum(enrolled.values()),
        immature=100 * len(analysed),
        analysed=total,
        randomization_units=total - 21877,
        enrolled_by_arm=enrolled,
        immature_by_arm=dict.fromkeys(analysed, 100),
        analysed_by_arm=analysed,
        matures_on="2027-02-14",
    )


def outreach(**change: Any) -> RunResult:
    """Return the outreach trial: experts pay, agents work but may not pay, the bot does nothing."""
    base = RunResult(
        run_id="01KA4Z8T7Q2V5N9XJ3M6B1C0DE",
        experiment="proactive-outreach-2026q4",
        verdict="ship",
        recommended_arm="gig",
        arms={
            "bot": ArmVerdict(
                verdict="hold",
                reason="Cannot tell yet: no clear change, 2 more per 1,000 (plausible range: 8 fewer to 12 more).",
                rule=4,
            ),
            "gig": ArmVerdict(
                verdict="ship",
                reason="It works and pays: 12 fewer per 1,000 leave, and every guardrail stayed within its limit.",
                rule=3,
            ),
            "agent": ArmVerdict(
                verdict="hold", reason="It works, but it may not pay: the range of net value spans zero.", rule=3
            ),
        },
        grade="A",
        capped_by=None,
        registered=True,
        registration="The plan was registered on 2026-10-02 by analysts@example.com, before the first analysis.",
        effects=effects(),
        checks=CHECKS,
        value=value(),
        data=facts({"none": 14987, "bot": 14990, "gig": N_TREATED, "agent": 15044}),
        plan=plan(),
        plan_hash=HASH,
        notes=("order_value: not in the money, since it is a ratio",),
        created_at="2027-02-01T08:15:00+00:00",
        versions={"cxcausal": "0.1.0", "python": "3.11.9", "numpy": "2.4.6", "duckdb": "1.5.0"},
    )
    return replace(base, **change)


def with_rows(result: RunResult, **cases: Case) -> RunResult:
    """Return the result with a metric's whole-population rows replaced, for every arm."""

    def swapped(row: Estimate) -> Estimate:
        case = cases.get(row.metric)
        if case is None or row.population != "all":
            return row
        return estimate(replace(case, relative=row.scale == "relative"), row.arm)

    return replace(result, effects=tuple(swapped(row) for row in result.effects))


def verdict(result: RunResult, name: Verdict, reason: str, **change: Any) -> RunResult:
    """Return the result with another verdict of its recommended arm."""
    arms = {**result.arms, "gig": ArmVerdict(verdict=name, reason=reason, rule=4)}
    return replace(result, verdict=name, arms=arms, **change)


def one_arm(result: RunResult) -> RunResult:
    """Return the result with the expert as its only treated arm."""
    trimmed = dict(result.plan)
    treatment = result.plan["design"]["treatment"]
    arms = {name: arm for name, arm in treatment["arms"].items() if name in {"none", "gig"}}
    trimmed["design"] = {**result.plan["design"], "treatment": {**treatment, "arms": arms}}
    money = result.value and replace(result.value, arms=tuple(arm for arm in result.value.arms if arm.arm == "gig"))
    return replace(
        result,
        plan=trimmed,
        arms={"gig": result.arms["gig"]},
        effects=tuple(row for row in result.effects if row.arm == "gig"),
        value=money,
        data=facts({"none": 14987, "gig": N_TREATED}),
    )


def failed_gate() -> RunResult:
    """Return the outreach trial behind a failed sample-ratio check."""
    text = (
        "51.9 % of customers landed in the call arm instead of 50 %. "
        "A split this uneven happens by chance less than once in a million trials."
    )
    broken = check("srm", "fail", text, value=1e-7, threshold=0.001, p=1e-7)
    reason = "A gate failed: srm."
    return outreach(
        verdict="no_decision",
        recommended_arm=None,
        grade="D",
        checks=(broken, *CHECKS[1:]),
        arms={arm: ArmVerdict(verdict="no_decision", reason=reason, rule=1) for arm in ARMS},
    )
