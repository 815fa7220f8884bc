"""What a policy may look at: nothing that contacts decide or change."""

from collections.abc import Callable

import pytest

Told = Callable[..., list[tuple[str, str]]]

PLAN = """schema_version: 1
id: x
question: Why?
owner: me@example.com
data: {source: data/x.csv, unit: customer}
metrics:
  success: [{name: csat, type: mean, column: score, response: answered, desired_direction: increase}]
  secondary: [{name: worth, type: ratio, numerator: paid, denominator: orders, desired_direction: increase}]
"""
RANDOMIZED = """design:
  type: randomized
  treatment: {column: took, control: 0, arms: {}, received: reached}
"""
OBSERVATIONAL = """design:
  type: observational
  confounders: [age]
  treatment: {column: took, control: 0, arms: {}}
"""


@pytest.mark.parametrize("name", ["took", "score", "answered", "paid", "orders", "reached"])
@pytest.mark.parametrize(
    ("policy", "code"), [("eligible: {} == 0", "P396"), ("current_rule: {}", "P397"), ("protected: [age, {}]", "P398")]
)
def test_a_policy_looks_at_nothing_that_comes_later(told: Told, policy: str, code: str, name: str) -> None:
    def codes(column: str) -> list[str]:
        return [found for found, _ in told(PLAN + RANDOMIZED + "policy: {" + policy.format(column) + "}\n")]

    assert codes("tier") == []
    assert codes(name) == [code]


def test_what_was_done_may_be_the_rule_in_use_where_nobody_tossed_a_coin(told: Told) -> None:
    assert told(PLAN + OBSERVATIONAL + "policy: {current_rule: took}\n") == []
    (found,) = told(PLAN + OBSERVATIONAL + "policy: {current_rule: score}\n")
    assert found[0] == "P397"


def test_a_protected_column_stands_once(told: Told) -> None:
    ((code, text),) = told(PLAN + RANDOMIZED + "policy: {protected: [age, age]}\n")
    assert code == "P314"
    assert "twice" in text


def test_a_policy_looks_at_no_drawn_consequence_of_the_treatment(told: Told) -> None:
    drawn = OBSERVATIONAL + "  graph: graphs/g.dot\n"
    dot = "digraph { age -> took; age -> score; took -> mood; mood -> score; tier -> score }"
    for policy, code in (
        ("eligible: mood == 0", "P396"),
        ("current_rule: mood", "P397"),
        ("protected: [mood]", "P398"),
    ):
        assert [found for found, _ in told(PLAN + drawn + f"policy: {{{policy}}}\n", {"graphs/g.dot": dot})] == [code]
    assert told(PLAN + drawn + "policy: {protected: [tier]}\n", {"graphs/g.dot": dot}) == []
