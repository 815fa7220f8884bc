"""Qini and AUUC of observed outcomes: numbers worked out by hand, a twin that goes unit by unit, and the jackknife."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from cxcausal.core.whom import Told
from cxcausal.stats.observed_uplift import auuc, qini_coefficient, qini_curve, rate, uplift_curve
from tests.twins import Values

EXACT = 1e-9
TREATED = [1, 0, 1, 0, 1, 0, 1, 0]
APART = [8, 7, 6, 5, 4, 3, 2, 1]
TIED = [4, 4, 3, 3, 3, 2, 1, 1]
FLAT = [5] * 8
EVEN = [1, 0, 1, 1, 0, 0, 0, 1]
"""Two of four respond in either arm. Qini counts Y_t − Y_c·N_t/N_c after each of eight: 1, 1, 2, 1, 1/2, 1, 2/3, 0, and
uplift counts: 1, 2, 3, 2, 5/6, 2, 7/6, 0."""
GAIN = [1, 0, 1, 1, 0, 0, 0, 0]
"""The last control does not respond: the curves end at 1 and at 2 instead of 0."""
FROZEN: dict[str, tuple[Callable[..., Told], list[int], list[int], str, Fraction]] = {
    # the mean of neighbours, summed: all values less half of the last; 43/6 of 8² units²
    "qini": (qini_coefficient, EVEN, APART, "customer", Fraction(43, 6) / 64),
    # the knowing order takes 2 treated responders (2), 4 without response (2), 2 control responders (0): 2 + 8 + 2
    "qini of perfect": (qini_coefficient, EVEN, APART, "perfect", Fraction(43, 6) / 12),
    # steps end after 2, 5, 6 and 8 with 1, 1/2, 1, 0: 1 + 9/4 + 3/4 + 1
    "qini with ties": (qini_coefficient, EVEN, TIED, "customer", Fraction(5, 64)),
    # 43/6 + 1/2, less the diagonal's 4
    "qini of a gain": (qini_coefficient, GAIN, APART, "customer", Fraction(11, 3) / 64),
    # over the end of 1 of 8 customers
    "qini of a gain, of total": (qini_coefficient, GAIN, APART, "total", Fraction(11, 3) / 64 * 8),
    # 2 (2), 5 (2), 1 (1): 2 + 10 + 3/2 − 4
    "qini of a gain, of perfect": (qini_coefficient, GAIN, APART, "perfect", Fraction(11, 3) / Fraction(19, 2)),
    "qini of a constant": (qini_coefficient, GAIN, FLAT, "customer", Fraction(0)),
    "qini of a constant, of perfect": (qini_coefficient, GAIN, FLAT, "perfect", Fraction(0)),
    # 1 + 2 + 3 + 2 + 5/6 + 2 + 7/6
    "auuc": (auuc, EVEN, APART, "customer", Fraction(12, 64)),
    # 2 treated who respond (2), 2 controls who don't (4), 2 treated who don't (3), 2 controls who do (0): 2 + 6 + 7 + 3
    "auuc of perfect": (auuc, EVEN, APART, "perfect", Fraction(12, 18)),
    # 2, 5/6, 2, 0 after 2, 5, 6, 8: 2 + 17/4 + 17/12 + 2
    "auuc with ties": (auuc, EVEN, TIED, "customer", Fraction(29, 3) / 64),
    "auuc of a gain": (auuc, GAIN, APART, "customer", Fraction(13, 64)),
    "auuc of a gain, of total": (auuc, GAIN, APART, "total", Fraction(13, 64) / Fraction(2, 8)),
    # 2 (2), 3 (5), 2 (7/2), 1 (2): 2 + 21/2 + 17/2 + 11/4, less the diagonal's 8; of our 13 − 8
    "auuc of a gain, of perfect": (auuc, GAIN, APART, "perfect", Fraction(5) / Fraction(63, 4)),
    "auuc of a constant": (auuc, GAIN, FLAT, "customer", Fraction(1, 8)),
    "auuc of a constant, of total": (auuc, GAIN, FLAT, "total", Fraction(1, 2)),
}


@pytest.mark.parametrize("case", FROZEN)
def test_numbers_worked_out_by_hand(case: str) -> None:
    tell, outcome, predicted, scale, expected = FROZEN[case]
    assert tell(outcome, TREATED, predicted, scale=scale).point == pytest.approx(float(expected), abs=EXACT)


def test_curves_worked_out_by_hand() -> None:
    qini: list[Fraction | int] = [0, 1, 1, 2, 1, Fraction(1, 2), 1, Fraction(2, 3), 0]
    uplift: list[Fraction | int] = [0, 1, 2, 3, 2, Fraction(5, 6), 2, Fraction(7, 6), 0]
    found = qini_curve(EVEN, TREATED, APART), uplift_curve(EVEN, TREATED, APART)
    assert found[0].share.tolist() == [place / 8 for place in range(9)]
    for curve, values in zip(found, (qini, uplift), strict=True):
        assert curve.value == pytest.approx([float(value) / 8 for value in values], abs=EXACT)
    tied = qini_curve(EVEN, TREATED, TIED)
    assert tied.share.tolist() == [0, 2 / 8, 5 / 8, 6 / 8, 1]
    assert tied.value == pytest.approx([0, 1 / 8, 1 / 16, 1 / 8, 0], abs=EXACT)


@pytest.mark.parametrize("tell", [qini_coefficient, auuc])
def test_a_constant_and_any_order_of_rows_change_nothing(tell: Callable[..., Told]) -> None:
    y, t, s = (np.array(values, dtype=float) for values in (GAIN, TREATED, TIED))
    order = np.random.default_rng(1).permutation(8)
    first, second = tell(y, t, s), tell(y[order], t[order], s[order])
    for name in ("point", "se", "low", "p"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=EXACT)
    found = qini_coefficient(y, t, np.full(8, 0.1))
    assert found.point == pytest.approx(0, abs=1e-15)
    assert found.p == pytest.approx(1, abs=1e-6)


def _points(y: Values, t: Values, s: Values, kind: str) -> tuple[list[float], list[float]]:
    """Go through thresholds one by one and count."""
    share, value = [0.0], [0.0]
    for threshold in sorted(set(s), reverse=True):
        first = s >= threshold
        treated, control = y[first & (t == 1)], y[first & (t == 0)]
        share.append(first.mean())
        if kind == "qini":
            scaled = control.sum() * len(treated) / len(control) if len(control) else 0.0
            value.append((treated.sum() - scaled) / len(y))
        else:
            apart = (treated.mean() if len(treated) else 0.0) - (control.mean() if len(control) else 0.0)
            value.append(apart * first.mean())
    return share, value


def _area(points: tuple[list[float], list[float]], *, diagonal: bool) -> float:
    steps = zip(pairwise(points[0]), pairwise(points[1]), strict=True)
    return sum((b - a) * (c + d) / 2 for (a, b), (c, d) in steps) - diagonal * points[1][-1] / 2


def _world(seed: int, n: int = 200, *, levels: int = 0) -> tuple[Values, Values, Values]:
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n) if not levels else rng.integers(0, levels, n).astype(float)
    t = (rng.random(n) < 0.6).astype(float)
    return (rng.random(n) < 0.4 + 0.1 * t * np.tanh(s)).astype(float), t, s


@pytest.mark.parametrize("levels", [0, 5])
@pytest.mark.parametrize("seed", range(5))
def test_points_equal_the_twin(seed: int, levels: int) -> None:
    y, t, s = _world(seed, levels=levels)
    twins = {kind: _points(y, t, s, kind) for kind in ("qini", "uplift")}
    assert qini_curve(y, t, s).value == pytest.approx(np.array(twins["qini"][1]), abs=EXACT)
    assert uplift_curve(y, t, s).value == pytest.approx(np.array(twins["uplift"][1]), abs=EXACT)
    assert qini_coefficient(y, t, s).point == pytest.approx(_area(twins["qini"], diagonal=True), abs=EXACT)
    assert auuc(y, t, s).point == pytest.approx(_area(twins["uplift"], diagonal=False), abs=EXACT)


@pytest.mark.parametrize("tell", [qini_coefficient, auuc])
@pytest.mark.parametrize("scale", ["customer", "perfect"])
def test_standard_errors_are_the_jackknifes(tell: Callable[..., Told], scale: str) -> None:
    y, t, s = _world(9, n=300)
    left = [tell(*(np.delete(column, place) for column in (y, t, s)), scale=scale).point or 0.0 for place in range(300)]
    jackknife = np.sqrt(299 / 300 * np.sum((np.array(left) - np.mean(left)) ** 2))
    assert tell(y, t, s, scale=scale).se == pytest.approx(jackknife, rel=0.02)


def test_clusters_count_once() -> None:
    y, t, s = _world(3)
    double = [np.concatenate([column, column]) for column in (y, t, s)]
    homes = np.tile(np.arange(200), 2)
    alone, together = qini_coefficient(y, t, s), qini_coefficient(*double, clusters=homes)
    assert together.point == pytest.approx(alone.point, abs=EXACT)
    assert together.se == pytest.approx(alone.se, rel=0.01)
    assert (qini_coefficient(*double).se or 0) == pytest.approx((alone.se or 0) / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (([1, 0], [1, 1], [1, 2]), "some of each"),
        (([1, 0], [1, 0], [1, 2, 3]), "same length"),
        (([1, float("nan")], [1, 0], [1, 2]), "missing"),
        (([1, 0], [1, 2], [1, 2]), "0 or 1"),
    ],
)
def test_what_cannot_be_told_is_refused(columns: tuple[list[float], ...], says: str) -> None:
    for tell in (qini_coefficient, auuc, qini_curve, uplift_curve):
        with pytest.raises(ValueError, match=says):
            tell(*columns)


def test_perfect_needs_outcomes_of_zero_and_one() -> None:
    for tell in (qini_coefficient, auuc):
        with pytest.raises(ValueError, match="0 and 1"):
            tell([1.5, 0, 2], [1, 0, 1], [1, 2, 3], scale="perfect")
    with pytest.raises(ValueError, match="one key"):
        rate([1.0, 2.0], [1.0, 2.0], clusters=[1])
