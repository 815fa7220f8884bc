"""What a graph says must be unrelated in the data: pairs of recorded names, each with what is held fixed."""

from collections.abc import Collection, Iterator
from itertools import combinations

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.falsified import Independence
from cxcausal.identify.dag import Dag, ancestors, dag_of
from cxcausal.identify.separation import open_path


def implied_by(graph: CausalGraph, measured: Collection[str], most: int) -> tuple[Independence, ...]:
    """Return what a graph implies about recorded columns, one entry per pair that it separates.

    A pair that any set separates is separated by its recorded causes (van der Zander, Liśkiewicz & Textor 2019), so
    one walk tells; of that set names are dropped while they can be spared.

    Args:
        graph: the graph.
        measured: the columns at hand.
        most: of how many pairs to tell; those with the fewest causes come first.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> graph = read_dot("digraph { tier -> {route churned} }")
        >>> [(item.one, item.other, item.given) for item in implied_by(graph, graph.nodes, 10)]
        [('churned', 'route', ('tier',))]
    """
    dag = dag_of(graph)
    found = sorted(_separated(dag, sorted(set(graph.observed) & set(measured))), key=lambda item: len(item.given))
    return tuple(_spared(dag, item) for item in found[:most])


def _separated(dag: Dag, names: list[str]) -> Iterator[Independence]:
    for one, other in combinations(names, 2):
        given = tuple(sorted(ancestors(dag, (one, other)) & set(names) - {one, other}))
        if open_path(dag, one, other, given) is None:
            yield Independence(one=one, other=other, given=given)


def _spared(dag: Dag, found: Independence) -> Independence:
    kept = found.given
    for name in found.given:
        fewer = tuple(other for other in kept if other != name)
        kept = fewer if open_path(dag, found.one, found.other, fewer) is None else kept
    return Independence(one=found.one, other=found.other, given=kept)
