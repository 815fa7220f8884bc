"""Large graphs are answered with few steps: a search that tries every set, or follows every path, would never end."""

import random
from typing import Any

import pytest

from cxcausal.core.causal_graph import CausalGraph, graph_of
from cxcausal.core.dot import MAX_NODES
from cxcausal.identify import adjustment, by_dowhy
from cxcausal.identify.identified import identify
from cxcausal.identify.separation import open_path


class Counted:
    """A function that counts how often it is called."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, *given: Any) -> Any:
        self.calls += 1
        return self.function(*given)


def dense(size: int, share: float, *, hidden: int = 0) -> CausalGraph:
    """Return a graph whose treatment and outcome stand in the later half of its names."""
    rng = random.Random(size)  # noqa: S311 - no secret
    names = [f"n{at:03}" for at in range(size)]
    names[size // 2], names[-1] = "t", "y"
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    arrows = [pair for pair in pairs if rng.random() < share or pair == ("t", "y")]
    return graph_of(arrows=arrows, hidden=[("t", "y")] if hidden else [], others=names)


@pytest.mark.parametrize("hidden", [0, 1])
@pytest.mark.parametrize(("size", "share"), [(40, 0.5), (120, 0.2), (MAX_NODES, 0.03)])
def test_few_steps(monkeypatch: pytest.MonkeyPatch, size: int, share: float, hidden: int) -> None:
    walks, asked = Counted(open_path), Counted(by_dowhy.closes)
    monkeypatch.setattr(adjustment, "open_path", walks)
    monkeypatch.setattr(by_dowhy, "closes", asked)
    graph = dense(size, share, hidden=hidden)
    (found,) = identify(graph, "t", ["y"])
    assert found.valid == (not hidden)
    assert walks.calls <= 4 * size
    assert asked.calls <= 5


def test_where_dowhy_would_try_every_set_it_is_not_asked_to() -> None:
    many = [f"c{at:02}" for at in range(by_dowhy.MAX_SEARCHED + 1)]
    arrows = [(name, end) for name in many for end in ("t", "y")]
    (found,) = identify(graph_of(arrows=[*arrows, ("t", "y")]), "t", ["y"])
    assert (found.valid, found.adjustment) == (True, tuple(many))
