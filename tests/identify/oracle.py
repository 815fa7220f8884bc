"""Random graphs, and d-separation by the letter of its definition: every path, one by one."""

import random
from collections.abc import Collection, Iterator
from itertools import combinations

from cxcausal.core.causal_graph import CausalGraph, graph_of

TREATMENT, OUTCOME = "t", "y"


def random_graph(number: int) -> CausalGraph:
    """Return a graph of 4 to 7 names with treatment and outcome, some of the others never recorded."""
    rng = random.Random(number)  # noqa: S311 - no secret
    names = [TREATMENT, OUTCOME, *(f"n{at}" for at in range(rng.randint(2, 5)))]
    rng.shuffle(names)
    share = rng.choice([0.2, 0.4, 0.6])
    arrows = [pair for pair in combinations(names, 2) if rng.random() < share]
    hidden = [pair for pair in combinations(names, 2) if rng.random() < 0.08]
    unobserved = [name for name in names if name.startswith("n") and rng.random() < 0.25]
    return graph_of(arrows=arrows, hidden=hidden, unobserved=unobserved, others=names)


def arrows_of(graph: CausalGraph) -> set[tuple[str, str]]:
    """Return all arrows, those of hidden common causes among them."""
    return {*graph.arrows, *((f"{one}~{other}", end) for one, other in graph.hidden for end in (one, other))}


def effects_of(arrows: set[tuple[str, str]], name: str) -> set[str]:
    """Return a name and everything below it."""
    found = {name}
    while True:
        more = {effect for cause, effect in arrows if cause in found} - found
        if not more:
            return found
        found |= more


def open_paths(
    arrows: set[tuple[str, str]], start: str, goal: str, given: Collection[str]
) -> Iterator[tuple[str, ...]]:
    """Yield every open path between two names."""
    for path in _paths(arrows, (start,), goal):
        middles = list(zip(path, path[1:], path[2:], strict=False))
        colliders = [node for one, node, other in middles if (one, node) in arrows and (other, node) in arrows]
        others = [node for _, node, _ in middles if node not in colliders]
        if not set(others) & set(given) and all(effects_of(arrows, node) & set(given) for node in colliders):
            yield path


def _paths(arrows: set[tuple[str, str]], so_far: tuple[str, ...], goal: str) -> Iterator[tuple[str, ...]]:
    if so_far[-1] == goal:
        yield so_far
        return
    linked = {b for a, b in arrows if a == so_far[-1]} | {a for a, b in arrows if b == so_far[-1]}
    for name in sorted(linked - set(so_far)):
        yield from _paths(arrows, (*so_far, name), goal)


def back_door_sets(graph: CausalGraph) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield every set of recorded names that the treatment doesn't change, and whether it closes every back door."""
    arrows = arrows_of(graph)
    allowed = sorted(set(graph.observed) - effects_of(arrows, TREATMENT) - {OUTCOME})
    bare = {(cause, effect) for cause, effect in arrows if cause != TREATMENT}
    for size in range(len(allowed) + 1):
        for names in combinations(allowed, size):
            yield names, not any(open_paths(bare, TREATMENT, OUTCOME, names))
