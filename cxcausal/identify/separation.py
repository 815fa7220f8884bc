"""Which paths of a graph are open when some names are held fixed: d-separation, and the shortest open path."""

from collections import deque
from collections.abc import Collection, Iterator

from cxcausal.identify.dag import Dag, ancestors, descendants

_State = tuple[str, bool]
"""A node, and whether the walk came to it along an arrow (from a cause), rather than against one."""


def open_path(dag: Dag, start: str, goal: str, given: Collection[str]) -> tuple[str, ...] | None:
    """Return the shortest path between two nodes along which they move together while `given` is held fixed.

    A name in the middle lets pass unless it is fixed; one at which two arrows meet (a collider) lets pass only if it,
    or something that it leads to, is fixed. One breadth-first walk over (node, direction), so its steps are at most
    four times the arrows (Koller & Friedman 2009, algorithm 3.1). Equally short paths: the first in the alphabet.

    Args:
        dag: the graph.
        start: where the path begins, not in `given`.
        goal: where it ends, not in `given`.
        given: what is held fixed.

    Returns:
        The nodes of the path, both ends included; None where no path is open.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> from cxcausal.identify.dag import dag_of
        >>> dag = dag_of(read_dot("digraph { a -> c; b -> c; c -> d }"))
        >>> open_path(dag, "a", "b", ()), open_path(dag, "a", "b", ("d",))
        (None, ('a', 'c', 'b'))
    """
    fixed, opened = frozenset(given), ancestors(dag, given)
    before: dict[_State, _State | None] = {(start, False): None}
    left = deque(before)
    while left:
        state = left.popleft()
        for step in _steps(dag, state, fixed, opened):
            if step in before or step[0] == start:
                continue
            before[step] = state
            if step[0] == goal:
                return _walked(before, step)
            left.append(step)
    return None


def _steps(dag: Dag, state: _State, fixed: frozenset[str], opened: frozenset[str]) -> Iterator[_State]:
    """Yield where a walk may go on to."""
    node, along = state
    if node not in fixed:
        yield from ((child, True) for child in dag.children[node])
    if node in opened if along else node not in fixed:
        yield from ((parent, False) for parent in dag.parents[node])


def _walked(before: dict[_State, _State | None], last: _State) -> tuple[str, ...]:
    nodes, state = [], before[last]
    nodes.append(last[0])
    while state is not None:
        nodes.append(state[0])
        state = before[state]
    return tuple(reversed(nodes))


def colliders_of(dag: Dag, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes of a path at which two of its arrows meet."""
    middles = zip(path, path[1:], path[2:], strict=False)
    return tuple(node for one, node, other in middles if {one, other} <= set(dag.parents[node]))


def openers_of(dag: Dag, path: tuple[str, ...], given: Collection[str]) -> tuple[str, ...]:
    """Return what is held fixed, and opens a path by that: the colliders of the path, or what they lead to."""
    after = frozenset(name for node in colliders_of(dag, path) for name in descendants(dag, (node,)))
    return tuple(name for name in given if name in after)
