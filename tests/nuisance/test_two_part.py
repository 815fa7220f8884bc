"""Outcomes that are mostly zero, with heavy tails: the two-part model is nearer to the true means than one model is."""

import numpy as np

from cxcausal.core.rows import Floats
from tests.nuisance.test_learners import learned
from tests.nuisance.units import Units, rows_of


def mostly_zero(n: int) -> tuple[Units, Floats]:
    """Return units of whom 85 % have the outcome zero and the others lognormal ones, and the true means, shape (n,)."""
    rng = np.random.default_rng(4)
    x, z = rng.normal(size=n), rng.normal(size=n)
    chance = 1 / (1 + np.exp(1.95 - 0.5 * x + 0.4 * z))
    paid = np.where(rng.random(n) < chance, 10 * np.exp(0.3 * x + 1.2 * rng.normal(size=n)), 0.0)
    units = Units(rows=rows_of(rng.integers(0, 2, n), {"x": x, "z": z, "y": paid}), covariates=("x", "z"))
    return units, np.asarray(chance * 10 * np.exp(0.3 * x + 1.2**2 / 2))


def test_two_parts_are_nearer_to_the_truth_than_one() -> None:
    units, truth = mostly_zero(6_000)
    assert 0.8 < float(np.mean(units.rows.numbers["y"] == 0)) < 0.9
    y, everybody = units.rows.numbers["y"], np.ones(units.rows.n, dtype=bool)
    off = {}
    for name in ("two_part", "stacked", "lightgbm"):
        mean = learned(units, name).outcome("y", y, everybody).mean[0]
        off[name] = float(np.mean((mean - truth[:, None]) ** 2))
    assert off["two_part"] < 0.8 * off["stacked"]
    assert off["stacked"] < off["lightgbm"]


def test_hardly_any_value_leaves_one_model() -> None:
    units, _ = mostly_zero(200)
    y = np.where(np.arange(200) % 20 == 0, units.rows.numbers["x"] + 5, 0.0)
    everybody = np.ones(200, dtype=bool)
    found = [learned(units, name).outcome("y", y, everybody).mean for name in ("two_part", "stacked")]
    assert np.array_equal(found[0], found[1])
