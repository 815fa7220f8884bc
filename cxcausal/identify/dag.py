"""A causal graph with its hidden common causes written out as nodes, and walks over it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from cxcausal.core.causal_graph import CausalGraph

HIDDEN = "a hidden cause"
"""How a common cause that nobody named is called."""
_JOINT = "\n"
"""A sign that no name can hold joins the names of a pair to the name of their hidden cause."""


@dataclass(frozen=True, kw_only=True)
class Dag:
    """Every node with its parents and children, each in order."""

    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node, sorted."""
        return tuple(self.parents)


def dag_of(graph: CausalGraph, extra: Iterable[str] = ()) -> Dag:
    """Return a graph with a node for every hidden common cause, and `extra` names without an arrow.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> dag = dag_of(read_dot("digraph { a -> b; a -> b [dir=both] }"))
        >>> [shown(name) for name in dag.parents["b"]]
        ['a', 'a hidden cause']
    """
    hidden = [(_JOINT.join(pair), end) for pair in graph.hidden for end in pair]
    return _linked({*graph.nodes, *extra, *(cause for cause, _ in hidden)}, [*graph.arrows, *hidden])


def _linked(nodes: set[str], arrows: Iterable[tuple[str, str]]) -> Dag:
    parents: dict[str, list[str]] = {name: [] for name in sorted(nodes)}
    children: dict[str, list[str]] = {name: [] for name in sorted(nodes)}
    for cause, effect in sorted(arrows):
        parents[effect].append(cause)
        children[cause].append(effect)
    return Dag(
        parents={name: tuple(found) for name, found in parents.items()},
        children={name: tuple(found) for name, found in children.items()},
    )


def shown(name: str) -> str:
    """Return how a node is called in a sentence."""
    return HIDDEN if _JOINT in name else name


def ancestors(dag: Dag, nodes: Iterable[str]) -> frozenset[str]:
    """Return nodes and everything that leads to them."""
    return _reached(dag.parents, nodes)


def descendants(dag: Dag, nodes: Iterable[str]) -> frozenset[str]:
    """Return nodes and everything that they lead to."""
    return _reached(dag.children, nodes)


def _reached(steps: Mapping[str, tuple[str, ...]], nodes: Iterable[str]) -> frozenset[str]:
    seen, left = set(nodes), list(nodes)
    while left:
        new = [name for name in steps[left.pop()] if name not in seen]
        seen.update(new)
        left.extend(new)
    return frozenset(seen)


def without_arrows_from(dag: Dag, node: str) -> Dag:
    """Return the graph in which a node has no effect: what still links it with an outcome is no effect of it."""
    arrows = ((cause, effect) for cause, effects in dag.children.items() for effect in effects if cause != node)
    return _linked(set(dag.nodes), arrows)


def within(dag: Dag, nodes: Collection[str]) -> Dag:
    """Return the graph of some of the nodes."""
    arrows = ((cause, effect) for cause in nodes for effect in dag.children[cause] if effect in nodes)
    return _linked(set(nodes), arrows)


def words_of(dag: Dag, path: tuple[str, ...]) -> str:
    """Return a path in words, such as `route ← tier → churned`.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> words_of(dag_of(read_dot("digraph { tier -> {route churned} }")), ("route", "tier", "churned"))
        'route ← tier → churned'
    """
    words = [shown(path[0])]
    for at, name in enumerate(path[1:]):
        words += ["→" if path[at] in dag.parents[name] else "←", shown(name)]
    return " ".join(words)


def way(dag: Dag, start: str, goal: str) -> tuple[str, ...] | None:
    """Return the shortest way from a cause to its effect; None where it has no such effect."""
    before: dict[str, str | None] = {start: None}
    edge = [start]
    while edge and goal not in before:
        new = {child: name for name in reversed(edge) for child in dag.children[name] if child not in before}
        before.update(new)
        edge = sorted(new)
    if goal not in before:
        return None
    nodes, last = [goal], before[goal]
    while last is not None:
        nodes.append(last)
        last = before[last]
    return tuple(reversed(nodes))


def sources_of(dag: Dag, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes of a path that both its arrows leave, or the last one where its arrow leaves it."""
    outward = [path[at] not in dag.parents[name] for at, name in enumerate(path[1:])]
    turns = zip(path[1:], pairwise([*outward, False]), strict=True)
    return tuple(name for name, (out, further) in turns if out and not further)
