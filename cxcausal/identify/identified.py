"""Whether an effect on one outcome is identified by adjustment: the set, or the path that stays open."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.identify import by_dowhy
from cxcausal.identify.adjustment import candidates, closing_sets, open_back_door
from cxcausal.identify.dag import Dag, dag_of, descendants, shown, sources_of, way, without_arrows_from, words_of
from cxcausal.identify.separation import open_path, openers_of

MOST_ALTERNATIVES = 3


@dataclass(frozen=True, kw_only=True)
class BadControl:
    """A declared confounder that does harm, and the path that says why.

    Attributes:
        name: the confounder.
        why: the treatment may have changed it, or holding it fixed opens a path that was closed.
        path: in words, such as `route → resolved`.
    """

    name: str
    why: Literal["after_treatment", "opens_path"]
    path: str


@dataclass(frozen=True, kw_only=True)
class Identified:
    """What adjustment can say about the effect of a treatment on one outcome, by the back-door criterion.

    Attributes:
        treatment, outcome: names of the graph.
        adjustment: what is adjusted for: the plan's confounders, or the graph's set where the plan has none; where no
            set is enough, all that could help.
        valid: the effect is identified by this adjustment.
        open_path: the shortest path that stays open, in words; None where all are closed.
        movers: the names that its arrows set out from: what moves both ends.
        alternatives: other sets that close every back door and of which no name can be spared, smallest first.
        instruments: what moves the treatment, and the outcome in no other way.
        bad_controls: declared confounders that do harm.
        undrawn: declared confounders that the graph doesn't draw, taken for harmless.
        without_effect: the graph draws no way from the treatment to the outcome.
        unrecorded: what the graph says was never recorded.
    """

    treatment: str
    outcome: str
    adjustment: tuple[str, ...]
    valid: bool
    open_path: str | None = None
    movers: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    instruments: tuple[str, ...] = ()
    bad_controls: tuple[BadControl, ...] = ()
    undrawn: tuple[str, ...] = ()
    without_effect: bool = False
    unrecorded: tuple[str, ...] = ()


def identify(
    graph: CausalGraph,
    treatment: str,
    outcomes: Iterable[str],
    confounders: Iterable[str] = (),
    never_adjust: Collection[str] = (),
    observed: Collection[str] | None = None,
) -> tuple[Identified, ...]:
    """Return for every outcome whether its effect is identified by adjustment.

    DoWhy judges the sets and finds the instruments; d-separation of our own names the open path and must agree.

    Args:
        graph: with the treatment and the outcomes in it.
        treatment: whose effect is asked for.
        outcomes: on what.
        confounders: what the plan adjusts for; nothing lets the graph choose.
        never_adjust: what no set may hold.
        observed: what may be adjusted for; all that the graph says was recorded without.

    Example:
        >>> from cxcausal.core.dot import read_dot
        >>> graph = read_dot("digraph { tier -> {route churned}; route -> churned }")
        >>> identify(graph, "route", ["churned"])[0].adjustment  # doctest: +SKIP
        ('tier',)
    """
    named = tuple(dict.fromkeys(confounders))
    told = tuple(dict.fromkeys(outcomes))
    dag = dag_of(graph, extra=named)
    allowed = frozenset(graph.observed if observed is None else observed) & set(graph.observed)
    asked = _Asked(graph=graph, dag=dag, treatment=treatment, named=named, allowed=allowed - {*never_adjust, *told})
    return tuple(_identified(asked, outcome) for outcome in told)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One question: a graph, the treatment, what the plan adjusts for, and what sets may hold."""

    graph: CausalGraph
    dag: Dag
    treatment: str
    named: tuple[str, ...]
    allowed: frozenset[str]


def _identified(asked: _Asked, outcome: str) -> Identified:
    dag, treatment = asked.dag, asked.treatment
    sets = _sets(asked, outcome)
    # Where no set is enough, the path that the best one leaves open is the reason: others could be closed.
    chosen = asked.named or (sets[0] if sets else candidates(dag, treatment, outcome, asked.allowed))
    path = open_back_door(dag, treatment, outcome, chosen)
    bad = tuple(_bad_controls(asked, outcome, path))
    return Identified(
        treatment=treatment,
        outcome=outcome,
        adjustment=chosen,
        valid=path is None and by_dowhy.closes(dag, treatment, outcome, chosen),
        open_path=None if path is None else words_of(dag, path),
        movers=() if path is None else tuple(map(shown, sources_of(dag, path))),
        alternatives=tuple(names for names in sets if set(names) != set(chosen))[:MOST_ALTERNATIVES],
        instruments=by_dowhy.instruments(dag, treatment, outcome, asked.allowed),
        bad_controls=bad,
        undrawn=tuple(name for name in asked.named if name not in asked.graph.nodes),
        without_effect=outcome not in descendants(dag, (treatment,)),
        unrecorded=asked.graph.unobserved,
    )


def _sets(asked: _Asked, outcome: str) -> tuple[tuple[str, ...], ...]:
    """Return sets that close every back door by both judges, smallest first."""
    dag, treatment = asked.dag, asked.treatment
    ours = closing_sets(dag, treatment, outcome, asked.allowed)
    if not ours:
        return ()
    theirs = by_dowhy.smallest_sets(dag, treatment, outcome, asked.allowed)
    sure = (names for names in ours if by_dowhy.closes(dag, treatment, outcome, names))
    agreed = (names for names in theirs if open_back_door(dag, treatment, outcome, names) is None)
    return tuple(sorted({*sure, *agreed}, key=lambda names: (len(names), names)))


def _bad_controls(asked: _Asked, outcome: str, path: tuple[str, ...] | None) -> Iterable[BadControl]:
    dag, treatment = asked.dag, asked.treatment
    after = descendants(dag, (treatment,))
    for name in asked.named:
        changed = way(dag, treatment, name) if name in after else None
        if changed is not None:
            yield BadControl(name=name, why="after_treatment", path=words_of(dag, changed))
    bare = without_arrows_from(dag, treatment)
    for name in openers_of(bare, path, asked.named) if path is not None else ():
        rest = [other for other in asked.named if other != name]
        spared = closing_sets(dag, treatment, outcome, asked.allowed - {name})
        if name not in after and (spared or open_path(bare, treatment, outcome, rest) is None):
            yield BadControl(name=name, why="opens_path", path=words_of(dag, path or ()))
