"""Prices against a linear programme, and limits that must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cxcausal.core.held_out import Spending
from cxcausal.core.rows import Floats
from cxcausal.policy.prices import Prices, prices_of
from cxcausal.policy.seen import with_lots

ARMS = ("none", "bot", "agent")


def _spending(budget: float | None, bot: float, agent: float, cost: tuple[float, float] = (0.25, 1.0)) -> Spending:
    capacity = tuple((arm, most) for arm, most in (("bot", bot), ("agent", agent)) if most < 1)
    return Spending(cost=np.array([0.0, *cost]), budget=budget, capacity=capacity)


def _best_total(gains: Floats, spending: Spending) -> float:
    """Return the best mean gain when customers may be shared between arms."""
    m, k = gains.shape
    limits = dict(spending.capacity)
    rows, most = [], []
    if spending.budget is not None:
        rows.append(np.tile(spending.cost, m) / m)
        most.append(spending.budget)
    for place, arm in enumerate(ARMS):
        if arm in limits:
            rows.append(np.tile(np.eye(k)[place], m) / m)
            most.append(limits[arm])
    whole = np.kron(np.eye(m), np.ones(k))
    found = linprog(-gains.ravel() / m, A_ub=np.array(rows) if rows else None, b_ub=most or None, A_eq=whole,
                    b_eq=np.ones(m), bounds=(0, 1))  # fmt: skip
    assert found.fun is not None, found.message
    return -float(found.fun)


def _assigned(gains: Floats, spending: Spending) -> tuple[Floats, float]:
    moved = with_lots(gains, np.arange(len(gains), dtype=np.uint64))
    arms = prices_of(moved, np.ones(len(gains)), spending, ARMS).best(moved, spending.cost)
    shares = np.bincount(arms, minlength=len(ARMS)) / len(gains)
    return shares, float(gains[np.arange(len(gains)), arms].mean())


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    budget=st.one_of(st.none(), st.floats(0.0, 1.0)),
    bot=st.floats(0.05, 1.2),
    agent=st.floats(0.05, 1.2),
    free=st.booleans(),
)
def test_limits_hold_and_little_is_lost(
    seed: int,
    budget: float | None,
    bot: float,
    agent: float,
    free: bool,  # noqa: FBT001 - drawn
) -> None:
    rng = np.random.default_rng(seed)
    gains = np.column_stack([np.zeros(400), rng.normal(0.3, 1, 400), rng.normal(0.5, 1.5, 400)])
    spending = _spending(budget, bot, agent, (0.0, 1.0) if free else (0.25, 1.0))
    shares, gain = _assigned(gains, spending)
    if budget is not None:
        assert shares @ spending.cost <= budget + 1e-12
    for arm, most in spending.capacity:
        assert shares[ARMS.index(arm)] <= most + 1e-12
    # A customer or two per limit find no place, each worth at most the largest gain.
    assert gain >= _best_total(gains, spending) - 6 * gains.max() / len(gains)


def test_alike_customers_are_chosen_by_lot_until_the_budget_is_spent() -> None:
    gains = np.tile([0.0, -1.0, 2.0], (1_000, 1))
    shares, _ = _assigned(gains, _spending(0.3, 1.0, 1.0))
    assert shares[2] == pytest.approx(0.3, abs=0.0011)
    shares, _ = _assigned(gains, _spending(None, 1.0, 0.2))
    assert shares[2] == pytest.approx(0.2, abs=0.0011)


def test_without_limits_nothing_has_a_price() -> None:
    gains = np.random.default_rng(1).normal(size=(50, 3))
    assert prices_of(gains, np.ones(50), _spending(None, 1.0, 1.0), ARMS) == Prices(
        budget=0.0, capacity=(0.0, 0.0, 0.0)
    )


def test_nothing_to_spend_contacts_nobody_for_money() -> None:
    gains = np.column_stack([np.zeros(50), np.ones(50), np.ones(50)])
    shares, _ = _assigned(gains, _spending(0.0, 1.0, 1.0))
    assert shares[0] == 1.0
    shares, _ = _assigned(gains, _spending(0.0, 1.0, 1.0, (0.0, 1.0)))
    assert shares[1] == 1.0
