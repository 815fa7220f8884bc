"""Pooling by random effects: a published example, a twin and coverage."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.meta_analysis import combine_effects

from cxcausal.stats.random_effects import random_effects

# BCG vaccine against tuberculosis: cases and others, vaccinated and not. Colditz et al. (1994), JAMA 271(9).
TRIALS = (
    (4, 119, 11, 128),
    (6, 300, 29, 274),
    (3, 228, 11, 209),
    (62, 13536, 248, 12619),
    (33, 5036, 47, 5761),
    (180, 1361, 372, 1079),
    (8, 2537, 10, 619),
    (505, 87886, 499, 87892),
    (29, 7470, 45, 7232),
    (17, 1699, 65, 1600),
    (186, 50448, 141, 27197),
    (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
)


def _log_risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = np.array(TRIALS, float).T
    return np.log(a / (a + b)) - np.log(c / (c + d)), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_the_published_example() -> None:
    """Q = 152.23 on 12 degrees of freedom and Paule–Mandel's variance .3181, as the R package metafor tells them."""
    points, errors = _log_risk_ratios()
    found = random_effects(points, errors)
    assert found.q == pytest.approx(152.233, abs=5e-3)
    assert found.tau2 == pytest.approx(0.3181, abs=5e-5)
    assert found.i2 == pytest.approx(0.9230, abs=5e-3)


def test_the_twin() -> None:
    points, errors = _log_risk_ratios()
    twin = combine_effects(points, errors**2, method_re="iterated", use_t=True)
    found = random_effects(points, errors)
    assert found.tau2 == pytest.approx(twin.tau2, rel=1e-5)
    assert found.point == pytest.approx(twin.mean_effect_re, rel=1e-6)
    assert found.q == pytest.approx(twin.q, rel=1e-10)
    assert found.se >= twin.sd_eff_w_re_hksj * (1 - 1e-6)


def test_effects_that_agree_are_pooled_without_a_variance_between_them() -> None:
    found = random_effects([0.1, 0.1, 0.1], [0.02, 0.02, 0.02])
    assert (found.tau2, found.i2) == (0.0, 0.0)
    assert found.se == pytest.approx(0.02 / 3**0.5)


@pytest.mark.parametrize("tau", [0.0, 0.05])
def test_intervals_cover(tau: float) -> None:
    rng = np.random.default_rng(11)
    draws, cuts, se = 1500, 6, np.array([0.02, 0.03, 0.05, 0.03, 0.02, 0.04])
    hits = 0
    for _ in range(draws):
        found = random_effects(0.1 + rng.normal(0, tau, cuts) + rng.normal(0, se), se)
        hits += found.low <= 0.1 <= found.high
    slack = norm.ppf(0.9999) * (0.95 * 0.05 / draws) ** 0.5
    assert hits / draws >= 0.95 - slack - 0.01
    assert hits < draws


@pytest.mark.parametrize(("points", "errors"), [([0.1], [0.1]), ([0.1, 0.2], [0.1, 0.0])])
def test_what_can_not_be_pooled_is_refused(points: list[float], errors: list[float]) -> None:
    with pytest.raises(ValueError, match="two estimates"):
        random_effects(points, errors)
