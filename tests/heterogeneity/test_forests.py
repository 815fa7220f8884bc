"""Forests asked without EconML say what EconML says, and finding effects they are near the truth."""

import numpy as np
import pytest

from cxcausal.heterogeneity.forests import forest_of
from cxcausal.heterogeneity.formulas import Table
from tests.heterogeneity.worlds import told, trial


@pytest.mark.parametrize("weighed", [False, True])
def test_a_forest_says_what_econml_says(*, weighed: bool) -> None:
    from econml.grf import CausalForest  # noqa: PLC0415 - heavy

    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(900, 4)), rng.integers(0, 2, 900) - 0.4
    y = x[:, 0] * t + x[:, 1] + rng.normal(size=900)
    weight = rng.uniform(0.5, 2.0, 900) if weighed else None
    grown = CausalForest(n_estimators=20, inference=False, random_state=2, n_jobs=1).fit(x, t, y, sample_weight=weight)
    fresh = rng.normal(size=(500, 4))
    found = forest_of(grown).of(Table(matrix=fresh, filled=fresh))
    assert np.abs(found - grown.predict(fresh).ravel()).max() < 1e-9
    assert np.ptp(found) > 0.5


def test_a_forest_finds_who_gains_more_with_the_same_bits_each_time() -> None:
    world = trial(1_200, chosen=True)
    one, two = (told(world, learners=("causal_forest",)) for _ in range(2))
    turn, again = one.turns[-1].judged, two.turns[-1].judged
    assert np.array_equal(turn.gains, again.gains)
    assert np.corrcoef(turn.gains[:, 1], world.gains[turn.units, 1])[0, 1] > 0.8
