"""What must be true of what a plan says about whom to contact."""

from collections.abc import Iterator

from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.filter_grammar import FilterError, columns_of, parse_filter
from cxcausal.core.spec.metric_rules import taken_columns
from cxcausal.core.spec.nodes import Finding, Path
from cxcausal.core.spec.segment_rules import consequences_of

_KNOWN_BEFORE = "name a column that is known before anybody is contacted"


def policy_is_known_before(draft: Draft) -> Iterator[Finding]:
    """Whom a rule may contact, whom today's rule contacts and who is protected is known before any contact."""
    answered = {planned.metric.response: planned.metric.name for planned in draft.metrics}
    told = {name: ("P310", f"whether '{metric}' was answered") for name, metric in answered.items() if name is not None}
    taken = _drawn_later(draft) | told | taken_columns(draft)
    done = draft.design.treatment.column if isinstance(draft.design, Observational) else None
    for path, name in _named(draft):
        if name in taken and not (path[-1] == "current_rule" and name == done):  # the rule in use made these data
            code, owner = taken[name]
            what = f"'{name}' is {owner}, which nobody knows when customers are chosen"
            yield Finding(path=path, code=code, what=what, mend=_KNOWN_BEFORE)


def protected_is_not_learned_from(draft: Draft) -> Iterator[Finding]:
    """No rule looks at a protected column."""
    protected = () if draft.policy is None else draft.policy.protected
    for at, name in enumerate(draft.names("effect_modifiers")):
        if name in protected:
            what = f"'{name}' is in policy.protected, and rules would be learned from it"
            mend = "keep it in one: effect_modifiers are what rules look at, protected columns what they never do"
            yield Finding(path=("effect_modifiers", at), code="P393", what=what, mend=mend)


def ids_are_no_modifiers(draft: Draft) -> Iterator[Finding]:
    """Who a customer is is nothing that other customers share."""
    unit = None if draft.data is None else draft.data.unit
    for at, name in enumerate(draft.names("effect_modifiers")):
        if name == unit:
            what = f"'{name}' is the customer's id, and nothing learned of it holds for anybody else"
            yield Finding(path=("effect_modifiers", at), code="P394", what=what, mend="remove it")


def ids_are_not_protected(draft: Draft) -> Iterator[Finding]:
    """Who is protected is a group, and an id has none."""
    unit = None if draft.data is None else draft.data.unit
    for at, name in enumerate(() if draft.policy is None else draft.policy.protected):
        if name == unit:
            what = f"'{name}' is the customer's id, and no group of customers"
            yield Finding(path=("policy", "protected", at), code="P395", what=what, mend="name a column of groups")


def control_serves_the_rest(draft: Draft) -> Iterator[Finding]:
    """Whoever gets no other arm gets the control, however many they are."""
    if draft.design is None:
        return
    treatment = draft.design.treatment
    arm = treatment.arms.get(treatment.control)
    if arm is not None and arm.capacity is not None:
        what = f"'{treatment.control}' is the control, which serves whoever gets no other arm: no capacity can limit it"
        mend = "remove it, and give the other arms theirs; or name as control the arm that serves the rest"
        path = ("design", "treatment", "arms", treatment.control, "capacity")
        yield Finding(path=path, code="P396", what=what, mend=mend)


def policy_notes(draft: Draft) -> Iterator[str]:
    """Yield what of a policy will not be used, and why."""
    policy = draft.policy
    if policy is None:
        return
    left = draft.names("effect_modifiers") or draft.names("covariates") or draft.names("segments")
    kept = [name for name in left if name not in policy.protected]
    if not kept:
        yield "Whom to contact will not be learned: add effect_modifiers, the columns that a rule may look at."
    dropped = [f"'{name}'" for name in left if name in policy.protected]
    if kept and dropped:
        yield f"No rule for whom to contact looks at {', '.join(dropped)}, which is protected."
    arms = {} if draft.design is None else draft.design.treatment.arms
    if policy.budget is not None and draft.design is not None and not any(arm.unit_cost for arm in arms.values()):
        yield "The budget will not be applied: no arm has a unit_cost."


def _drawn_later(draft: Draft) -> dict[str, tuple[str, str]]:
    """Return what the graph draws as a consequence of the treatment, with the code and the words of why."""
    if not isinstance(draft.design, Observational):
        return {}
    treatment = draft.design.treatment.column
    words = f"a consequence of '{treatment}' in the graph"
    return dict.fromkeys(consequences_of(draft.design.causal_graph, treatment), ("P385", words))


def _named(draft: Draft) -> Iterator[tuple[Path, str]]:
    policy = draft.policy
    if policy is None:
        return
    if policy.current_rule is not None:
        yield ("policy", "current_rule"), policy.current_rule
    for at, name in enumerate(policy.protected):
        yield ("policy", "protected", at), name
    try:
        used = () if policy.eligible is None else columns_of(parse_filter(policy.eligible))
    except FilterError:
        return  # told by the rule about filters
    for name in used:
        yield ("policy", "eligible"), name


POLICY_RULES: tuple[Rule, ...] = (
    policy_is_known_before,
    protected_is_not_learned_from,
    ids_are_no_modifiers,
    ids_are_not_protected,
    control_serves_the_rest,
)
