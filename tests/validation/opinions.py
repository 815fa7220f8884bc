"""Bars for second opinions: each method covers its own truth, agrees in clean worlds, and disagrees in a broken one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from cxcausal.checks.agreement import Agreement, breaches
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import Opinion, OpinionAnswer
from cxcausal.core.score_queries import OpinionQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad
from tests.validation.engine import Band, Row, rng_of

COVERAGE = Band(low=0.92, high=0.985)
SPREAD = Band(low=0.9, high=1.1)
FOREST = Band(low=0.93, high=1.0)
MOST_BREACHES, LEAST_POWER = 0.005, 0.8
LIMIT = Agreement().max_gap_in_se
_SIGMAS = 4
_LINEAR = Recipe(outcome="linear", propensity="logistic", repeats=1)
_Y = Measure(name="y", terms=(("y", 1.0),))
_MANY = 1_000_000
_CHEAP = ("overlap_weighting", "matching", "linear_dml", "dr_learner")


@dataclass(frozen=True, kw_only=True)
class World:
    """Two arms; covariates (n, 4) → log odds of the second, and both arms' mean outcomes (n, 2)."""

    name: str
    odds: Callable[[Floats], Floats]
    means: Callable[[Floats], Floats]
    binary: bool = False

    def truth(self, target: Target) -> float:
        """Return the true effect in a target population."""
        x = np.random.default_rng(5).normal(size=(_MANY, 4))
        e = _share(self.odds(x))
        h = {"ate": np.ones(_MANY), "att": e, "ato": e * (1 - e)}[target]
        return float(np.average(self.means(x) @ [-1.0, 1.0], weights=h))

    def road(self, rng: np.random.Generator, n: int) -> ScoreRoad:
        """Return the score road over one draw; the control's name sorts last."""
        x = rng.normal(size=(n, 4))
        arm = (rng.random(n) < _share(self.odds(x))).astype(np.int8)
        mean = self.means(x)[np.arange(n), arm]
        y = (rng.random(n) < mean).astype(float) if self.binary else mean + rng.normal(size=n)
        numbers = {f"x{place}": values for place, values in enumerate(x.T)}
        key = rng.integers(0, 2**63, n, dtype=np.uint64)
        rows = Rows(arms=("none", "call"), arm=arm, key=key, numbers={**numbers, "y": y}, texts={}, clusters={})
        nuisances = Nuisances(rows=rows, covariates=tuple(numbers), recipe=_LINEAR)
        return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=(("call", "none"),))


def _share(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _line(x: Floats) -> Floats:
    base = x[:, 0] + 0.5 * x[:, 1] + 0.5 * x[:, 2]
    return np.column_stack([base, base + 1 + 0.3 * x[:, 0]])


def _rates(x: Floats) -> Floats:
    base = 0.3 + 0.1 * np.tanh(x[:, 0]) + 0.05 * np.tanh(x[:, 1])
    return np.column_stack([base, base - 0.08 - 0.03 * np.tanh(x[:, 0])])


def _bowl(x: Floats) -> Floats:
    base = x[:, 0] ** 2 + 0.5 * x[:, 1]
    return np.column_stack([base, base])


CLEAN = (
    World(name="amounts", odds=lambda x: 0.6 * x[:, 0] - 0.4 * x[:, 1], means=_line),
    World(name="shares", odds=lambda x: 0.6 * x[:, 0] - 0.4 * x[:, 1] - 0.5, means=_rates, binary=True),
    World(name="little overlap", odds=lambda x: 1.1 * x[:, 0], means=_line),
)
BROKEN = World(name="bent, and learned as a line", odds=lambda x: 0.8 * (x[:, 0] ** 2 - 1), means=_bowl)


def v7(reps: int | None = None) -> Iterator[Row]:
    """Cover the average effect from a forest's doubly robust scores, in each target population."""
    asked = 1_000
    runs = reps or asked
    slack = _SIGMAS * (0.95 * 0.05 / runs) ** 0.5 if runs < asked else 0.0
    targets: tuple[Target, ...] = ("ate", "att", "ato")
    for target in targets if reps is None else targets[:1]:
        told = _opinions(CLEAN[0], ("causal_forest",), target, runs, n=1_000)["causal_forest"]
        covered = _covered(told, CLEAN[0].truth(target))
        yield Row(
            bar="V7",
            setting=f"causal forest, doubly robust {target.upper()}",
            target=f"coverage {FOREST}",
            measured=f"coverage {covered:.4f}",
            reps=runs,
            passed=FOREST.widened(slack).holds(covered),
        )


def agreement(reps: int | None = None) -> Iterator[Row]:
    """Cover with every cheap method, agree in clean worlds, and disagree where models can't bend."""
    asked = 1_000
    runs = reps or asked
    for world in CLEAN:
        heard = _opinions(world, _CHEAP, "ate", runs, n=800)
        for method in _CHEAP:
            yield _clean_row(world, method, heard[method], 0.0 if runs >= asked else _SIGMAS / runs**0.5)
    told = _opinions(BROKEN, ("matching",), "ate", runs // 4 or 1, n=1_000)["matching"]
    power = float(np.mean([breaches(each, LIMIT) for each in told]))
    yield Row(
        bar="V-agreement",
        setting=f"{BROKEN.name}: matching disagrees",
        target=f"breaches ≥ {LEAST_POWER}",
        measured=f"breaches {power:.4f}",
        reps=runs // 4 or 1,
        passed=power >= LEAST_POWER,
    )


def _clean_row(world: World, method: str, told: list[Opinion], noise: float) -> Row:
    covered = _covered(told, world.truth("ato" if told[0].target == "ato" else "ate"))
    spread = float(np.mean([each.se for each in told]) / np.std([each.point for each in told]))
    breached = float(np.mean([breaches(each, LIMIT) for each in told]))
    held = COVERAGE.widened(0.22 * noise).holds(covered) and SPREAD.widened(0.75 * noise).holds(spread)
    return Row(
        bar="V-agreement",
        setting=f"{world.name}: {method}",
        target=f"coverage {COVERAGE}, SE/sd {SPREAD}, breaches ≤ {MOST_BREACHES}",
        measured=f"coverage {covered:.4f}, SE/sd {spread:.4f}, breaches {breached:.4f}",
        reps=len(told),
        passed=bool(held and breached <= MOST_BREACHES + 0.07 * noise),
    )


def _opinions(world: World, methods: tuple[str, ...], target: Target, runs: int, *, n: int) -> dict[str, list[Opinion]]:
    rng = rng_of("V-agreement", world.name)
    queries = {method: OpinionQuery(method=method, measure=_Y, target=target) for method in methods}
    found: dict[str, list[Opinion]] = {method: [] for method in methods}
    for _ in range(runs):
        answers = world.road(rng, n).answer(list(queries.values()))
        for method, query in queries.items():
            answer = answers[query]
            assert isinstance(answer, OpinionAnswer)
            found[method].append(answer.opinions["call", "none"])
    return found


def _covered(told: list[Opinion], truth: float) -> float:
    limits = np.array([float(t.ppf(norm.cdf(1.959963984540054), each.df)) for each in told])
    points, ses = np.array([each.point for each in told]), np.array([each.se for each in told])
    return float(np.mean(np.abs(points - truth) <= limits * ses))


OPINION_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {"V7": v7, "V-agreement": agreement}
