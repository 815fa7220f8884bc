"""Results of an observational run for the report's tests: handed over by trouble, in three target populations."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cxcausal.core.results import ArmVerdict, CheckResult, Estimate, Range, RunResult, ValueResult
from cxcausal.core.score_facts import (
    ArmOverlapFacts,
    BalanceFact,
    BenchmarkFact,
    LearnerFact,
    OpinionFact,
    OverlapFacts,
    RefuterFact,
    ScoreFacts,
    SensitivityFact,
    TimeZeroFact,
)
from tests.report.worlds import CHURN, MARGIN, SEGMENTS, Case, arm_value, check, estimate, facts, one_arm, outreach

CONFOUNDERS = ("trouble", "tenure_months", "channel")
CAP = "the evidence is of grade C (adjusted for what is known)"
APART = (
    "Of 14,987 customers of “Bot goes on”, the comparison rests on the equivalent of 128; "
    "72 in 100 had almost no chance of a person."
)
NO_TOTAL = "Money is told per customer for whom either arm was a real possibility, so there is no total."
STRENGTH = "An unmeasured difference twice as strong as trouble would be enough to explain the result."
NAIVE = {"churn_90d": 0.0410, "margin_90d": -3.9}
CHECKS: tuple[CheckResult, ...] = (
    check("identification", "pass", "What is declared closes every way from trouble to leaving."),
    check("time_zero", "pass", "Time zero lies alike in both groups.", value=0.02, threshold=0.1),
    check("overlap", "pass", "The groups overlap: every customer could have got either.", value=0.61, threshold=0.1),
    check("balance", "pass", "After weighting the groups look alike.", value=0.03, threshold=0.1),
    check("negative_controls", "pass", "What a person cannot change does not differ.", value=0.4, threshold=0.01),
    check("placebo_period", "info", "Every value from before is adjusted for, so that none is left to test."),
    check("maturity", "pass", "All customers have their 90 days.", value=14987.0, threshold=30.0),
    check("agreement", "pass", "One other method gives 11 fewer per 1,000.", value=0.4, threshold=3.0),
    check("specification", "pass", "Five other choices give between 10 and 13 fewer.", value=1.1, threshold=3.0),
    check("sensitivity", "info", STRENGTH, value=0.04, on_breach="warn"),
    check("refutation", "pass", "A made-up treatment has no effect.", value=0.3, threshold=3.0),
)


def observed(target: str = "ato", **change: Any) -> RunResult:
    """Return the run: naively people drive customers away, adjusted they keep them."""
    base = one_arm(outreach())
    reason = "It works, and it pays: 12 fewer per 1,000 leave."
    arm = ArmVerdict(verdict="pilot", reason=reason, rule=3, capped_from="ship")
    result = replace(
        base,
        verdict="pilot",
        recommended_arm="gig",
        arms={"gig": arm},
        grade="C",
        capped_by=CAP,
        effects=_effects(target),
        checks=CHECKS,
        plan=_plan(target),
        value=_value(base, target),
        scores=scores(target),
        notes=(),
    )
    return replace(result, **change)


def withheld() -> RunResult:
    """Return the run behind a failed overlap gate."""
    broken = check("overlap", "fail", APART, value=0.008, threshold=0.1)
    reason = "A gate failed: overlap."
    return observed(
        "att",
        verdict="no_decision",
        recommended_arm=None,
        grade="D",
        capped_by=None,
        checks=tuple(broken if one.name == "overlap" else one for one in CHECKS),
        arms={"gig": ArmVerdict(verdict="no_decision", reason=reason, rule=1)},
    )


def late() -> RunResult:
    """Return the run behind two failed gates, the first of them not overlap."""
    text = "Time zero of “Handed over to a person” lies 4 days later."
    broken = {"time_zero": text, "overlap": APART}
    checks = tuple(check(one.name, "fail", broken[one.name]) if one.name in broken else one for one in CHECKS)
    return replace(withheld(), checks=checks)


def far_apart() -> RunResult:
    """Return the run whose groups overlap less than agreed, where the plan only warns."""
    warned = check("overlap", "warn", APART, on_breach="warn", value=0.008, threshold=0.1)
    return observed("att", checks=tuple(warned if one.name == "overlap" else one for one in CHECKS))


def unclear() -> RunResult:
    """Return the run whose effect is not told from none."""
    rows = tuple(
        estimate(replace(CHURN, point=-0.004), "gig", estimand="ato", adjustment="covariates", method="aipw")
        if (row.metric, row.population, row.scale, row.companion) == ("churn_90d", "all", "absolute", False)
        else row
        for row in observed().effects
    )
    hold = ArmVerdict(verdict="hold", reason="We cannot tell yet.", rule=4)
    return observed(effects=rows, verdict="hold", arms={"gig": hold}, capped_by=None)


def old_fashioned() -> RunResult:
    """Return the run of a time when nothing was kept of scores, and no check of robustness ran."""
    kept = {"identification", "maturity"}
    return observed("ate", scores=None, checks=tuple(one for one in CHECKS if one.name in kept))


def arms() -> RunResult:
    """Return the run with a second way of handing over, of which less is kept."""
    one = observed("att")
    others = tuple(replace(row, arm="agent") for row in one.effects)
    treatment = one.plan["design"]["treatment"]
    named = {**treatment["arms"], "agent": {"label": "Handed over with the whole story", "unit_cost": 7.1}}
    design = {**one.plan["design"], "treatment": {**treatment, "arms": named}}
    assert one.scores is not None
    assert one.scores.overlap is not None
    assert one.value is not None
    overlap = one.scores.overlap
    second = replace(overlap.arms[1], arm="agent", histogram={**overlap.arms[1].histogram, "agent": (1.0,) * 20})
    kept = replace(
        one.scores,
        overlap=replace(overlap, arms=(*overlap.arms, second)),
        balance=(*one.scores.balance, *(replace(row, arm="agent") for row in one.scores.balance)),
        opinions=(*one.scores.opinions, *(replace(row, arm="agent") for row in one.scores.opinions)),
        sensitivity=(*one.scores.sensitivity, *(replace(row, arm="agent") for row in one.scores.sensitivity)),
        refutation=(*one.scores.refutation, *(replace(row, arm="agent") for row in one.scores.refutation)),
    )
    return replace(
        one,
        effects=(*one.effects, *others),
        plan={**one.plan, "design": design},
        arms={**one.arms, "agent": one.arms["gig"]},
        data=facts({"none": 14987, "gig": 15031, "agent": 15044}),
        value=replace(one.value, arms=(*one.value.arms, replace(one.value.arms[0], arm="agent"))),
        scores=kept,
    )


OBSERVED: Mapping[str, Callable[[], RunResult]] = {
    "observed_overlap": observed,
    "observed_treated": lambda: observed("att"),
    "observed_everybody": lambda: observed("ate"),
    "observed_far_apart": far_apart,
    "observed_no_decision": withheld,
    "observed_late": late,
    "observed_unclear": unclear,
    "observed_arms": arms,
    "observed_without_scores": old_fashioned,
}


def scores(target: str = "ato") -> ScoreFacts:
    """Return what the score road told."""
    return ScoreFacts(
        target=target,
        adjusted_for=CONFOUNDERS,
        folds=5,
        repeats=3,
        overlap=_overlap(),
        balance=_balance(),
        time_zero=(TimeZeroFact(arm="gig", days=0.21, se=0.4, standardised=0.02),),
        nuisances=_nuisances(),
        opinions=(
            OpinionFact(**_OF_CHURN, name="overlap_weighting", target="ato", **_opinion(-0.0112, 0.0044)),
            OpinionFact(**_OF_CHURN, name="matching", target="att", reason="it has no effect on the overlap"),
        ),
        specification=(
            OpinionFact(**_OF_CHURN, name="linear learners", target=target, **_opinion(-0.0131, 0.0045)),
            OpinionFact(**_OF_CHURN, name="boosted learners", target=target, **_opinion(-0.0103, 0.0041)),
        ),
        sensitivity=(_sensitivity(),),
        refutation=_refuters(),
    )


_OF_CHURN: dict[str, Any] = {"metric": "churn_90d", "arm": "gig", "control": "none"}


def _opinion(point: float, se: float) -> dict[str, Any]:
    return {"point": point, "se": se, "gap": point - CHURN.point, "gap_se": 0.0011}


def _overlap() -> OverlapFacts:
    low = tuple(float(max(0, 2400 - 180 * place)) for place in range(20))
    high = tuple(float(40 + 110 * place) for place in range(20))
    mirrored = {"none": low, "gig": high}
    turned = {arm: tuple(reversed(counts)) for arm, counts in mirrored.items()}
    quantiles = (None, 0.02, 0.06, 0.21, 0.48, 0.74, 0.93, 0.98, None)
    treated = ArmOverlapFacts(
        arm="gig",
        units=15031,
        effective=9120.4,
        quantiles=quantiles,
        histogram=mirrored,
        below=211,
        above=187,
        clipped=None,
        discrimination=0.74,
    )
    base = tuple(None if value is None else 1 - value for value in reversed(quantiles))
    control = replace(treated, arm="none", units=14987, effective=8750.9, quantiles=base, histogram=turned)
    return OverlapFacts(arms=(control, treated), floor=0.01, units=30018)


def _balance() -> tuple[BalanceFact, ...]:
    named = (("trouble", "", 0.62, 0.03), ("tenure_months", "", -0.21, -0.01), ("channel", "phone", 0.31, 0.02))
    rows = [
        BalanceFact(arm="gig", column=column, level=level, before=before, after=after, se=0.011)
        for column, level, before, after in named
    ]
    many = (
        BalanceFact(arm="gig", column=f"c{place}", level="", before=0.001 * place, after=0.0, se=0.01)
        for place in range(30)
    )
    return (*rows, *many)


def _nuisances() -> tuple[LearnerFact, ...]:
    share = LearnerFact(
        metric="",
        role="propensity",
        arm="",
        learner="stacked",
        loss=0.561,
        baseline=0.693,
        weights={"logistic": 0.31, "lightgbm": 0.69},
        slope=0.97,
        intercept=0.02,
    )
    outcomes = (
        LearnerFact(metric=name, role="outcome", arm=arm, learner="stacked", loss=0.11, baseline=0.12, weights={})
        for name in ("churn_90d", "margin_90d")
        for arm in ("none", "gig")
    )
    return (share, *outcomes)


def _sensitivity() -> SensitivityFact:
    grid = tuple(0.02 * place for place in range(13))
    bound = tuple(tuple(min(CHURN.point + 2.4 * (a * b) ** 0.5 * 0.1, 0.03) for b in grid) for a in grid)
    return SensitivityFact(
        **_OF_CHURN,
        point=-0.0121,
        se=0.0041,
        scale=0.31,
        robustness=0.0402,
        robustness_interval=0.0133,
        benchmarks=(
            BenchmarkFact(column="trouble", outcome=0.021, treatment=0.016),
            BenchmarkFact(column="tenure_months", outcome=0.004, treatment=0.002),
        ),
        grid=grid,
        bound=bound,
        e_value=1.41,
        e_value_limit=1.17,
        simulated=((1.0, -0.0098), (2.0, -0.0071), (3.0, -0.0049)),
    )


def _refuters() -> tuple[RefuterFact, ...]:
    return (
        RefuterFact(
            **_OF_CHURN, name="placebo_treatment", expected=0.0, found=0.0004, se=0.004, draws=100, refits=True, p=0.91
        ),
        RefuterFact(
            **_OF_CHURN,
            name="random_common_cause",
            expected=-0.0121,
            found=-0.0120,
            se=0.0002,
            draws=100,
            refits=False,
        ),
    )


def _plan(target: str) -> dict[str, Any]:
    plan = dict(one_arm(outreach()).plan)
    arms = {
        "none": {"label": "Bot goes on"},
        "gig": {"label": "Handed over to a person", "unit_cost": 6.4, "cost_basis": "received"},
    }
    plan["design"] = {
        "type": "observational",
        "treatment": {"column": "route", "control": "none", "arms": arms},
        "confounders": list(CONFOUNDERS),
        "graph": None,
    }
    plan["question"] = "Does a person keep customers whom the bot failed?"
    plan["data"] = {**plan["data"], "randomization_unit": None}
    plan["estimand"] = {"contrast": target}
    plan["estimation"] = {"method": "default", "also": ["overlap_weighting"], "folds": 5, "repeats": 3}
    plan["covariates"] = []
    plan["effect_modifiers"] = ["tier"]
    plan["metrics"] = {**plan["metrics"], "guardrails": plan["metrics"]["guardrails"][:1], "exploratory": []}
    plan["metrics"]["secondary"] = plan["metrics"]["secondary"][:1]
    return plan


def _effects(target: str) -> tuple[Estimate, ...]:
    own: dict[str, Any] = {"estimand": target, "adjustment": "covariates", "method": "aipw", "spread": 0.0007}
    complaint = Case(metric="complaint_30d", role="guardrail", control=0.0181, point=0.0002, se=0.00055, level=0.9)
    cases = (CHURN, replace(CHURN, relative=True), complaint, MARGIN)
    rows = [
        estimate(case, "gig", **own, repeats=3, effective_treated=9120.4, effective_control=8750.9) for case in cases
    ]
    rows += [_segment(name, own) for name in SEGMENTS]
    for case in (CHURN, MARGIN):
        others = [one for one in ("ato", "att", "ate") if one != target]
        plain = {"estimand": "association", "method": "naive_difference", "companion": True, "headline": False}
        rows.append(estimate(replace(case, point=NAIVE[case.metric], level=0.95), "gig", **plain))
        beside = {**own, "companion": True, "headline": False}
        rows += [estimate(replace(case, level=0.95), "gig", **{**beside, "estimand": other}) for other in others]
    return tuple(rows)


def _segment(name: str, own: dict[str, Any]) -> Estimate:
    case = replace(CHURN, point=SEGMENTS[name][1], se=SEGMENTS[name][3], level=0.969)
    return estimate(case, "gig", **own, population=name, headline=False, n_treated=2100, n_control=2050)


def _value(base: RunResult, target: str) -> ValueResult:
    assert base.value is not None
    arm = arm_value("gig", (2.90, 1.94, -2.54), 1.98, rollout=None, rollout_customers=None, estimand=target)
    heads = {"att": arm.n_treated, "ate": base.data.analysed}.get(target)
    total = (
        {}
        if heads is None
        else {
            level: Range(point=r.point * heads, low=(r.low or 0) * heads, high=(r.high or 0) * heads)
            for level, r in arm.net_per_customer.items()
        }
    )
    return replace(
        base.value, arms=(replace(arm, net_total=total, total_customers=heads),), notes=(NO_TOTAL,) * (heads is None)
    )
