"""The verdict table, one line at a time, with the exact words."""

from dataclasses import dataclass

import pytest

from cxcausal.core.results import CheckResult, Estimate, ValueResult, Verdict
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.decision.verdict import Decision, decide
from tests.decision.worlds import CHURN, CSAT, check, missing, money, plan, row, rows

WORTHWHILE = {"minimum_worthwhile_effect": {"metric": "churn", "absolute": 0.006}}
NOTHING = "No decision, because the needed effect is missing: 'churn' was not computed: "
CLEAR = "'churn' shows 12 fewer per 1,000 customers (plausible range: 4 to 20 fewer)"
SAFE = f"{CLEAR}, and every guardrail stayed within its limit"


@dataclass(frozen=True, kw_only=True)
class Case:
    effects: tuple[Estimate, ...]
    verdict: Verdict
    rule: int
    reason: str
    checks: tuple[CheckResult, ...] = ()
    value: ValueResult | None = None
    spec: ExperimentSpec | None = None


CASES = {
    "1 a gate failed": Case(
        effects=rows(),
        checks=(check("srm", "fail", "51.9 % instead of 50 %."), check("leakage", "pass")),
        verdict="no_decision",
        rule=1,
        reason="No decision, because the check 'srm' failed: 51.9 % instead of 50 %.",
    ),
    "1 two gates failed": Case(
        effects=rows(row("csat", -0.2, -0.1)),
        checks=(check("srm", "fail", "One."), check("tiny_arm", "fail", "Two.")),
        verdict="no_decision",
        rule=1,
        reason="No decision, because the checks 'srm' and 'tiny_arm' failed: One. Two.",
    ),
    "1 not by a warning or an unknown": Case(
        effects=rows(),
        checks=(check("srm", "could_not_run"), check("leakage", "warn"), check("maturity", "info")),
        verdict="ship",
        rule=3,
        reason=f"It works: {SAFE}. The plan puts no money on any metric, so its cost was not weighed.",
    ),
    "2 guardrail beyond its absolute margin": Case(
        effects=rows(row("csat", -0.09, -0.06)),
        value=money(gig=(1.0, 2.0, 3.0)),
        verdict="stop",
        rule=2,
        reason="Harm beyond the agreed limit: 'csat' is 0.075 points lower (plausible range: 0.06 to 0.09 lower), "
        "limit: 0.05.",
    ),
    "2 guardrail beyond its relative margin": Case(
        effects=rows(row("minutes", 0.16, 0.3, scale="relative", unit="fraction of the control's mean")),
        verdict="stop",
        rule=2,
        reason="Harm beyond the agreed limit: 'Handling time' is 23 % higher (plausible range: 16 % to 30 % higher), "
        "limit: 15 %.",
    ),
    "2 success metric harmed": Case(
        effects=rows(row("churn", 0.004, 0.02)),
        verdict="stop",
        rule=2,
        reason="Reliable harm: 'churn' shows 12 more per 1,000 customers (plausible range: 4 to 20 more).",
    ),
    "2 harm of one success metric outweighs the other": Case(
        effects=(row("churn", -0.02, -0.004), row("margin", -3.0, -1.0)),
        spec=plan(
            metrics={
                "success": [
                    CHURN,
                    {"name": "margin", "type": "mean", "column": "margin", "desired_direction": "increase"},
                ]
            }
        ),
        verdict="stop",
        rule=2,
        reason="Reliable harm: 'margin' is 2 EUR per customer lower (plausible range: 1 to 3 lower).",
    ),
    "3 works, no guardrails planned": Case(
        effects=(row("churn", -0.02, -0.004),),
        spec=plan(metrics={"success": [CHURN]}),
        verdict="ship",
        rule=3,
        reason=f"It works: {CLEAR}, and no guardrail was planned. "
        "The plan puts no money on any metric, so its cost was not weighed.",
    ),
    "3 works and pays": Case(
        effects=rows(),
        value=money(gig=(0.5, 2.5, 4.5)),
        verdict="ship",
        rule=3,
        reason=f"It works and pays: {SAFE}; it is worth EUR 2.5 per customer after costs "
        "(plausible range: 0.5 to 4.5).",
    ),
    "3 works, may not pay": Case(
        effects=rows(),
        value=money(gig=(-0.5, 2.0, 4.5)),
        verdict="hold",
        rule=3,
        reason=f"It works, but may not pay: {SAFE}; it is worth EUR 2 per customer after costs "
        "(plausible range: \N{MINUS SIGN}0.5 to 4.5).",
    ),
    "3 works, worth unknown": Case(
        effects=rows(),
        value=money(gig=None),
        verdict="hold",
        rule=3,
        reason=f"It works, but may not pay: {SAFE}, but what it is worth could not be computed: the arm is empty.",
    ),
    "3 works, doesn't pay": Case(
        effects=rows(),
        value=money(gig=(-4.5, -2.5, -0.5)),
        verdict="stop",
        rule=3,
        reason=f"It works, but doesn't pay: {SAFE}; it is worth EUR \N{MINUS SIGN}2.5 per customer after costs "
        "(plausible range: \N{MINUS SIGN}4.5 to \N{MINUS SIGN}0.5).",
    ),
    "3 before 4: a small effect that pays ships": Case(
        effects=rows(row("churn", -0.005, -0.001)),
        value=money(gig=(0.5, 2.5, 4.5)),
        spec=plan(decision=WORTHWHILE),
        verdict="ship",
        rule=3,
        reason="It works and pays: 'churn' shows 3 fewer per 1,000 customers (plausible range: 1 to 5 fewer), "
        "and every guardrail stayed within its limit; it is worth EUR 2.5 per customer after costs "
        "(plausible range: 0.5 to 4.5).",
    ),
    "4 no worthwhile effect": Case(
        effects=rows(row("churn", -0.005, 0.003)),
        spec=plan(decision=WORTHWHILE),
        verdict="stop",
        rule=4,
        reason="No worthwhile effect: 'churn' shows 1 fewer per 1,000 customers (plausible range: 5 fewer to 3 more); "
        "the least worth acting on is 6 per 1,000 customers.",
    ),
    "4 no worthwhile relative effect": Case(
        effects=rows(
            row("churn", -0.005, 0.003),
            row("churn", -0.03, 0.02, scale="relative", unit="fraction of the control's mean"),
        ),
        spec=plan(decision={"minimum_worthwhile_effect": {"metric": "churn", "relative": 0.04}}),
        verdict="stop",
        rule=4,
        reason="No worthwhile effect: 'churn' is 0.5 % lower (plausible range: 3 % lower to 2 % higher); "
        "the least worth acting on is 4 % of the level without.",
    ),
    "4 cannot tell: too few units": Case(
        effects=rows(row("churn", -0.02, 0.012)),
        spec=plan(decision=WORTHWHILE),
        verdict="hold",
        rule=4,
        reason="Cannot tell yet: no clear change, 'churn' shows 4 fewer per 1,000 customers "
        "(plausible range: 20 fewer to 12 more). The study could only detect a change of 22.4 per 1,000 customers or "
        "more; about 52,000 units in these two arms instead of 15,000 would bring this to the planned 12.",
    ),
    "4 cannot tell: as fine as planned": Case(
        effects=rows(row("churn", -0.007, 0.001)),
        verdict="hold",
        rule=4,
        reason="Cannot tell yet: no clear change, 'churn' shows 3 fewer per 1,000 customers "
        "(plausible range: 7 fewer to 1 more). The study could only detect a change of 5.6 per 1,000 customers or "
        "more, which is finer than the 12 it was planned for.",
    ),
    "1 success not computed": Case(
        effects=rows(missing("churn", "the outcome does not vary")),
        verdict="no_decision",
        rule=1,
        reason=f"{NOTHING}the outcome does not vary.",
    ),
    "1 no row at all": Case(
        effects=(),
        spec=plan(metrics={"success": [CHURN]}),
        verdict="no_decision",
        rule=1,
        reason=f"{NOTHING}there is no result for it.",
    ),
    "4 improved, guardrail inconclusive": Case(
        effects=rows(row("csat", -0.07, 0.05)),
        verdict="hold",
        rule=4,
        reason=f"Cannot tell yet: {CLEAR}, but a guardrail is not settled: 'csat' is 0.01 points lower "
        "(plausible range: 0.07 lower to 0.05 higher), limit: 0.05, which about 33,000 units in these two arms "
        "instead of 15,000 would settle if there is no harm.",
    ),
    "4 improved, guardrail not computed": Case(
        effects=rows(missing("csat", "nobody answered")),
        verdict="hold",
        rule=4,
        reason=f"Cannot tell yet: {CLEAR}, but a guardrail is not settled: 'csat' was not computed: nobody answered.",
    ),
    "4 improved, the relative guardrail has only an absolute row": Case(
        effects=rows(missing("minutes", "no base", scale="relative")),
        verdict="hold",
        rule=4,
        reason=f"Cannot tell yet: {CLEAR}, but a guardrail is not settled: 'Handling time' was not computed: no base.",
    ),
    "4 null and guardrails open": Case(
        effects=rows(
            row("churn", -0.007, 0.001), row("csat", -0.06, 0.02), missing("minutes", "no base", scale="relative")
        ),
        verdict="hold",
        rule=4,
        reason="Cannot tell yet: no clear change, 'churn' shows 3 fewer per 1,000 customers "
        "(plausible range: 7 fewer to 1 more). The study could only detect a change of 5.6 per 1,000 customers or "
        "more, which is finer than the 12 it was planned for. Also, guardrails are not settled: "
        "'csat' is 0.02 points lower (plausible range: 0.06 lower to 0.02 higher), limit: 0.05; "
        "'Handling time' was not computed: no base.",
    ),
}


def decided(case: Case) -> Decision:
    spec = case.spec or plan()
    return decide(spec, case.effects, case.checks, case.value, registered=True, design_grade="A")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_first_line_that_applies(case: Case) -> None:
    found = decided(case).arms["gig"]
    assert (found.verdict, found.rule, found.reason) == (case.verdict, case.rule, case.reason)
    assert found.capped_from is None


def test_a_bound_on_the_margin_is_neither_inside_nor_beyond() -> None:
    spec = plan(metrics={"success": [CHURN], "guardrails": [CSAT]})
    for low, high in ((-0.05, 0.0), (-0.08, -0.05)):
        effects = (row("churn", -0.02, -0.004), row("csat", low, high))
        found = decide(spec, effects, (), None, registered=True, design_grade="A").arms["gig"]
        assert (found.verdict, found.rule) == ("hold", 4)


def test_an_interval_that_touches_zero_excludes_nothing() -> None:
    for low, high in ((-0.02, 0.0), (0.0, 0.02)):
        found = decided(Case(effects=rows(row("churn", low, high)), verdict="hold", rule=4, reason="")).arms["gig"]
        assert found.verdict == "hold"
    for net in ((0.0, 1.0, 2.0), (-2.0, -1.0, 0.0), (-2.0, -0.5, 0.5), (-0.5, 0.5, 2.0)):
        case = Case(effects=rows(), value=money(gig=net), verdict="hold", rule=3, reason="")
        assert (decided(case).arms["gig"].verdict, decided(case).arms["gig"].rule) == ("hold", 3)


def test_an_interval_that_reaches_the_worthwhile_effect_does_not_stop() -> None:
    effects = rows(row("churn", -0.006, 0.003))
    case = Case(effects=effects, spec=plan(decision=WORTHWHILE), verdict="hold", rule=4, reason="")
    assert decided(case).arms["gig"].verdict == "hold"


def test_a_guardrail_without_a_margin_tolerates_no_harm() -> None:
    spec = plan(metrics={"success": [CHURN], "guardrails": [{**CSAT, "margin": None}]})
    for interval, verdict in (((0.01, 0.3), "ship"), ((-0.01, 0.3), "hold"), ((-0.3, -0.01), "stop")):
        effects = (row("churn", -0.02, -0.004), row("csat", *interval))
        assert (
            decided(Case(effects=effects, spec=spec, verdict="hold", rule=4, reason="")).arms["gig"].verdict == verdict
        )


def test_other_contrasts_segments_and_trimmed_rows_do_not_decide() -> None:
    harm = (0.01, 0.03)
    effects = (
        *rows(),
        row("churn", *harm, population="tier=plus", headline=False),
        row("churn", *harm, control="agent", headline=False),
        row("churn", *harm, trimming="winsorized", headline=False, companion=True),
        row("churn", *harm, adjustment="covariates", headline=False),
    )
    assert decide(plan(), effects, (), None, registered=True, design_grade="A").arms["gig"].verdict == "ship"


def test_the_adjusted_row_decides_where_it_is_the_headline() -> None:
    adjusted = row("churn", 0.01, 0.03, adjustment="covariates")
    plain = row("churn", -0.02, -0.004, headline=False)
    for effects in ((adjusted, plain), (plain, adjusted)):
        found = decide(plan(metrics={"success": [CHURN]}), effects, (), None, registered=True, design_grade="A").arms[
            "gig"
        ]
        assert found.rule == 2


def test_the_second_success_metric_can_improve_too() -> None:
    margin = {"name": "margin", "type": "mean", "column": "margin", "desired_direction": "increase"}
    effects = (row("churn", -0.02, 0.004), row("margin", 1.0, 3.0))
    spec = plan(metrics={"success": [CHURN, margin]})
    found = decide(spec, effects, (), None, registered=True, design_grade="A").arms["gig"]
    assert found.reason.startswith("It works: 'margin' is 2 EUR per customer higher (plausible range: 1 to 3 higher)")


def test_what_is_only_adjusted_seems_to_work() -> None:
    spec = plan(
        design={
            "type": "observational",
            "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}, "agent": {}}},
            "confounders": ["tier"],
        }
    )
    reasons = {
        net: decide(spec, rows(), (), value, registered=True, design_grade="C").arms["gig"].reason.partition(": ")[0]
        for net, value in (
            ("unknown", None),
            ("pays", money(gig=(1.0, 2.0, 3.0))),
            ("open", money(gig=(-1.0, 2.0, 3.0))),
            ("doesn't", money(gig=(-3.0, -2.0, -1.0))),
        )
    }
    assert reasons == {
        "unknown": "After adjustment, it seems to work",
        "pays": "After adjustment, it seems to work and to pay",
        "open": "After adjustment, it seems to work, but may not pay",
        "doesn't": "After adjustment, it seems to work, but doesn't pay",
    }


def test_the_failed_check_that_causes_others_leads_where_nobody_tossed_a_coin() -> None:
    failed = (check("balance", "fail", "Apart."), check("leakage", "fail", "Copied."))
    found = decide(plan(), rows(), (check("identification", "pass"), *failed), None, registered=True, design_grade="C")
    assert found.arms["gig"].reason == "No decision, because the checks 'leakage' and 'balance' failed: Copied. Apart."
    trial = decide(plan(), rows(), failed, None, registered=True, design_grade="A")
    assert "'balance' and 'leakage' failed" in trial.arms["gig"].reason
