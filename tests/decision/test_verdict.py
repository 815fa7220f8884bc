"""Caps, the recommended arm and the experiment's verdict."""

import pytest

from cxcausal.core.results import Estimate, Grade, ValueResult, Verdict
from cxcausal.decision.verdict import Decision, decide
from tests.decision.worlds import check, missing, money, plan, row, rows

UNREGISTERED = "the plan was not registered before the data"
ADJUSTED = "the evidence is of grade C (adjusted for known differences only)"
RETROSPECTIVE = "the plan is retrospective: it was made after the data"


def decision(
    *effects: Estimate,
    value: ValueResult | None = None,
    registered: bool = True,
    retrospective: bool = False,
    grade: Grade = "A",
) -> Decision:
    spec = plan(retrospective=retrospective)
    return decide(spec, rows(*effects), (), value, registered=registered, design_grade=grade)


@pytest.mark.parametrize(
    ("grade", "registered", "retrospective", "verdict", "capped_by"),
    [
        ("A", True, False, "ship", None),
        ("A", False, False, "pilot", UNREGISTERED),
        ("A", True, True, "pilot", RETROSPECTIVE),
        ("A", False, True, "pilot", RETROSPECTIVE),
        ("B", True, False, "ship_with_monitoring", "the evidence is of grade B (as if random)"),
        ("B", False, False, "pilot", UNREGISTERED),
        ("C", True, False, "pilot", ADJUSTED),
        ("C", False, False, "pilot", f"{ADJUSTED}; also, {UNREGISTERED}"),
        ("C", False, True, "pilot", f"{ADJUSTED}; also, {RETROSPECTIVE}"),
    ],
)
def test_caps(grade: Grade, registered: bool, retrospective: bool, verdict: Verdict, capped_by: str | None) -> None:  # noqa: FBT001 - a table's columns
    found = decision(grade=grade, registered=registered, retrospective=retrospective)
    assert (found.verdict, found.capped_by, found.grade) == (verdict, capped_by, grade)
    assert found.arms["gig"].capped_from == (None if capped_by is None else "ship")
    assert found.arms["gig"].rule == 3


def test_a_cap_is_told_in_the_reason() -> None:
    reasons = {grade: decision(grade=grade).arms["gig"].reason for grade in ("B", "C")}
    assert reasons["B"].endswith("At most shipping with monitoring, because the evidence is of grade B (as if random).")
    assert decision(registered=False).arms["gig"].reason.endswith(f" At most a pilot, because {UNREGISTERED}.")


def test_grade_d_takes_the_verdict_away() -> None:
    assert decision(grade="D").arms["gig"].verdict == "no_decision"


def test_caps_leave_hold_and_stop_alone() -> None:
    plain = decision(row("churn", 0.004, 0.02))
    capped = decision(row("churn", 0.004, 0.02), registered=False, retrospective=True, grade="C")
    assert capped.arms == plain.arms
    assert (capped.verdict, capped.capped_by) == ("hold", None)
    assert {arm: found.verdict for arm, found in capped.arms.items()} == {"gig": "stop", "agent": "hold"}


def test_a_failed_gate_recommends_nothing_and_is_grade_d() -> None:
    found = decide(plan(), rows(), (check("srm", "fail"),), None, registered=True, design_grade="A")
    assert (found.verdict, found.recommended_arm, found.grade, found.capped_by) == ("no_decision", None, "D", None)
    assert [arm.verdict for arm in found.arms.values()] == ["no_decision", "no_decision"]


def test_an_arm_that_harms_stops_only_itself() -> None:
    found = decision(row("churn", 0.004, 0.02, arm="agent"))
    assert {arm: verdict.verdict for arm, verdict in found.arms.items()} == {"gig": "ship", "agent": "stop"}
    assert (found.verdict, found.recommended_arm) == ("ship", "gig")


@pytest.mark.parametrize(
    ("gig", "agent", "recommended"),
    [
        ((1.0, 2.0, 3.0), (2.0, 3.0, 4.0), "agent"),
        ((2.0, 3.0, 4.0), (1.0, 2.0, 3.0), "gig"),
        ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), "gig"),
        ((-1.0, 2.0, 3.0), (1.0, 1.5, 3.0), "agent"),
    ],
)
def test_best_verdict_first_and_then_net_value(
    gig: tuple[float, float, float], agent: tuple[float, float, float], recommended: str
) -> None:
    found = decision(row("churn", -0.02, -0.004, arm="agent"), value=money(gig=gig, agent=agent))
    assert found.recommended_arm == recommended
    assert found.verdict == "ship"


def test_without_money_the_best_first_success_metric_in_its_good_direction() -> None:
    assert decision(row("churn", -0.03, -0.01, arm="agent")).recommended_arm == "agent"
    assert decision(row("churn", -0.012, -0.008, arm="agent")).recommended_arm == "gig"


def test_an_arm_without_a_net_value_comes_last_among_equals() -> None:
    found = decision(row("churn", -0.02, 0.004), value=money(gig=None, agent=(-9.0, -8.0, -7.0)))
    assert {verdict.verdict for verdict in found.arms.values()} == {"hold"}
    assert found.recommended_arm == "agent"


def test_an_arm_without_any_success_metric_has_no_decision_and_is_not_recommended() -> None:
    found = decision(missing("churn", "nobody is left"), row("churn", -0.004, 0.006, arm="agent"))
    assert {arm: verdict.verdict for arm, verdict in found.arms.items()} == {"gig": "no_decision", "agent": "hold"}
    assert found.recommended_arm == "agent"


def test_hold_is_better_than_stop_and_stop_is_still_recommended_when_alone() -> None:
    both = decision(row("churn", 0.004, 0.02), row("churn", 0.002, 0.01, arm="agent"))
    assert (both.verdict, both.recommended_arm) == ("stop", "agent")
    assert decision(row("churn", 0.004, 0.02)).recommended_arm == "agent"


def test_no_reason_names_a_row_or_uses_banned_words() -> None:
    texts = " ".join(found.reason for found in decision(registered=False).arms.values()).lower()
    assert not [word for word in ("proves", "significant", "trend towards", "winner", "up to") if word in texts]
