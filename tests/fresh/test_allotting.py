"""Budget and places: never exceeded, hardly anything unused, and as good as a linear programme says it can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cxcausal.stats import allotting
from cxcausal.stats.allotting import Limits, allotted, prices


def keys(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(n).astype(np.uint64)


def best_possible(gains: np.ndarray, limits: Limits) -> float:
    """The optimum where customers may be split, which is at least what anybody can reach."""
    n, arms = gains.shape
    rows = [np.kron(np.eye(n), np.ones(arms))]
    ends = [1.0] * n
    if limits.budget is not None:
        rows.append(np.tile(limits.cost, n)[None, :])
        ends.append(limits.budget)
    for arm, place in enumerate(limits.places):
        if place is not None:
            rows.append(np.tile(np.eye(arms)[arm], n)[None, :])
            ends.append(place)
    found = linprog(-gains.ravel(), A_ub=np.vstack(rows), b_ub=ends, bounds=(0, 1))
    return float(gains.ravel() @ found.x)


def worth(gains: np.ndarray, arms: np.ndarray) -> float:
    return float(sum(gains[row, arm - 1] for row, arm in enumerate(arms) if arm))


@pytest.mark.parametrize("seed", range(20))
def test_it_comes_within_a_few_contacts_of_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, arms = 120, int(rng.integers(1, 4))
    gains = rng.normal(0.5, 2, (n, arms))
    cost = tuple(rng.integers(1, 9, arms).astype(float))
    budget = float(rng.uniform(5, 200)) if seed % 3 else None
    places = tuple(int(rng.integers(0, 30)) if rng.random() < 0.6 else None for _ in range(arms)) if seed % 2 else ()
    limits = Limits(cost=cost, budget=budget, places=places)
    found = allotted(gains, limits, keys(n))
    counts = np.bincount(found, minlength=arms + 1)[1:]
    assert budget is None or counts @ np.array(cost) <= budget
    assert all(place is None or count <= place for count, place in zip(counts, places, strict=False))
    best = best_possible(np.clip(gains, 0, None), limits)
    assert worth(gains, found) <= best + 1e-9
    assert worth(gains, found) >= best - (arms + 1) * gains.max()


@pytest.mark.parametrize("seed", range(20))
def test_it_is_next_to_the_bound_of_its_own_prices(seed: int) -> None:
    """By weak duality no allotment is worth more, whatever the prices."""
    rng = np.random.default_rng(seed)
    n, arms = 5_000, int(rng.integers(1, 4))
    gains = rng.normal(0.5, 2, (n, arms))
    cost = tuple(rng.integers(1, 9, arms).astype(float))
    budget = float(rng.uniform(1_000, 20_000)) if seed % 3 else None
    places = tuple(int(rng.integers(100, 2_000)) if rng.random() < 0.6 else None for _ in range(arms))
    limits = Limits(cost=cost, budget=budget, places=places)
    money, each = prices(gains, limits, keys(n))
    bound = np.clip(gains - money * np.array(cost) - each, 0, None).max(axis=1).sum() + money * (budget or 0)
    bound += sum(price * place for price, place in zip(each, places, strict=True) if place is not None)
    assert 0.998 * bound <= worth(gains, allotted(gains, limits, keys(n))) <= bound + 1e-6


GAIN = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])


@settings(max_examples=60, deadline=None)
@given(
    gains=st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), min_size=2, max_size=2), min_size=1, max_size=30
    ),
    cost=st.tuples(st.sampled_from([0.0, 0.1, 0.3, 2.5]), st.sampled_from([0.1, 1.0])),
    budget=st.none() | st.sampled_from([0.0, 0.3, 1.0, 7.7]),
    places=st.tuples(st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
    seed=st.integers(0, 5),
)
def test_ties_limits_and_the_order_of_rows(
    gains: list[list[float]],
    cost: tuple[float, float],
    budget: float | None,
    places: tuple[int | None, int | None],
    seed: int,
) -> None:
    table, limits = np.array(gains), Limits(cost=cost, budget=budget, places=places)
    key = keys(len(table), seed)
    found = allotted(table, limits, key)
    counts = np.bincount(found, minlength=3)[1:]
    tenths = [round(10 * each) for each in cost]
    assert budget is None or int(counts @ np.array(tenths)) <= round(10 * budget)
    assert all(place is None or count <= place for count, place in zip(counts, places, strict=True))
    assert all(table[row, arm - 1] > 0 for row, arm in enumerate(found) if arm)
    order = np.random.default_rng(seed).permutation(len(table))
    assert np.array_equal(allotted(table[order], limits, key[order]), found[order])
    left = None if budget is None else round(10 * budget) - int(counts @ np.array(tenths))
    for arm in (0, 1):
        room = places[arm] is None or counts[arm] < (places[arm] or 0)
        if room and (left is None or tenths[arm] <= left):
            assert not (table[found == 0, arm] > 0).any()


def test_constant_gains_are_dealt_out_by_key() -> None:
    key = keys(50)
    found = allotted(np.full((50, 1), 1.5), Limits(cost=(0.1,), budget=0.3), key)
    assert sorted(key[found == 1].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_one_arm_goes_to_those_who_gain_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, most = 200, int(rng.integers(0, 200))
    gains, key = rng.integers(-1, 4, (n, 1)).astype(float), keys(n, seed)
    for limits in (Limits(cost=(2.0,), budget=2.0 * most + 1), Limits(cost=(0.0,), budget=None, places=(most,))):
        queue = sorted(np.flatnonzero(gains[:, 0] > 0).tolist(), key=lambda at: (-gains[at, 0], key[at]))
        assert np.flatnonzero(allotted(gains, limits, key)).tolist() == sorted(queue[:most])


def test_prices_of_a_part_serve_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    gains, limits = rng.normal(0.2, 1, (20_000, 2)), Limits(cost=(1.0, 3.0), budget=4_000.0, places=(None, 500))
    whole = worth(gains, allotted(gains, limits, keys(20_000)))
    monkeypatch.setattr(allotting, "PRICED_AT_MOST", 2_000)
    found = allotted(gains, limits, keys(20_000))
    counts = np.bincount(found, minlength=3)[1:]
    assert counts @ np.array([1.0, 3.0]) <= 4_000
    assert counts[1] <= 500
    assert worth(gains, found) >= 0.995 * whole
