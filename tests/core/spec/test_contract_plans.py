"""The plans and configurations of the contract are valid as they are, and mean what they say."""

from fractions import Fraction
from pathlib import Path

from cxcausal.core.spec.load import load_experiment


def test_every_contract_plan_is_valid(shared_contract: Path) -> None:
    plans = sorted((shared_contract / "experiments").glob("*.yaml"))
    assert len(plans) >= 6
    types = {load_experiment(path).spec.design.type for path in plans}
    assert types == {"randomized", "observational", "encouragement", "staggered_rollout", "threshold"}


def test_the_outreach_trial(shared_contract: Path) -> None:
    resolved = load_experiment(shared_contract / "experiments" / "proactive_outreach.yaml")
    spec = resolved.spec
    assert spec.arms == ("none", "gig", "agent")
    assert spec.shares == {"none": Fraction(1, 2), "gig": Fraction(1, 4), "agent": Fraction(1, 4)}
    assert [metric.name for metric in spec.metrics.guardrails] == ["complaint_30d", "csat", "handle_minutes_30d"]
    assert (spec.randomization_unit, spec.clusters) == ("household_id", ("household_id",))
    assert spec.value_model is not None
    assert list(spec.value_model.worth) == ["retained_customer"]
    assert resolved.project.organisation == "Example Telecom"


def test_the_least_a_user_must_write(shared_contract: Path) -> None:
    spec = load_experiment(shared_contract / "experiments" / "minimal_rct.yaml").spec
    assert spec.control == "No E-Mail"
    assert spec.data.unit is None
    assert spec.analysis.seed == 20261122
