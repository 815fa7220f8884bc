"""Worlds where the contact does not reach everybody who is assigned: does the set hold the complier effect?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.queries import ClusterQuery
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.complier import Complier
from cxcausal.stats.quotient import BELOW, part_of, part_of_patterns
from tests.twins import Values, moments_of
from tests.validation.engine import CHURN, SPEND, Band, Row, Trial, rng_of

ASKED = 4_000
COVERAGE = Band(low=0.938, high=0.962)
AT_LEAST = Band(low=0.93, high=1.0)
SIGMAS = 4
TRUTH = 2.0
"""The mean effect of delivery on compliers, in the worlds whose outcome is an amount."""
RATE = -0.15
"""The same where the outcome is whether a customer leaves."""

Generator = np.random.Generator
Drawn = tuple[Values, Values, Values, Values | None]
"""Outcome, delivery, assignment, cluster; each of shape (units,)."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A setting: how a customer's kind, assignment and outcome are drawn, the truth and what is asked of coverage."""

    name: str
    draw: Callable[[Generator], Drawn]
    truth: float = TRUTH
    band: Band = COVERAGE
    rate: bool = False


def vlate(reps: int | None = None) -> Iterator[Row]:
    """Cover the complier effect, of whatever strength delivery follows assignment."""
    runs = reps or ASKED
    slack = 0.0 if runs >= ASKED else 0.22 * SIGMAS / np.sqrt(runs)
    yield from (_row(world, runs, slack) for world in WORLDS)


def _row(world: World, runs: int, slack: float) -> Row:
    rng = rng_of("V4-late", world.name)
    rows = [_estimate(world, *world.draw(rng)) for _ in range(runs)]
    shown = [row for row in rows if row.status == "ok"]
    held = sum(float(row.low or 0) <= world.truth <= float(row.high or 0) for row in shown)
    coverage = (held + runs - len(shown)) / runs
    withheld = f", {1 - len(shown) / runs:.1%} withheld and counted as held" if len(shown) < runs else ""
    return Row(
        bar="V4-late",
        setting=world.name,
        target=f"coverage {world.band}",
        measured=f"coverage {coverage:.4f}{withheld}",
        reps=runs,
        passed=world.band.widened(slack).holds(coverage),
    )


def _estimate(world: World, y: Values, d: Values, z: Values, cluster: Values | None) -> Estimate:
    """Return the product's own row from the aggregates of one drawn experiment."""
    spec, companion = _spec(rate=world.rate, clustered=cluster is not None), Complier()
    metric = spec.metrics.success[0]
    cells = {arm: moments_of(y[z == value], d[z == value]) for arm, value in (("c", 0), ("t", 1))}
    patterns = None if cluster is None else _patterns(y, d, z, cluster)
    answers = {query: _answer(query, cells, patterns) for query in companion.queries(spec, metric, {})}
    return next(row for one in companion.compare(spec, metric, {}, answers) if (row := one.at(0.05)).method == "wald")


def _spec(*, rate: bool, clustered: bool) -> ExperimentSpec:
    spec = Trial.of(CHURN if rate else SPEND, clustered=clustered).spec
    treatment = spec.design.treatment.model_copy(update={"received": "d"})
    return spec.model_copy(update={"design": spec.design.model_copy(update={"treatment": treatment})})


def _answer(query: Any, cells: dict[str, Moments], patterns: ClusterPatterns | None) -> Any:
    joint = query.measure.denominator is not None
    if isinstance(query, ClusterQuery):
        assert patterns is not None
        return patterns if joint else part_of_patterns(patterns, BELOW)
    return {(arm, ()): cell if joint else part_of(cell, BELOW) for arm, cell in cells.items()}


def _patterns(y: Values, d: Values, z: Values, cluster: Values) -> ClusterPatterns:
    """Return every cluster as a pattern of its own."""
    count = int(cluster.max()) + 1
    sides = [z == 1, z == 0]
    sizes = [np.bincount(cluster[side], minlength=count) for side in sides]
    sums = [np.bincount(cluster[side], values[side], count) for side in sides for values in (y, d)]
    total = np.stack(sums, axis=1).astype(np.float64)
    return ClusterPatterns(
        clusters=np.ones(count, dtype=np.int64),
        n_treated=sizes[0],
        n_control=sizes[1],
        total=total,
        cross=np.einsum("gi,gj->gij", total, total),
        center=np.zeros(2),
        clusters_treated=int(np.sum(sizes[0] > 0)),
        clusters_control=int(np.sum(sizes[1] > 0)),
    )


def _delivered(rng: Generator, z: Values, reach: float, always: float) -> tuple[Values, Values]:
    """Return who complies, and who is reached: always-takers in any case, compliers if assigned."""
    kind = rng.random(len(z))
    complies = (kind >= always) & (kind < always + reach)
    return complies, ((kind < always) | (complies & (z == 1))).astype(float)


def _assigned(rng: Generator, n: int, treated: int) -> Values:
    coin: Values = (rng.permutation(n) < treated).astype(float)
    return coin


def _amounts(n: int, treated: int, reach: float, always: float) -> Callable[[Generator], Drawn]:
    """Skewed amounts; compliers differ from others without the contact too, and their effects differ."""

    def draw(rng: Generator) -> Drawn:
        z = _assigned(rng, n, treated)
        complies, d = _delivered(rng, z, reach, always)
        effect = np.where(complies, TRUTH * rng.gamma(2.0, 0.5, n), -1.0)
        return rng.gamma(2.0, 2.0, n) + 1.5 * complies + effect * d, d, z, None

    return draw


def _leaving(n: int, reach: float, always: float) -> Callable[[Generator], Drawn]:
    def draw(rng: Generator) -> Drawn:
        z = _assigned(rng, n, n // 2)
        complies, d = _delivered(rng, z, reach, always)
        leaves = rng.random(n) < 0.3 + 0.05 * complies + RATE * d
        return leaves.astype(float), d, z, None

    return draw


def _clustered(count: int, reach: float, always: float) -> Callable[[Generator], Drawn]:
    """Whole clusters of 5 to 45 are assigned, half of them; both outcome and reach are alike within one."""

    def draw(rng: Generator) -> Drawn:
        sizes = rng.integers(5, 46, count)
        cluster = np.repeat(np.arange(count), sizes)
        z = _assigned(rng, count, count // 2)[cluster]
        shift = rng.uniform(-0.15, 0.15, count)[cluster]
        kind = rng.random(len(cluster))
        complies = (kind >= always) & (kind < always + reach + shift)
        d = ((kind < always) | (complies & (z == 1))).astype(float)
        y = rng.normal(size=len(cluster)) + rng.normal(0, 1 / 3, count)[cluster] + 0.5 * complies + TRUTH * d
        return y, d, z, cluster

    return draw


WORLDS = (
    World(name="complier effect, 6 in 10 reached, 200 + 200", draw=_amounts(400, 200, 0.6, 0.0)),
    World(name="complier effect, 3 in 10 reached, 100 of 500 assigned", draw=_amounts(500, 100, 0.3, 0.0)),
    World(name="complier effect, the control reached too, 300 + 300", draw=_amounts(600, 300, 0.5, 0.2)),
    World(name="complier effect, leavers, 500 + 500", draw=_leaving(1_000, 0.6, 0.0), truth=RATE, rate=True),
    World(
        name="complier effect, leavers, the control reached too, 500 + 500",
        draw=_leaving(1_000, 0.5, 0.15),
        truth=RATE,
        rate=True,
    ),
    World(name="complier effect, 60 clusters, 30 assigned", draw=_clustered(60, 0.5, 0.0)),
    World(name="complier effect, 60 clusters, the control reached too", draw=_clustered(60, 0.5, 0.2)),
    World(name="complier effect, 1 in 20 reached, 150 + 150", draw=_amounts(300, 150, 0.05, 0.0), band=AT_LEAST),
    World(name="complier effect, 1 in 20 more reached, 300 + 300", draw=_amounts(600, 300, 0.05, 0.3), band=AT_LEAST),
)
