"""The gate of identification: what it says of a plan, with a graph and without."""

from typing import Any

import pytest

from cxcausal.checks.identification import Identification
from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.falsified import Falsified, Independence, Relation
from cxcausal.core.queries import FalsifyQuery
from cxcausal.core.results import CheckResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.identify.plan import identified
from cxcausal.identify.roles import graph_of_roles
from tests.conformance.plans import SMALL, small_plan

TREATMENT = {"column": "route", "control": "bot", "arms": {"bot": {}, "human": {}}}
COMPLAINT = {"name": "complaint", "type": "proportion", "column": "complained", "desired_direction": "decrease"}
GUARDED = {**SMALL["metrics"], "guardrails": [{**COMPLAINT, "margin": {"absolute": 0.01}}]}
TIER = "tier -> {route churned complained}; route -> {churned complained}"


def plan(**design: Any) -> ExperimentSpec:
    changes = {key: design.pop(key) for key in ("metrics", "covariates", "effect_modifiers") if key in design}
    return small_plan(design={"type": "observational", "treatment": TREATMENT, **design}, **changes)


def judged(spec: ExperimentSpec, **options: Any) -> CheckResult:
    assert Identification(**options).queries(spec) == ()
    return Identification(**options).judge(spec, {})


def test_declared_roles_are_the_plans_own_word() -> None:
    found = judged(plan(confounders=["tier", "tenure"]))
    assert (found.verdict, found.value) == ("pass", 0)
    assert found.text == (
        "Among units alike in 'tier' and 'tenure', nothing else that the plan knows of moves both 'route' and "
        "'churn'. That is the plan's own word: nobody drew a graph, and what nobody names, nobody sees."
    )


@pytest.mark.parametrize(("on_breach", "verdict"), [("fail", "fail"), ("warn", "warn"), ("skip", "info")])
def test_neither_confounders_nor_graph_is_not_identified(on_breach: str, verdict: str) -> None:
    found = judged(plan(), on_breach=on_breach)
    assert (found.verdict, found.value) == (verdict, 1)
    assert found.text == (
        "The plan names no confounders and draws no graph of 'churn', so nothing is ruled out. What 'route' does to "
        "'churn' can't be told from this plan: something that nobody recorded may move both. With no adjustment, this "
        "path stays open: route ← a hidden cause → churn. No set of recorded names closes every path."
    )


def test_covariates_alone_rule_nothing_out() -> None:
    assert judged(plan(covariates=["tenure"])).verdict == "fail"


def test_a_graph_can_say_that_nothing_needs_adjustment() -> None:
    found = judged(plan(graph="digraph { route -> churned }"))
    assert found.verdict == "pass"
    assert found.text == (
        "Nothing moves both 'route' and 'churned', so nothing needs to be adjusted for. So says the graph."
    )


def test_a_graph_that_is_not_there_identifies_nothing() -> None:
    found = judged(plan(graph="graphs/x.dot", confounders=["tier"]))
    assert (found.verdict, found.value) == ("fail", None)
    assert found.text == "The graph 'graphs/x.dot' is not there, so nobody can say what must be adjusted for."


def test_every_decisive_metric_is_told_of() -> None:
    good = judged(plan(graph=f"digraph {{ {TIER} }}", confounders=["tier"], metrics=GUARDED))
    assert good.verdict == "pass"
    assert good.text.endswith("So says the graph. The same goes for 'complaint'.")
    bad = judged(
        plan(
            graph=f"digraph {{ {TIER}; mood [latent]; mood -> {{route churned complained}} }}",
            confounders=["tier"],
            metrics=GUARDED,
        )
    )
    assert (bad.verdict, bad.value) == ("fail", 2)
    assert bad.text.startswith("What 'route' does to 'churned' can't be told from this plan: 'mood' moves both, and")
    assert bad.text.endswith("No set of recorded names closes every path. Nor is identified: 'complaint'.")


def test_a_guardrail_alone_withholds() -> None:
    graph = f"digraph {{ {TIER}; route -> complained [dir=both] }}"
    found = judged(plan(graph=graph, confounders=["tier"], metrics=GUARDED))
    assert (found.verdict, found.value) == ("fail", 1)
    assert "'complained'" in found.text


def test_a_metric_that_is_not_drawn_is_judged_by_the_lists() -> None:
    found = judged(
        plan(graph="digraph { tier -> {route churn}; route -> churn }", confounders=["tier"], metrics=GUARDED)
    )
    assert found.verdict == "pass"
    assert found.text.endswith("'complaint' is not in the graph, and judged by the plan's lists.")
    alone = judged(plan(graph="digraph { tier -> {route churn}; route -> churn }", metrics=GUARDED))
    assert (alone.verdict, alone.value) == ("fail", 1)
    assert alone.text.startswith("The plan names no confounders and draws no graph of 'complaint'")


def test_a_metric_that_is_only_told_withholds_nothing() -> None:
    metrics = {**SMALL["metrics"], "secondary": [COMPLAINT]}
    graph = f"digraph {{ {TIER}; route -> complained [dir=both] }}"
    assert judged(plan(graph=graph, confounders=["tier"], metrics=metrics)).verdict == "pass"


def test_a_declared_confounder_that_does_harm() -> None:
    graph = "digraph { tier -> {route churned}; route -> minutes -> churned }"
    found = judged(plan(graph=graph, confounders=["tier", "minutes"]))
    assert (found.verdict, "'minutes' comes after the treatment: route → minutes." in found.text) == ("fail", True)
    modifier = judged(plan(graph=graph, confounders=["tier"], effect_modifiers=["minutes"]))
    assert modifier.verdict == "fail"


def test_the_graph_chooses_beside_covariates_and_never_a_negative_control() -> None:
    dot = "digraph { tier -> route; tier -> calls -> churned; route -> churned; tier -> seen -> churned }"
    controls = {"outcomes": ["calls"]}
    (item,) = identified(plan(graph=dot, negative_controls=controls, covariates=["seen"]))
    assert (item.drawn, item.valid, item.outcomes[0].adjustment) == (True, True, ("tier", "seen"))
    assert all("calls" not in names for names in item.outcomes[0].alternatives)
    assert identified(small_plan()) == ()


def test_a_ratio_is_identified_where_both_its_parts_are() -> None:
    ratio = {
        "name": "aov",
        "type": "ratio",
        "numerator": "revenue",
        "denominator": "orders",
        "desired_direction": "increase",
    }
    dot = "digraph { tier -> {route revenue orders}; route -> {revenue orders}; route -> orders [dir=both] }"
    (item,) = identified(plan(graph=dot, confounders=["tier"], metrics={"success": [ratio]}))
    assert [found.outcome for found in item.outcomes] == ["revenue", "orders"]
    assert not item.valid


def test_the_graph_of_the_roles() -> None:
    spec = plan(
        confounders=["tier"],
        never_adjust=["minutes"],
        negative_controls={"outcomes": ["calls_before"], "exposures": ["weekday"]},
        covariates=["tier", "age"],
        effect_modifiers=["intent"],
    )
    assert graph_of_roles(spec).arrows == (
        ("age", "churn"),
        ("intent", "churn"),
        ("minutes", "churn"),
        ("route", "churn"),
        ("route", "minutes"),
        ("tier", "calls_before"),
        ("tier", "churn"),
        ("tier", "route"),
        ("tier", "weekday"),
    )
    assert adjusted_for(spec) == ("tier", "age", "intent")
    with pytest.raises(TypeError, match="randomized"):
        graph_of_roles(small_plan())


def test_roles_that_share_a_name_draw_no_cycle() -> None:
    metric = {**SMALL["metrics"]["success"][0], "name": "tier"}
    controls = {"outcomes": ["tier", "age", "minutes"], "exposures": ["age"]}
    spec = plan(
        confounders=["tier", "age"],
        never_adjust=["minutes", "age"],
        negative_controls=controls,
        metrics={"success": [metric]},
    )
    (item,) = identified(spec)
    assert (item.outcomes[0].outcome, item.valid) == ("tier (metric)", True)


def test_a_graph_is_tested_on_request_and_a_contradiction_withholds() -> None:
    spec = plan(graph="digraph { tier -> {route churn}; route -> churn; seen; weekday -> seen }", confounders=["tier"])
    check = Identification(falsify=True)
    (query,) = check.queries(spec)
    assert isinstance(query, FalsifyQuery)
    assert query.columns == (("churn", "churned"), ("route", "route"), ("tier", "tier"))
    implied = Independence(one="churn", other="tier", given=("route",))
    for violated, verdict in ((False, "pass"), (True, "fail")):
        tested = Relation(implied=implied, correlation=0.1, p=0.001, p_adjusted=0.002, violated=violated)
        found = check.judge(spec, {query: Falsified(tested=(tested,), untested=0, rows=900)})
        assert (found.verdict, found.value) == (verdict, 0)
        told = "The data contradict the graph in 1 of 1 pair: it calls" if violated else "contradict none of 1 pair"
        assert told in found.text
    assert Identification().queries(spec) == ()
    assert check.queries(plan(confounders=["tier"])) == check.queries(small_plan()) == ()


def test_a_design_with_a_coin_needs_no_adjustment() -> None:
    assert judged(small_plan()).text == (
        "A design of type randomized identifies its effect without adjusting for who was treated."
    )
