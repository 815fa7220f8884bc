"""Sets of names that close every back door between a treatment and an outcome, found without trying all of them."""

from collections.abc import Callable, Collection, Iterable

from cxcausal.identify.dag import Dag, ancestors, descendants, without_arrows_from
from cxcausal.identify.separation import open_path


def open_back_door(dag: Dag, treatment: str, outcome: str, adjusted: Collection[str]) -> tuple[str, ...] | None:
    """Return the shortest open path that begins with an arrow into the treatment; None where there is none."""
    return open_path(without_arrows_from(dag, treatment), treatment, outcome, adjusted)


def candidates(dag: Dag, treatment: str, outcome: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """Return what can help to close back doors: allowed causes of either that the treatment doesn't change.

    If any allowed set closes all back doors, this one does (van der Zander, Liśkiewicz & Textor 2019, theorem 5.3).
    """
    useful = ancestors(dag, (treatment, outcome)) - descendants(dag, (treatment,)) - {outcome}
    return tuple(sorted(useful & set(allowed)))


def closing_sets(dag: Dag, treatment: str, outcome: str, allowed: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return sets that close every back door and of which no name can be spared, smallest first; a few, not all.

    Each comes from the largest such set by dropping names one after the other: first those near the treatment (what
    is left predicts the outcome, and gives the smaller variance), first those near the outcome, or by the alphabet.
    A name that can't be dropped once can't be dropped later, as all names are causes of either end, so this takes as
    many walks as there are names.
    """
    whole, bare = candidates(dag, treatment, outcome, allowed), without_arrows_from(dag, treatment)
    if open_path(bare, treatment, outcome, whole) is not None:
        return ()

    def closes(names: Collection[str]) -> bool:
        return open_path(bare, treatment, outcome, names) is None

    of_treatment, of_outcome = _distances(dag, treatment), _distances(dag, outcome)
    orders = (
        sorted(whole, key=lambda name: (of_treatment.get(name, len(dag.nodes)), name)),
        sorted(whole, key=lambda name: (of_outcome.get(name, len(dag.nodes)), name)),
        sorted(whole, reverse=True),
    )
    found = {_spared(order, closes) for order in orders}
    return tuple(sorted(found, key=lambda names: (len(names), names)))


def _spared(order: Iterable[str], closes: Callable[[Collection[str]], bool]) -> tuple[str, ...]:
    kept = list(order)
    for name in tuple(kept):
        fewer = [other for other in kept if other != name]
        kept = fewer if closes(fewer) else kept
    return tuple(sorted(kept))


def _distances(dag: Dag, end: str) -> dict[str, int]:
    """Return by how many arrows every cause of a node is away from it."""
    found, edge, away = {end: 0}, [end], 0
    while edge:
        away += 1
        edge = [parent for name in edge for parent in dag.parents[name] if parent not in found]
        found.update(dict.fromkeys(edge, away))
    return found
