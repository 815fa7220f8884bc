"""Degrees of freedom of adjusted effects, and one-sided tests with a relative margin, from raw rows."""

import numpy as np
import pytest
from scipy import stats

from cxcausal.core.answers import Regression
from cxcausal.core.spec.models import Metric
from cxcausal.estimators import comparison
from cxcausal.stats import regression
from cxcausal.stats.difference import hc2
from tests.regression_twins import fits_of, interacted
from tests.twins import Values, moments_of

EXACT = 1e-9


def _rows(seed: int, n: int = 240, k: int = 3) -> tuple[Values, Values, Values]:
    rng = np.random.default_rng(seed)
    z = rng.gamma(2.0, 3.0, (n, k))
    treated = rng.random(n) < 0.35
    return z @ rng.normal(size=k) + treated * (1 + 0.8 * z[:, 0]) + rng.normal(size=n), treated, z


@pytest.mark.parametrize("seed", range(3))
def test_lins_degrees_of_freedom_are_satterthwaites_over_its_three_parts(seed: int) -> None:
    y, treated, z = _rows(seed)
    arm = np.where(treated, "t", "c")
    twin = interacted(y, arm, z, ["t", "c"])
    apart = twin.beta[2:5] - twin.beta[5:8]
    variances = np.array(
        [twin.covariance[0, 0], twin.covariance[1, 1], apart @ np.cov(z, rowvar=False) @ apart / len(y)]
    )
    counted = np.array([treated.sum() - 4, (~treated).sum() - 4, len(y) - 1])
    expected = variances.sum() ** 2 / np.sum(variances**2 / counted)
    fits: Regression = fits_of(y, arm, z, ("a", "b", "c"))
    assert regression.lin(fits, "t", "c").df == pytest.approx(expected, rel=EXACT)
    alone = variances[:2].sum() ** 2 / np.sum(variances[:2] ** 2 / counted[:2])
    assert regression.lin(fits, "t", "c", population=False).df == pytest.approx(alone, rel=EXACT)


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_a_relative_margin_is_a_test_of_rescaled_rows(direction: str) -> None:
    """Treated against (1 ∓ margin) × control, whose noise is rescaled as well; the degrees stay the difference's."""
    rng = np.random.default_rng(8)
    treated, control = rng.gamma(2.0, 5.0, 80), rng.gamma(2.0, 5.5, 120)
    metric = Metric.model_validate(
        {"name": "m", "type": "mean", "column": "x", "desired_direction": direction, "margin": {"relative": 0.2}}
    )
    rescaled = control * (0.8 if direction == "increase" else 1.2)
    se = np.sqrt(treated.var(ddof=1) / 80 + rescaled.var(ddof=1) / 120)
    df = stats.ttest_ind(treated, control, equal_var=False).df
    t = (treated.mean() - rescaled.mean()) / se
    expected = stats.t.sf(t, df) if direction == "increase" else stats.t.cdf(t, df)
    found = comparison.harm_p(hc2(moments_of(treated), moments_of(control)), metric)
    assert found == pytest.approx(expected, rel=EXACT)
