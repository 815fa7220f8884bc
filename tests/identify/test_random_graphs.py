"""On hundreds of random graphs our d-separation, DoWhy and the letter of the definition say the same."""

from itertools import combinations

import pytest

from cxcausal.identify import by_dowhy
from cxcausal.identify.adjustment import closing_sets, open_back_door
from cxcausal.identify.dag import dag_of
from cxcausal.identify.identified import identify
from cxcausal.identify.separation import open_path
from tests.identify.oracle import (
    OUTCOME,
    TREATMENT,
    arrows_of,
    back_door_sets,
    effects_of,
    open_paths,
    random_graph,
)

HUNDREDS = 4


@pytest.mark.parametrize("hundred", range(HUNDREDS))
def test_every_set_is_judged_alike(hundred: int) -> None:
    verdicts = {True: 0, False: 0}
    for number in range(100 * hundred, 100 * hundred + 100):
        graph = random_graph(number)
        dag = dag_of(graph)
        for names, closes in back_door_sets(graph):
            assert (open_back_door(dag, TREATMENT, OUTCOME, names) is None) == closes, (number, names)
            assert by_dowhy.closes(dag, TREATMENT, OUTCOME, names) == closes, (number, names)
            verdicts[closes] += 1
    assert min(verdicts.values()) > 100


@pytest.mark.parametrize("hundred", range(HUNDREDS))
def test_a_set_is_found_wherever_there_is_one_and_no_name_of_it_can_be_spared(hundred: int) -> None:
    found = {True: 0, False: 0}
    for number in range(100 * hundred, 100 * hundred + 100):
        graph = random_graph(number)
        dag = dag_of(graph)
        valid = {names for names, closes in back_door_sets(graph) if closes}
        ours = closing_sets(dag, TREATMENT, OUTCOME, graph.observed)
        theirs = by_dowhy.smallest_sets(dag, TREATMENT, OUTCOME, graph.observed)
        assert bool(ours) == bool(theirs) == bool(valid), number
        assert {*ours, *theirs} <= valid, number
        fewer = {less for names in ours for size in range(len(names)) for less in combinations(names, size)}
        assert not fewer & valid, number
        if valid:
            smallest = min(map(len, valid))
            assert {len(names) for names in theirs} == {smallest}, number
        found[bool(valid)] += 1
    assert min(found.values()) > 15


def test_the_path_that_is_named_is_open_and_none_is_shorter() -> None:
    longest = 0
    for number in range(300):
        graph = random_graph(number)
        dag, arrows = dag_of(graph), arrows_of(graph)
        for names in ((), graph.observed[:1], graph.observed[-2:]):
            given = set(names) - {TREATMENT, OUTCOME}
            path = open_path(dag, TREATMENT, OUTCOME, given)
            paths = {one: len(one) for one in open_paths(arrows, TREATMENT, OUTCOME, given)}
            assert (path is None) == (not paths)
            if path is not None:
                told = tuple(name.replace("\n", "~") for name in path)
                assert paths[told] == min(paths.values()), (number, path)
                longest = max(longest, len(told))
    assert longest >= 5


def test_instruments_move_the_treatment_and_nothing_else_that_moves_the_outcome() -> None:
    some = 0
    for number in range(2000):
        graph = random_graph(number)
        arrows = arrows_of(graph)
        bare = {(cause, effect) for cause, effect in arrows if cause != TREATMENT}
        works = OUTCOME in effects_of(arrows, TREATMENT)
        truth = {
            name
            for name in graph.observed
            if works and (name, TREATMENT) in arrows and not any(open_paths(bare, name, OUTCOME, ()))
        }
        found = by_dowhy.instruments(dag_of(graph), TREATMENT, OUTCOME, graph.observed)
        assert set(found) == truth, number
        some += len(found)
    assert some > 20


def test_a_whole_answer_is_the_same_however_often_it_is_asked() -> None:
    for number in range(0, 300, 5):
        graph = random_graph(number)
        (first,) = identify(graph, TREATMENT, [OUTCOME])
        assert identify(graph, TREATMENT, [OUTCOME]) == (first,)
        valid = {names for names, closes in back_door_sets(graph) if closes}
        assert first.valid == bool(valid)
        assert not first.valid or (first.adjustment in valid and first.open_path is None)
        assert first.valid or first.open_path is not None
