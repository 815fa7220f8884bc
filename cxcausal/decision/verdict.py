"""From effects, checks and money to the verdict of every arm, and to the arm that is recommended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from cxcausal.core.results import ArmVerdict, CheckResult, Estimate, Grade, ValueResult, Verdict
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.decision.caps import RANK, capped, joined, tightest_cap
from cxcausal.decision.evidence import Evidence, evidence_of
from cxcausal.decision.rules import RULES, failed_check
from cxcausal.decision.surveys import survey_cap


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The experiment's verdict is that of the recommended arm; a failed gate recommends none.

    `capped_by` says why the recommended arm's verdict is weaker than its numbers alone would make it.
    """

    verdict: Verdict
    recommended_arm: str | None
    arms: Mapping[str, ArmVerdict]
    grade: Grade
    capped_by: str | None


def decide(
    spec: ExperimentSpec,
    effects: Sequence[Estimate],
    checks: Sequence[CheckResult],
    value: ValueResult | None,
    *,
    registered: bool,
    design_grade: Grade,
) -> Decision:
    """Return the verdict of every arm by the first rule that applies, capped by the evidence.

    Args:
        spec: the resolved plan.
        effects: all rows, success rows at the level at which they were tested, guardrails one-sided.
        checks: all checks; one that failed withholds every verdict, one that could not run does not.
        value: what the arms are worth, or None where the plan puts no money on any metric.
        registered: whether the plan was registered before the data.
        design_grade: the grade of evidence that the design gives if no check fails.
    """
    found = {arm: evidence_of(spec, arm, effects, checks, value) for arm in spec.treated_arms}
    failed = any(check.verdict == "fail" for check in checks)
    grade: Grade = "D" if failed else design_grade
    cap = tightest_cap(spec, grade, registered=registered)
    caps = {arm: joined(cap, survey_cap(evidence, effects)) for arm, evidence in found.items()}
    arms = {arm: capped(_first(evidence), caps[arm]) for arm, evidence in found.items()}
    recommended = _recommended(found, arms)
    chosen = arms[recommended] if recommended is not None else None
    return Decision(
        verdict="no_decision" if chosen is None else chosen.verdict,
        recommended_arm=recommended,
        arms=arms,
        grade=grade,
        capped_by=caps[recommended].why if recommended is not None and arms[recommended].capped_from else None,
    )


def wait(spec: ExperimentSpec, checks: Sequence[CheckResult], reason: str, *, design_grade: Grade) -> Decision:
    """Return the decision of a reading that concludes nothing yet: hold, and none where a check failed.

    Args:
        spec: the resolved plan.
        checks: all checks; one that failed withholds every verdict.
        reason: why it is too early, without a full stop.
        design_grade: the grade of evidence that the design gives if no check fails.
    """
    found = {arm: evidence_of(spec, arm, (), checks, None) for arm in spec.treated_arms}
    later = ArmVerdict(verdict="hold", rule=4, reason=f"Cannot tell yet: {reason}.")
    arms = {arm: failed_check(evidence) or later for arm, evidence in found.items()}
    recommended = _recommended(found, arms)
    return Decision(
        verdict="no_decision" if recommended is None else "hold",
        recommended_arm=recommended,
        arms=arms,
        grade="D" if recommended is None else design_grade,
        capped_by=None,
    )


def _first(evidence: Evidence) -> ArmVerdict:
    return next(verdict for rule in RULES if (verdict := rule(evidence)) is not None)


def _recommended(found: Mapping[str, Evidence], arms: Mapping[str, ArmVerdict]) -> str | None:
    """Return the arm with the best verdict; of several, the one worth most, and of these the plan's first.

    There is none where nothing can be decided about any arm.
    """
    if all(verdict.verdict == "no_decision" for verdict in arms.values()):
        return None
    best = min(RANK.index(verdict.verdict) for verdict in arms.values())
    candidates = [arm for arm, verdict in arms.items() if RANK.index(verdict.verdict) == best]
    return max(candidates, key=lambda arm: (_worth(found[arm]), _benefit(found[arm])))


def _worth(evidence: Evidence) -> float:
    """Return central net value per customer, the lowest where there is none."""
    value = evidence.value
    net = value.net_per_customer.get("central") if value is not None else None
    return -inf if net is None else net.point


def _benefit(evidence: Evidence) -> float:
    """Return the benefit on the first success metric, the lowest where there is none."""
    benefit = evidence.benefit(evidence.spec.metrics.success[0])
    return -inf if benefit is None else benefit.point
