"""Lin's regression and common slopes against statsmodels, CUPED and hand-made fits."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm

from cxcausal.core.answers import ArmFit, Regression
from cxcausal.stats.regression import common_slopes, lin, why_not_adjusted
from tests.regression_twins import fits_of

TOLERANCE = 1e-9
Values = npt.NDArray[Any]


def draw(seed: int, n: int = 300, k: int = 3) -> tuple[Values, Values, Values]:
    """Return outcome, arm and covariates; effects differ along the first covariate."""
    rng = np.random.default_rng(seed)
    z = rng.gamma(2.0, 3.0, (n, k))
    treated = rng.random(n) < 0.4
    y = z @ rng.normal(size=k) + treated * (1 + 0.8 * z[:, 0]) + rng.normal(size=n) * (1 + z[:, 0])
    return y, np.where(treated, "t", "c"), z


def fitted(y: Values, arm: Values, z: Values, contrast: tuple[str, str] | None = None) -> Regression:
    return fits_of(y, arm, z, tuple(f"z{i}" for i in range(z.shape[1])), contrast=contrast)


@pytest.mark.parametrize("seed", range(5))
def test_lin_is_the_interacted_regression_of_statsmodels(seed: int) -> None:
    y, arm, z = draw(seed)
    t, centred = (arm == "t").astype(float), z - z.mean(axis=0)
    design = np.column_stack([np.ones(len(y)), t, centred, t[:, None] * centred])
    twin = sm.OLS(y, design).fit(cov_type="HC2")
    sample = lin(fitted(y, arm, z), "t", "c", population=False)
    assert sample.point == pytest.approx(twin.params[1], rel=TOLERANCE)
    assert sample.se == pytest.approx(twin.bse[1], rel=TOLERANCE)
    apart = twin.params[5:]
    drawn = apart @ np.cov(z, rowvar=False) @ apart / len(y)
    assert lin(fitted(y, arm, z), "t", "c").se ** 2 == pytest.approx(sample.se**2 + drawn, rel=TOLERANCE)


@pytest.mark.parametrize("seed", range(5))
def test_common_slopes_are_the_regression_of_statsmodels(seed: int) -> None:
    y, arm, z = draw(seed)
    twin = sm.OLS(y, np.column_stack([np.ones(len(y)), arm == "t", z])).fit(cov_type="HC2")
    found = common_slopes(fitted(y, arm, z, contrast=("t", "c")), "t", "c")
    assert found.point == pytest.approx(twin.params[1], rel=TOLERANCE)
    assert found.se == pytest.approx(twin.bse[1], rel=TOLERANCE)
    assert found.df == twin.df_resid


def test_one_covariate_is_cuped_with_a_slope_per_arm() -> None:
    y, arm, z = draw(11, k=1)
    x, found = z[:, 0], lin(fitted(y, arm, z), "t", "c")
    means = []
    for name in ("t", "c"):
        own = arm == name
        theta = np.cov(x[own], y[own])[0, 1] / np.var(x[own], ddof=1)
        means.append(np.mean(y[own] - theta * (x[own] - x.mean())))
    assert (found.mean_treated, found.mean_control) == pytest.approx(means, rel=TOLERANCE)


def test_covariances_serve_the_relative_effect() -> None:
    """The variance of treated − r · control, from the three parts, is that of the combined influence."""
    y, arm, z = draw(3)
    fits = fitted(y + 50, arm, z)
    found = lin(fits, "t", "c")
    one, two = fits.arms["t"], fits.arms["c"]
    for r in (0.5, 1.0, 2.0):
        slope = (one.slopes - r * two.slopes)[:, 0]
        expected = one.covariance[0, 0] + r**2 * two.covariance[0, 0] + slope @ fits.spread @ slope / fits.n
        assert found.var_treated - 2 * r * found.covariance + r**2 * found.var_control == pytest.approx(expected)


def test_degrees_of_freedom_lie_between_the_smaller_arms_and_all() -> None:
    y, arm, z = draw(4)
    found = lin(fitted(y, arm, z), "t", "c")
    assert min(np.sum(arm == "t"), np.sum(arm == "c")) - 4 <= found.df < len(y)


def test_units_of_covariates_and_the_order_of_columns_do_not_matter() -> None:
    y, arm, z = draw(5)
    plain = lin(fitted(y, arm, z), "t", "c")
    changed = lin(fitted(y, arm, z[:, ::-1] * [1e-3, 1.0, 1e4] + 7.0), "t", "c")
    assert (changed.point, changed.se, changed.df) == pytest.approx((plain.point, plain.se, plain.df), rel=TOLERANCE)


def fit(*, variance: float = 0.1, leverage: float = 0.2) -> ArmFit:
    one = np.ones(1)
    return ArmFit(
        n=50, mean=one, adjusted=one, covariance=np.array([[variance]]), slopes=np.ones((1, 1)), leverage=leverage
    )


@pytest.mark.parametrize(
    ("columns", "arms", "words"),
    [
        ((), {}, "no covariate varies"),
        (("x",), {"t": fit()}, "arm 'c'"),
        (("x",), {"t": fit(leverage=1.0), "c": fit()}, "single customer of arm 't'"),
        (("x",), {"t": fit(), "c": fit()}, None),
    ],
)
def test_what_cannot_be_adjusted_says_why(columns: tuple[str, ...], arms: dict[str, ArmFit], words: str | None) -> None:
    fits = Regression(n=100, columns=columns, dropped=(), spread=np.eye(len(columns)), arms=arms)
    reason = why_not_adjusted(fits, "t", "c")
    assert (reason is None) if words is None else (reason is not None and words in reason)


def test_an_outcome_without_residuals_has_no_variance_and_finite_degrees_of_freedom() -> None:
    arms = {"t": fit(variance=0.0), "c": fit(variance=0.0)}
    found = lin(Regression(n=100, columns=("x",), dropped=(), spread=np.eye(1), arms=arms), "t", "c")
    assert (found.se, found.df) == (0.0, 48.0)


def ratio(**change: Any) -> ArmFit:
    """Return an arm whose numerator is 0.3 times its denominator, but for what the covariate tells of it."""
    parts = {"mean": np.array([0.9, 3.0]), "adjusted": np.array([0.9, 3.0]), "slopes": np.array([[1.0, 0.3]])}
    covariance = 0.07 * np.array([[0.3 * 0.3, 0.3], [0.3, 1.0]])
    return ArmFit(**{"n": 50, **parts, "covariance": covariance, "leverage": 0.2, **change})


def test_what_cancels_to_rounding_is_no_variance() -> None:
    for scale in np.linspace(0.1, 3, 40):
        arm = ratio(covariance=scale * ratio().covariance)
        found = lin(
            Regression(n=100, columns=("x",), dropped=(), spread=np.eye(1), arms={"t": arm, "c": arm}), "t", "c"
        )
        assert (found.var_treated - found.covariance, found.se) == (0.0, 0.0)


@pytest.mark.parametrize("denominator", [0.0, -2.0])
def test_a_denominator_that_loses_its_sign_is_refused(denominator: float) -> None:
    arms = {"t": ratio(adjusted=np.array([0.9, denominator])), "c": ratio()}
    reason = why_not_adjusted(Regression(n=100, columns=("x",), dropped=(), spread=np.eye(1), arms=arms), "t", "c")
    assert reason is not None
    assert "adjusted denominator of arm 't'" in reason
