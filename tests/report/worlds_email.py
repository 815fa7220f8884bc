"""A result like that of the public e-mail trial: 64,000 customers, two e-mails, a plan made after the data."""

from dataclasses import replace
from typing import Any

from cxcausal.core.results import ArmValue, ArmVerdict, Assumption, Range, RunResult, ValuePart, ValueResult
from tests.report.worlds import CHECKS, Case, check, estimate, facts, outreach
from tests.report.worlds_plan import metric, plan


def email() -> RunResult:
    """Return the e-mail trial: retrospective, with example assumptions."""
    names = {"Mens E-Mail": (0.0766, 0.0034, 0.77, 0.145), "Womens E-Mail": (0.0452, 0.0032, 0.42, 0.130)}
    visit = Case(metric="visit", role="success", control=0.1062, point=0.0, se=1.0, level=0.975)
    spend = Case(metric="spend", role="secondary", control=0.653, point=0.0, se=1.0, unit="per customer")
    rows = []
    for arm, (point, se, money, money_se) in names.items():
        rows.append(estimate(replace(visit, point=point, se=se), arm, control="No E-Mail"))
        rows.append(estimate(replace(spend, point=money, se=money_se), arm, control="No E-Mail"))
    return outreach(
        experiment="hillstrom-email",
        verdict="pilot",
        recommended_arm="Mens E-Mail",
        arms={
            "Mens E-Mail": ArmVerdict(
                verdict="pilot", reason="Visits improved and it pays.", rule=3, capped_from="ship"
            ),
            "Womens E-Mail": ArmVerdict(
                verdict="pilot", reason="Visits improved and it pays.", rule=3, capped_from="ship"
            ),
        },
        capped_by="the plan was written after the data",
        registered=False,
        registration="The plan says itself that it was made after the data.",
        effects=tuple(rows),
        checks=(*CHECKS[:4], check("maturity", "could_not_run", "No window is declared, so maturity is not known.")),
        value=_email_value(),
        data=facts({"No E-Mail": 21306, "Mens E-Mail": 21307, "Womens E-Mail": 21387}),
        plan=_email_plan(),
    )


def _email_value() -> ValueResult:
    def arm(name: str, gain: float, half: float) -> ArmValue:
        net = gain - 0.05
        per = {level: Range(point=net, low=net - half, high=net + half) for level in ("low", "central", "high")}
        total = {
            k: Range(point=r.point * 21307, low=(net - half) * 21307, high=(net + half) * 21307) for k, r in per.items()
        }
        parts = (
            ValuePart(name="spend", label="Spend", per_customer=gain),
            ValuePart(name="cost", label="E-mails", per_customer=-0.05),
        )
        return ArmValue(
            arm=name, control="No E-Mail", n_treated=21307, net_per_customer=per, net_total=total, parts=parts,
            cost_per_customer=0.05, roi=net / 0.05, break_even_metric="spend", break_even=0.1667,
        )  # fmt: skip

    assumed = Assumption(metric="spend", name="per_unit", low=0.3, central=0.3, high=0.3)
    arms = (arm("Mens E-Mail", 0.231, 0.085), arm("Womens E-Mail", 0.126, 0.076))
    return ValueResult(currency="EUR", level=0.95, example_assumptions=True, assumptions=(assumed,), arms=arms)


def _email_plan() -> dict[str, Any]:
    base = plan()
    arms = {"No E-Mail": {"share": "1/3"}, "Mens E-Mail": {"share": "1/3"}, "Womens E-Mail": {"share": "1/3"}}
    return {
        **base,
        "id": "hillstrom-email",
        "title": None,
        "question": "Does an e-mail bring customers back to the shop, and which e-mail?",
        "design": {"type": "randomized", "treatment": {"column": "segment", "control": "No E-Mail", "arms": arms}},
        "metrics": {
            "success": [metric("visit", "proportion", "increase")],
            "guardrails": [],
            "secondary": [metric("spend", "mean", "increase", money={"per_unit": 0.3})],
            "exploratory": [],
        },
        "policy": {},
        "decision": {"minimum_worthwhile_effect": None, "actions": {}},
    }
