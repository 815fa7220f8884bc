"""A reading that concludes nothing yet: hold for every arm, unless a check failed."""

from cxcausal.core.results import Grade
from cxcausal.decision.verdict import Decision, wait
from tests.decision.worlds import check, plan


def waited(*names: str, grade: Grade = "A") -> Decision:
    checks = [check(name, "fail") for name in names]
    return wait(plan(), checks, "an arm has 7 analysed units", design_grade=grade)


def test_every_arm_holds_and_the_plan_s_first_is_spoken_of() -> None:
    found = waited(grade="B")
    assert (found.verdict, found.recommended_arm, found.grade, found.capped_by) == ("hold", "gig", "B", None)
    assert {arm.verdict for arm in found.arms.values()} == {"hold"}
    assert found.arms["agent"].reason == "Cannot tell yet: an arm has 7 analysed units."


def test_a_failed_check_still_withholds_the_verdict() -> None:
    found = waited("srm")
    assert (found.verdict, found.recommended_arm, found.grade) == ("no_decision", None, "D")
    assert found.arms["gig"].rule == 1
