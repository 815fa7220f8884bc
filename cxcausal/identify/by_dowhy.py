"""DoWhy's word on a graph: which sets close the back doors, and which names are instruments."""

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cxcausal.identify.adjustment import candidates
from cxcausal.identify.dag import Dag, ancestors, descendants, within

MAX_SEARCHED = 10
"""Names up to which DoWhy searches all sets: it tries every one, so that each name more doubles its time."""


def closes(dag: Dag, treatment: str, outcome: str, adjusted: Collection[str]) -> bool:
    """Return whether DoWhy takes a set for a valid back-door set.

    DoWhy tests the paths alone, and would take what the treatment changes (a mediator) for a valid set: the back-door
    criterion's first half (Pearl 2009, definition 3.3.1) is ours.
    """
    with _quiet_import():
        from dowhy.graph import check_valid_backdoor_set  # noqa: PLC0415 - seconds, and only where it is asked

    if set(adjusted) & descendants(dag, (treatment,)):
        return False
    near = within(dag, ancestors(dag, (treatment, outcome, *adjusted)))
    return bool(check_valid_backdoor_set(_networkx(near), [treatment], [outcome], set(adjusted))["is_dseparated"])


def smallest_sets(dag: Dag, treatment: str, outcome: str, allowed: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the smallest sets that DoWhy's search finds; nothing where there are too many names to search.

    Only names that can help are searched. DoWhy's faster search is not used: it fails with an error where two paths
    of the effect begin with the same arrow, and takes all paths one by one.
    """
    with _quiet_import():
        from dowhy.causal_identifier.auto_identifier import (  # noqa: PLC0415 - see closes
            BackdoorAdjustment,
            identify_backdoor,
        )

    helpful = candidates(dag, treatment, outcome, allowed)
    if len(helpful) > MAX_SEARCHED:
        return ()
    near = _networkx(within(dag, ancestors(dag, (treatment, outcome))))
    observed = [*helpful, treatment, outcome]
    found = identify_backdoor(near, [treatment], [outcome], observed, BackdoorAdjustment.BACKDOOR_MIN)
    return tuple(sorted(tuple(sorted(item.get_adjustment_variables())) for item in found))


def instruments(dag: Dag, treatment: str, outcome: str, observed: Collection[str]) -> tuple[str, ...]:
    """Return the recorded names that move the treatment, and the outcome in no other way, as DoWhy finds them.

    DoWhy also names what was never recorded, which helps nobody, and goes wrong where the treatment has no effect by
    the graph; both are left out.
    """
    with _quiet_import():
        from dowhy.graph import get_instruments  # noqa: PLC0415 - see closes

    if outcome not in descendants(dag, (treatment,)):
        return ()
    return tuple(sorted(set(get_instruments(_networkx(dag), [treatment], [outcome])) & set(observed)))


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Let DoWhy bring its plotting library without that one's words about its own folders: nothing is plotted."""
    plotting = logging.getLogger("matplotlib")
    before = plotting.level
    plotting.setLevel(logging.ERROR)
    try:
        yield
    finally:
        plotting.setLevel(before)


def _networkx(dag: Dag) -> Any:  # noqa: ANN401 - an untyped graph
    from networkx import DiGraph  # noqa: PLC0415 - see closes

    graph = DiGraph()
    graph.add_nodes_from(dag.nodes)
    graph.add_edges_from((cause, effect) for cause, effects in dag.children.items() for effect in effects)
    return graph
