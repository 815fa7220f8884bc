"""Sets of effects: trimming by hand, the interval's own equation, and standard errors against the bootstrap."""

import numpy as np
import pytest
from scipy.stats import norm, t

from cxcausal.core.answers import Nonresponse
from cxcausal.stats.difference import Difference
from cxcausal.stats.identified import IdentifiedSet, identified
from tests.nonresponse_twins import lee_ends
from tests.twins import Values
from tests.validation.surveys import nonresponse_of

NAN = float("nan")


def end(point: float, se: float, df: float = 1e9) -> Difference:
    return Difference(mean_treated=point, mean_control=0.0, var_treated=se**2, var_control=0.0, df=df)


def lee(found: Nonresponse) -> IdentifiedSet:
    assert found.lee is not None
    return identified(found.lee)


def test_trimming_by_hand() -> None:
    """Four of four answer with contact, two of four without: half of the contacted answers are trimmed."""
    found = lee(nonresponse_of(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, NAN, NAN])))
    assert (found.low.point, found.high.point) == pytest.approx((1.5 - 2.5, 3.5 - 2.5))
    mirrored = lee(nonresponse_of(np.array([2.0, 3.0, NAN, NAN]), np.array([1.0, 2.0, 3.0, 4.0])))
    assert (mirrored.low.point, mirrored.high.point) == pytest.approx((-1.0, 1.0))


def test_ties_are_kept_in_part() -> None:
    """Of the answers 1, 5, 5, 5, three quarters of a half are kept: 1.5 answers, of which half a 5 on the low side."""
    found = lee(nonresponse_of(np.array([1.0, 5.0, 5.0, 5.0]), np.array([2.0, 2.0, 2.0, *[NAN] * 5])))
    assert (found.low.point, found.high.point) == pytest.approx(((1 + 2.5) / 1.5 - 2, 5 - 2))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("width", [0.0, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("df", [4.0, 60.0, 1e9])
def test_the_critical_value_solves_the_equation_of_imbens_and_manski(level: float, width: float, df: float) -> None:
    found = IdentifiedSet(low=end(1.0, 0.5, df), high=end(1.0 + width, 0.8, df)).interval(level)
    c = (1.0 - found.low) / 0.5
    assert (found.high - 1.0 - width) / 0.8 == pytest.approx(c)
    law = norm if df > 1e6 else t(df)
    assert law.cdf(c + width / 0.8) - law.cdf(-c) == pytest.approx(level, abs=1e-9)


def test_a_set_without_noise_is_its_own_interval() -> None:
    found = IdentifiedSet(low=end(1.0, 0.0), high=end(2.0, 0.0)).interval(0.95)
    assert (found.low, found.high) == (1.0, 2.0)


def survey(rng: np.random.Generator, n: int, *, ties: bool) -> tuple[Values, Values]:
    mood = rng.normal(size=(2, n))
    score = np.clip(np.round(3 + mood), 1, 5) if ties else mood
    answered = rng.random((2, n)) < np.array([[0.8], [0.25]]) + 0.1 * np.tanh(mood)
    told = np.where(answered, score, NAN)
    return told[0], told[1]


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("mirrored", [True, False])
def test_standard_errors_are_those_of_the_bootstrap(ties: bool, mirrored: bool) -> None:  # noqa: FBT001 - parameters
    rng = np.random.default_rng(11)
    arms = survey(rng, 1500, ties=ties)
    treated, control = arms[::-1] if mirrored else arms
    found = lee(nonresponse_of(treated, control))
    drawn = np.array(
        [[one.point for one in lee_ends(rng.choice(treated, 1500), rng.choice(control, 1500))] for _ in range(500)]
    )
    assert (found.low.se, found.high.se) == pytest.approx(tuple(drawn.std(axis=0, ddof=1)), rel=0.13)
