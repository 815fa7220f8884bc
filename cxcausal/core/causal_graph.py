"""A causal graph: names, arrows, what was never recorded, and pairs of names with a hidden common cause."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

Arrow = tuple[str, str]

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEYWORDS = frozenset({"strict", "graph", "digraph", "node", "edge", "subgraph"})
"""Words that DOT keeps for itself, in any case of letters."""


@dataclass(frozen=True, kw_only=True)
class CausalGraph:
    """A directed graph without cycles.

    Two graphs that say the same are equal, and have the same `text`, however they were written down.

    Attributes:
        nodes: every name, sorted.
        arrows: pairs (cause, effect), sorted.
        hidden: pairs of names with a common cause that nobody named, each pair and all of them sorted.
        unobserved: named causes that were never recorded, sorted.
    """

    nodes: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    hidden: tuple[Arrow, ...] = ()
    unobserved: tuple[str, ...] = ()

    @property
    def observed(self) -> tuple[str, ...]:
        """The names that were recorded."""
        return tuple(name for name in self.nodes if name not in set(self.unobserved))

    @property
    def text(self) -> str:
        """The graph as DOT, the same for all ways of writing it down.

        Example:
            >>> print(graph_of(arrows=[("tier", "churn"), ("call", "churn")], hidden=[("churn", "call")]).text)
            digraph {
              call -> churn
              tier -> churn
              call -> churn [dir=both]
            }
        """
        return "\n".join(["digraph {", *(f"  {line}" for line in self._lines()), "}"])

    def _lines(self) -> Iterator[str]:
        linked = {name for pair in (*self.arrows, *self.hidden) for name in pair}
        for name in self.nodes:
            if name in self.unobserved:
                yield f"{_spelled(name)} [observed=no]"
            elif name not in linked:
                yield _spelled(name)
        for cause, effect in self.arrows:
            yield f"{_spelled(cause)} -> {_spelled(effect)}"
        for one, other in self.hidden:
            yield f"{_spelled(one)} -> {_spelled(other)} [dir=both]"


def graph_of(
    *,
    arrows: list[Arrow],
    hidden: list[Arrow] | None = None,
    unobserved: list[str] | None = None,
    others: list[str] | None = None,
) -> CausalGraph:
    """Return the graph of some arrows in its one order; `others` are names without an arrow.

    Example:
        >>> graph_of(arrows=[("b", "c"), ("a", "b")], unobserved=["a"]).observed
        ('b', 'c')
    """
    pairs = {(min(pair), max(pair)) for pair in hidden or ()}
    linked = {name for pair in (*arrows, *pairs) for name in pair}
    return CausalGraph(
        nodes=tuple(sorted({*linked, *(unobserved or ()), *(others or ())})),
        arrows=tuple(sorted(set(arrows))),
        hidden=tuple(sorted(pairs)),
        unobserved=tuple(sorted(set(unobserved or ()))),
    )


def cycle_of(arrows: list[Arrow]) -> tuple[str, ...]:
    """Return the names along one cycle, its first name again at the end; nothing where there is none.

    Example:
        >>> cycle_of([("a", "b"), ("b", "c"), ("c", "b")])
        ('b', 'c', 'b')
    """
    left: dict[str, set[str]] = {}
    for cause, effect in arrows:
        left.setdefault(cause, set()).add(effect)
        left.setdefault(effect, set())
    while True:
        ends = {name for name, effects in left.items() if not effects}
        if not ends:
            break
        left = {name: effects - ends for name, effects in left.items() if name not in ends}
    if not left:
        return ()
    walk = [min(left)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(left[walk[-1]]))
    return tuple(walk[walk.index(walk[-1]) :])


def _spelled(name: str) -> str:
    """Return a name as DOT has it: in quotes where it needs them."""
    if _BARE.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return '"' + name.replace('"', '\\"') + '"'
