"""Falsification: right graphs are left alone as often as promised, wrong ones are found, and the pair is named."""

import numpy as np
import pytest

from cxcausal.core.dot import read_dot
from cxcausal.core.falsified import Falsified
from cxcausal.identify import falsify as module
from cxcausal.identify.encoding import encoded
from cxcausal.identify.falsify import falsify
from cxcausal.identify.implied import implied_by
from tests.identify.oracle import arrows_of, open_paths, random_graph

RIGHT = read_dot("digraph { age -> {calls spend}; calls -> {route churned}; spend -> churned; route -> churned }")
WRONG = read_dot("digraph { age -> {calls spend}; calls -> route; spend -> churned; route -> churned }")
NAMES = ("age", "calls", "spend", "route", "churned")


def world(rng: np.random.Generator, n: int, *, curved: bool = False) -> np.ndarray:
    """Draw rows of the right graph."""
    age = rng.normal(size=n)
    calls = (age**2 if curved else age) + rng.normal(size=n)
    spend = (np.abs(age) if curved else 0.7 * age) + rng.normal(size=n) * (1 + 0.5 * (age > 0))
    route = (rng.random(n) < 1 / (1 + np.exp(-0.8 * calls))).astype(float)
    churned = (rng.random(n) < 1 / (1 + np.exp(2 - 0.6 * calls - 0.6 * spend + 0.8 * route))).astype(float)
    return np.column_stack([age, calls, spend, route, churned])


def asked(rows: np.ndarray, graph: object = RIGHT, names: tuple[str, ...] = NAMES) -> Falsified:
    return falsify(graph, names, rows, np.random.default_rng(1))  # type: ignore[arg-type]


def test_what_a_graph_implies() -> None:
    told = [(item.one, item.other, item.given) for item in implied_by(RIGHT, NAMES, 10)]
    assert told == [
        ("age", "route", ("calls",)),
        ("calls", "spend", ("age",)),
        ("route", "spend", ("calls",)),
        ("age", "churned", ("calls", "spend")),
    ]


def test_what_is_implied_is_so_by_the_letter_and_nothing_of_it_can_be_spared() -> None:
    some = 0
    for number in range(300):
        graph = random_graph(number)
        arrows = arrows_of(graph)
        told = implied_by(graph, graph.observed, 1000)
        for item in told:
            assert not any(open_paths(arrows, item.one, item.other, item.given)), number
            for name in item.given:
                fewer = set(item.given) - {name}
                assert any(open_paths(arrows, item.one, item.other, fewer)), number
        linked = {frozenset(pair) for pair in (*graph.arrows, *graph.hidden)}
        assert not linked & {frozenset((item.one, item.other)) for item in told}
        some += sum(bool(item.given) for item in told)
    assert some > 300


@pytest.mark.parametrize("curved", [False, True])
def test_a_right_graph_is_rarely_contradicted(curved: bool) -> None:  # noqa: FBT001 - a case
    rng, worlds = np.random.default_rng(20261122), 400
    alarms = sum(bool(asked(world(rng, 1500, curved=curved)).violated) for _ in range(worlds))
    assert alarms <= 0.05 * worlds + 3 * np.sqrt(0.05 * 0.95 * worlds)


def test_a_missing_arrow_is_found_and_the_pair_is_named() -> None:
    found = asked(world(np.random.default_rng(3), 4000), WRONG)
    pairs = [(item.implied.one, item.implied.other) for item in found.violated]
    assert pairs == [("calls", "churned"), ("age", "churned")]
    assert all(item.p_adjusted >= item.p for item in found.tested)
    assert found.sentence().startswith(
        "The data contradict the graph in 2 of 5 pairs: it calls 'calls' and 'churned' unrelated among customers alike "
        "in 'route' and 'spend', and their correlation is 0.191, which"
    )
    assert found.sentence().endswith("which chance alone brings about less than once in a million times.")
    right = asked(world(np.random.default_rng(3), 4000))
    assert right.sentence() == "The data of 4,000 customers contradict none of 4 pairs that the graph calls unrelated."


def test_partial_correlations_are_those_of_the_inverse_covariance() -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(20_000, 2))
    rows = np.column_stack([z, z @ [1.0, 0.5] + rng.normal(size=20_000), z @ [0.3, 1.0] + rng.normal(size=20_000)])
    rows[:, 3] += 0.1 * rows[:, 2]
    rows = rows[:5000]
    found = asked(rows, read_dot("digraph { {z w} -> {a b}; z -> w }"), ("z", "w", "a", "b"))
    inverse = np.linalg.inv(np.cov(rows.T))
    twin = -inverse[2, 3] / np.sqrt(inverse[2, 2] * inverse[3, 3])
    (item,) = found.tested
    assert item.correlation == pytest.approx(twin, abs=3e-3)
    assert item.violated


def test_texts_of_several_columns_and_missing_values() -> None:
    rng = np.random.default_rng(6)
    level = rng.integers(0, 3, size=3000)
    rows = np.column_stack([level == 1, level == 2, level + rng.normal(size=3000), level**2 + rng.normal(size=3000)])
    rows[::7, 2] = np.nan
    names = ("tier", "tier", "a", "b")
    right = asked(rows, read_dot("digraph { tier -> {a b} }"), names)
    assert (len(right.tested), right.violated, right.untested) == (1, (), 0)
    wrong = asked(rows, read_dot("digraph { tier; a; b }"), names)
    assert len(wrong.violated) == 3


def test_what_cannot_be_tested_is_counted() -> None:
    rows = np.column_stack([np.ones(100), np.arange(100.0)])
    flat = asked(rows, read_dot("digraph { a; b }"), ("a", "b"))
    assert (flat.tested, flat.untested) == ((), 1)
    assert flat.sentence().startswith("The graph calls no two recorded columns unrelated that could be tested")
    assert asked(rows[:10], read_dot("digraph { a; b }"), ("a", "b")).untested == 1
    assert asked(rows[:0], read_dot("digraph { a; b; c -> {a b} }"), ("a", "b")).untested == 0


def test_many_rows_are_sampled_and_many_pairs_are_not_all_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 500)
    monkeypatch.setattr(module, "MOST_TESTED", 2)
    rows = world(np.random.default_rng(8), 2000)
    found = asked(rows)
    assert (found.rows, len(found.tested)) == (500, 2)
    assert asked(rows) == found


def test_texts_become_numbers_one_column_per_value_but_the_most_frequent() -> None:
    many = np.array([f"v{at}" for at in range(20) for _ in range(20 - at)], dtype=object)
    names, rows = encoded({"many": many, "flag": np.arange(len(many)) % 2 == 0, "one": np.full(len(many), "x")})
    assert names == (*["many"] * 11, "flag", "one")
    assert rows[:, :10].sum(axis=0).tolist() == [19 - at for at in range(10)]
    assert rows[:, 10].sum() == sum(range(1, 10))
    assert not rows[:, -1].any()
    assert np.isnan(encoded({"a": np.array(["x", None, float("nan"), "y"], dtype=object)})[1][1:3]).all()
    assert encoded({})[1].shape == (0, 0)
