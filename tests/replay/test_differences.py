"""What a replay compares: all that was computed, who responds and whom to contact among it."""

from typing import Any

from cxcausal.reviewing.differences import differences, numbers_of

POLICY: dict[str, Any] = {
    "recommended": "limited",
    "policies": [{"name": "limited", "gain": {"point": 3.0, "se": 0.5}}],
}
AIM: dict[str, Any] = {"name": "margin", "arms": [{"arm": "call", "average": {"point": 2.0}}]}


def test_another_rule_or_response_is_a_difference() -> None:
    then: dict[str, Any] = {"verdict": "ship", "policy": POLICY, "heterogeneity": [AIM]}
    now = {**then, "policy": {**POLICY, "recommended": "nobody"}, "heterogeneity": []}
    found = {one.name: (one.then, one.now) for one in differences(numbers_of(then), numbers_of(now))}
    assert found["policy recommended"] == ("limited", "nobody")
    assert found["heterogeneity margin arms call average point"] == (2.0, "(absent)")


def test_a_plan_that_does_not_ask_has_nothing_more_to_compare() -> None:
    now: dict[str, Any] = {"verdict": "ship", "policy": None, "heterogeneity": []}
    assert list(numbers_of(now)) == list(numbers_of({"verdict": "ship"})) == ["verdict"]
