"""Every semantic rule of a plan in one tuple, and the function that runs them on what is valid."""

from cxcausal.core.spec.design_rules import DESIGN_RULES
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.epoch_rules import EPOCH_RULES
from cxcausal.core.spec.estimation_rules import ESTIMATION_RULES
from cxcausal.core.spec.event_rules import EVENT_RULES
from cxcausal.core.spec.graph_rules import GRAPH_RULES
from cxcausal.core.spec.learner_rules import LEARNER_RULES
from cxcausal.core.spec.metric_rules import METRIC_RULES
from cxcausal.core.spec.nodes import Finding
from cxcausal.core.spec.plan_rules import PLAN_RULES
from cxcausal.core.spec.policy_rules import POLICY_RULES
from cxcausal.core.spec.pruning import may_follow
from cxcausal.core.spec.segment_rules import SEGMENT_RULES
from cxcausal.core.spec.time_zero_rules import TIME_ZERO_RULES

RULES: tuple[Rule, ...] = (
    *PLAN_RULES,
    *POLICY_RULES,
    *EVENT_RULES,
    *DESIGN_RULES,
    *ESTIMATION_RULES,
    *EPOCH_RULES,
    *METRIC_RULES,
    *GRAPH_RULES,
    *SEGMENT_RULES,
    *LEARNER_RULES,
    *TIME_ZERO_RULES,
)


def broken_rules(draft: Draft) -> tuple[Finding, ...]:
    """Return what every rule finds on what is valid of a plan, but for what may follow from the rest."""
    found = (finding for rule in RULES for finding in rule(draft))
    return tuple(finding for finding in found if not may_follow(finding, draft.unread))
