"""What may make a segment where nobody tossed a coin: something from before the treatment, and nothing it changed."""

from collections.abc import Iterable, Iterator

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.nodes import Finding


def segments_come_before(draft: Draft) -> Iterator[Finding]:
    """No segment is drawn as a consequence of the treatment."""
    design = draft.design
    if not isinstance(design, Observational):
        return
    treatment = design.treatment.column
    after = consequences_of(design.causal_graph, treatment)
    outcomes = {column for planned in draft.metrics for column in planned.metric.columns}
    for at, name in enumerate(draft.names("segments")):
        # Outcomes and what is in never_adjust are refused by rules of their own.
        if name in after and name not in outcomes and name not in design.never_adjust:
            what = f"the graph draws '{name}' as a consequence of '{treatment}', and such a thing makes no segment"
            mend = "remove it, or name something that was known before anybody was treated"
            yield Finding(path=("segments", at), code="P385", what=what, mend=mend)


def consequences_of(graph: CausalGraph | None, name: str) -> frozenset[str]:
    """Return every name that a graph draws as an effect of another, directly or by way of others.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> sorted(consequences_of(read_dot("digraph { call -> mood -> churn; tier -> call }"), "call"))
        ['churn', 'mood']
    """
    found: set[str] = set()
    left = {name}
    while left and graph is not None:
        left = _effects(graph.arrows, left) - found
        found |= left
    return frozenset(found)


def _effects(arrows: Iterable[tuple[str, str]], causes: set[str]) -> set[str]:
    return {effect for cause, effect in arrows if cause in causes}


SEGMENT_RULES: tuple[Rule, ...] = (segments_come_before,)
