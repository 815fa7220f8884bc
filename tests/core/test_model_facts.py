"""What fresh customers are assigned by: the rule that the run recommended."""

from cxcausal.core.model_facts import rule_of
from cxcausal.core.whom import PolicyResult, PolicyWorth, Told


def found(recommended: str, *, targeting: bool = False) -> PolicyResult:
    """An agent gains most of all, but there is money for one customer in twenty; a mail everybody can have."""
    policies = (
        PolicyWorth(name="everybody:agent", label="agent", gain=Told(point=10.0)),
        PolicyWorth(name="everybody:mail", label="mail", gain=Told(point=5.0)),
    )
    return PolicyResult(
        aim="v", label="v", unit="EUR", level=0.95, recommended=recommended, targeting=targeting, policies=policies
    )


def test_the_best_single_arm_is_the_one_within_the_limits() -> None:
    assert rule_of(found("best_arm"), "mail") == "everybody:mail"
    assert rule_of(found("best_arm")) == "everybody:agent"


def test_a_rule_that_chooses_is_applied_as_it_is() -> None:
    assert rule_of(found("limited", targeting=True), "mail") == "limited"
    assert rule_of(found("nobody"), "mail") == "nobody"
