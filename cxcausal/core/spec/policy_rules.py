"""What a policy may look at: nothing that the contact decides or changes, for whoever is chosen isn't yet contacted."""

from collections.abc import Iterator

from cxcausal.core.spec.designs import Encouragement, Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.filter_grammar import FilterError, columns_of, parse_filter
from cxcausal.core.spec.nodes import Finding
from cxcausal.core.spec.segment_rules import consequences_of


def eligible_before_contact(draft: Draft) -> Iterator[Finding]:
    """Who may be contacted doesn't hang on who was, nor on what came of it."""
    text = None if draft.policy is None else draft.policy.eligible
    taken = _known_later(draft)
    for name in dict.fromkeys(_columns_of(text)):
        if name in taken:
            what = f"'{name}' is {taken[name]}, and can't decide who may be contacted"
            mend = "use columns known before anybody was contacted"
            yield Finding(path=("policy", "eligible"), code="P396", what=what, mend=mend)


def rule_before_contact(draft: Draft) -> Iterator[Finding]:
    """The rule in use doesn't know what comes of contacts; where nobody tossed a coin, it may be what was done."""
    name = None if draft.policy is None else draft.policy.current_rule
    taken = _known_later(draft)
    done = isinstance(draft.design, Observational) and name == draft.design.treatment.column
    if name in taken and not done:
        what = f"'{name}' is {taken[name]}, and can't be the rule in use"
        mend = "name a column that says what the rule in use would do with each customer"
        yield Finding(path=("policy", "current_rule"), code="P397", what=what, mend=mend)


def protected_before_contact(draft: Draft) -> Iterator[Finding]:
    """Groups that are watched are not made by the contact, and each is named once."""
    names = () if draft.policy is None else draft.policy.protected
    taken = _known_later(draft)
    for at, name in enumerate(names):
        path = ("policy", "protected", at)
        if name in taken:
            what = f"'{name}' is {taken[name]}, and makes no protected group"
            yield Finding(path=path, code="P398", what=what, mend="name what customers are, such as age_band")
        elif name in names[:at]:
            what = f"'{name}' stands twice in policy.protected"
            yield Finding(path=path, code="P314", what=what, mend="remove one")


def _known_later(draft: Draft) -> dict[str, str]:
    """Return the columns that are not known when somebody is chosen, each with what it is."""
    found = {name: f"the outcome of metric '{planned.metric.name}'"
             for planned in draft.metrics for name in planned.metric.columns}  # fmt: skip
    for planned in draft.metrics:
        if planned.metric.response is not None:
            found[planned.metric.response] = f"whether '{planned.metric.name}' was answered"
    if draft.design is None:
        return found
    treatment = draft.design.treatment
    if isinstance(draft.design, Observational):
        after = consequences_of(draft.design.causal_graph, treatment.column)
        found |= {name: f"a consequence of '{treatment.column}' in the graph" for name in after if name not in found}
    if treatment.received is not None:
        found[treatment.received] = "what was received"
    if isinstance(draft.design, Encouragement):
        found[draft.design.instrument.column] = "the instrument"
    return found | {treatment.column: "the treatment"}


def _columns_of(text: str | None) -> tuple[str, ...]:
    """Return the columns of a condition; those of one that can't be parsed are told by another rule."""
    try:
        return () if text is None else columns_of(parse_filter(text))
    except FilterError:
        return ()


POLICY_RULES: tuple[Rule, ...] = (eligible_before_contact, rule_before_contact, protected_before_contact)
