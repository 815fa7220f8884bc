"""Coverage of every type of metric beyond plain means and rates: quantiles, scores, counts and the parts of a mean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from cxcausal.core.answers import ClusterPatterns
from cxcausal.stats.difference import Interval, hc2
from cxcausal.stats.parts import split_mean
from cxcausal.stats.quantiles import quantile_difference
from tests.quantile_twins import grid_of
from tests.twins import Values, cluster_patterns_of
from tests.validation.engine import Band, Row, cells_of, ratio_cells, rng_of

Generator = np.random.Generator
COVERAGE = Band(low=0.938, high=0.962)
CAREFUL = Band(low=0.938, high=0.975)
"""Ranks are whole numbers, so that limits of quantiles are a little wide in small arms."""
AT_LEAST = Band(low=0.938, high=1.0)
"""Between few values, an interval ends on one of them."""
_ASKED = 4_000
_SIGMAS = 4
_ZEROS = 0.4


@dataclass(frozen=True, kw_only=True)
class _World:
    """Something to be covered: an interval per repetition, the truth, and the band that the share must keep."""

    name: str
    band: Band
    truth: float
    draw: Callable[[Generator], Interval]


def v4_types(reps: int | None = None) -> Iterator[Row]:
    """Cover the true effect on metrics of every type."""
    runs = reps or _ASKED
    for world in WORLDS:
        rng = rng_of("V4", world.name)
        held = [limits.low <= world.truth <= limits.high for limits in (world.draw(rng) for _ in range(runs))]
        coverage, noise = float(np.mean(held)), 0.0 if runs >= _ASKED else _SIGMAS * 0.22 / np.sqrt(runs)
        yield Row(
            bar="V4+",
            setting=world.name,
            target=f"coverage {world.band}",
            measured=f"coverage {coverage:.4f}",
            reps=runs,
            passed=world.band.widened(noise).holds(coverage),
        )


def _normal(rng: Generator, n: int, moved: float) -> Values:
    return rng.normal(moved, 1, n)


def _lognormal(rng: Generator, n: int, moved: float) -> Values:
    return rng.lognormal(3 + moved, 1, n)


def _spend(rng: Generator, n: int, moved: float) -> Values:
    return np.where(rng.random(n) < _ZEROS, 0.0, rng.lognormal(3 + moved, 1, n))


_Draw = Callable[[Generator, int, float], Values]
_SHAPES: dict[str, tuple[_Draw, Callable[[float, float], float]]] = {
    "normal": (_normal, lambda q, moved: moved + norm.ppf(q)),
    "lognormal": (_lognormal, lambda q, moved: np.exp(3 + moved + norm.ppf(q))),
    "zero-inflated spend": (_spend, lambda q, moved: np.exp(3 + moved + norm.ppf((q - _ZEROS) / (1 - _ZEROS)))),
}


def _quantile_world(shape: str, q: float, n: int) -> _World:
    draw, truth = _SHAPES[shape]

    def interval(rng: Generator) -> Interval:
        treated, control = grid_of(draw(rng, n, 0.1), q), grid_of(draw(rng, n, 0.0), q)
        return quantile_difference(treated, control, q).interval(0.95)

    name = f"quantile {q:g}, {shape}, {n:,} per arm"
    return _World(name=name, band=CAREFUL, truth=float(truth(q, 0.1) - truth(q, 0.0)), draw=interval)


def _lattice_world(name: str, q: float, shares: tuple[tuple[float, ...], tuple[float, ...]], truth: float) -> _World:
    def interval(rng: Generator) -> Interval:
        arms = [rng.choice(np.arange(1.0, 6.0), 400, p=share) for share in shares]
        return quantile_difference(grid_of(arms[0], q), grid_of(arms[1], q), q).interval(0.95)

    return _World(name=f"quantile {q:g}, {name}", band=AT_LEAST, truth=truth, draw=interval)


def _clustered_quantile(q: float) -> _World:
    cluster = np.repeat(np.arange(100), 20)
    treated = (cluster % 2).astype(float)

    def interval(rng: Generator) -> Interval:
        values = rng.normal(0, np.sqrt(0.1), 100)[cluster] + rng.normal(0, np.sqrt(0.9), 2_000) + 0.1 * treated
        arms = [grid_of(values[treated == arm], q, reach=24.0) for arm in (1, 0)]
        cuts = np.quantile(values[treated == 0], q), np.quantile(values[treated == 1], q)
        above = (values > np.where(treated == 1, cuts[1], cuts[0])).astype(float)
        shares: dict[tuple[str, ...], ClusterPatterns] = {("g",): cluster_patterns_of(above, treated, cluster)}
        return quantile_difference(arms[0], arms[1], q, [shares]).interval(0.95)

    return _World(name=f"quantile {q:g}, 100 clusters of 20", band=CAREFUL, truth=0.1, draw=interval)


def _mean_world(name: str, n: int, draw: Callable[[Generator, int, bool], Values], truth: float) -> _World:
    def interval(rng: Generator) -> Interval:
        (treated,), (control,) = (cells_of(draw(rng, n, moved)[None, :]) for moved in (True, False))
        return hc2(treated, control).interval(0.95)

    return _World(name=f"{name}, {n:,} per arm", band=COVERAGE, truth=truth, draw=interval)


def _scores(values: tuple[float, ...], shares: tuple[tuple[float, ...], tuple[float, ...]]) -> tuple[
    Callable[[Generator, int, bool], Values], float
]:  # fmt: skip
    truth = float(np.dot(values, shares[0]) - np.dot(values, shares[1]))
    return lambda rng, n, moved: rng.choice(values, n, p=shares[0 if moved else 1]), truth


def _negative_binomial(rng: Generator, n: int, moved: bool) -> Values:  # noqa: FBT001 - one of two arms
    return rng.poisson(rng.gamma(0.8, (2.3 if moved else 2.0) / 0.8, n)) + 0.0


_P, _LOG = (0.33, 0.3), (3.1, 3.0)
_M = tuple(float(np.exp(log + 0.32)) for log in _LOG)
"""Shares of those who have any, and means among them: log-normal with a standard deviation of .8."""


def _part_world(part: str, truth: float) -> _World:
    def interval(rng: Generator) -> Interval:
        cells = []
        for share, log in zip(_P, _LOG, strict=True):
            y = np.where(rng.random(2_000) < share, rng.lognormal(log, 0.8, 2_000), 0.0)[None, :]
            cells += ratio_cells(y, (y != 0).astype(float))
        if part == "how_much":
            return hc2(cells[0], cells[1]).interval(0.95)
        split = split_mean(cells[0], cells[1])
        return (split.who if part == "from_who" else split.how_much).interval(0.95)

    return _World(name=f"two-part spend: {part}, 2,000 per arm", band=COVERAGE, truth=truth, draw=interval)


_NPS = _scores((-100.0, 0.0, 100.0), ((0.3, 0.3, 0.4), (0.35, 0.3, 0.35)))
_ORDINAL = _scores((1.0, 2.0, 3.0, 4.0, 5.0), ((0.05, 0.1, 0.2, 0.35, 0.3), (0.07, 0.13, 0.2, 0.35, 0.25)))
_TOP_BOX = _scores((0.0, 1.0), ((0.35, 0.65), (0.4, 0.6)))
_EDGE = (0.1, 0.15, 0.25, 0.4, 0.1)

WORLDS = (
    *(_quantile_world(shape, q, n) for shape in _SHAPES for q in (0.5, 0.9, 0.95) for n in (500, 5_000)),
    _clustered_quantile(0.5),
    _clustered_quantile(0.9),
    _lattice_world("scores of 1 to 5 on an edge in both arms", 0.5, (_EDGE, _EDGE), 0.0),
    _lattice_world("scores of 1 to 5 on an edge, one apart", 0.5, ((0.1, 0.15, 0.24, 0.41, 0.1), _EDGE), 1.0),
    _mean_world("NPS", 400, *_NPS),
    _mean_world("ordinal score", 200, *_ORDINAL),
    _mean_world("top box", 300, *_TOP_BOX),
    _mean_world("count, negative binomial", 400, _negative_binomial, 0.3),
    _part_world("how_much", _M[0] - _M[1]),
    _part_world("from_who", (_P[0] - _P[1]) * (_M[0] + _M[1]) / 2),
    _part_world("from_how_much", (_M[0] - _M[1]) * (_P[0] + _P[1]) / 2),
)
