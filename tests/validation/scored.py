"""Scores in worlds of known truth: coverage of the population effect with linear nuisances, and of ATT and ATO."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from cxcausal.core.score_queries import Target
from tests.score_worlds import THREE_ARMS, WORLDS, ScoreWorld, effect_of, road_of
from tests.validation.engine import Band, Row, rng_of

_TARGETS: tuple[Target, ...] = ("ate", "att", "ato")
_CONTRAST = np.array([1.0, -1.0])
_CLOSED, _SPREAD, _TILTED = Band(low=0.938, high=0.962), Band(low=0.95, high=1.05), Band(low=0.93, high=0.97)
_SIGMAS = 4


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What repetitions of one setting gave."""

    coverage: float
    spread: float
    bias: float


def v4_scores(reps: int | None = None) -> Iterator[Row]:
    """Cover the effect on everybody with linear nuisances, with standard errors as large as the spread."""
    for world in WORLDS:
        yield from _rows("V4s", world, ("ate",), reps, asked=4_000, band=_CLOSED)


def v6(reps: int | None = None) -> Iterator[Row]:
    """Cover the effects on those treated and on the overlap, with two and with three arms."""
    for world in (WORLDS[0], WORLDS[2], WORLDS[4], THREE_ARMS):
        yield from _rows("V6", world, ("att", "ato"), reps, asked=2_000, band=_TILTED)


def covered(world: ScoreWorld, targets: Sequence[Target], runs: int, bar: str) -> dict[Target, Covered]:
    """Return coverage, SE/sd and bias/sd of one world, over so many draws."""
    rng = rng_of(bar, world.name)
    found: dict[Target, list[tuple[float, float, float]]] = {target: [] for target in targets}
    for _ in range(runs):
        road = road_of(world.sample(rng), arms=world.arms)
        for target in targets:
            effect = effect_of(road, target, world.arms - 1)
            se = float(np.sqrt(_CONTRAST @ effect.covariance @ _CONTRAST))
            found[target].append((effect.mean[0] - effect.mean[1], se, float(student.ppf(0.975, effect.df))))
    return {target: _told(world.truth(target, world.arms - 1), np.array(each)) for target, each in found.items()}


def _told(truth: float, found: np.ndarray) -> Covered:
    point, se, reach = found.T
    return Covered(
        coverage=float(np.mean(np.abs(point - truth) <= reach * se)),
        spread=float(se.mean() / point.std()),
        bias=float((point.mean() - truth) / point.std()),
    )


def _rows(
    bar: str, world: ScoreWorld, targets: Sequence[Target], reps: int | None, *, asked: int, band: Band
) -> Iterator[Row]:
    runs = reps or asked
    noise = 0.0 if runs >= asked else _SIGMAS / np.sqrt(runs)
    wide, spread = band.widened(noise * 0.22), _SPREAD.widened(noise * 0.71)
    tells_spread = bar == "V4s"
    for target, each in covered(world, targets, runs, bar).items():
        told = tells_spread and world.clusters is None
        goal = f"coverage {wide}" + (f", SE/sd {spread}" if told else "")
        yield Row(
            bar=bar,
            setting=f"scores, {target}, {world.name}",
            target=goal,
            measured=f"coverage {each.coverage:.3f}, SE/sd {each.spread:.3f}, bias/sd {each.bias:+.2f}",
            reps=runs,
            passed=wide.holds(each.coverage) and (not told or spread.holds(each.spread)),
        )


SCORED_BARS = {"V4s": v4_scores, "V6": v6}
