"""Observational worlds of many shapes, drawn as units in memory, clean or broken in one way, and what gates say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Flow
from cxcausal.core.hashing import mixed
from cxcausal.core.protocols import Answers, DatasetWithRows
from cxcausal.core.queries import CorrelationQuery, FlowQuery, Query
from cxcausal.core.registry import Registry
from cxcausal.core.results import CheckResult
from cxcausal.core.rows import TIME_ZERO, Rows, RowsWanted, Text
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.designs.observational import Observational
from cxcausal.pipeline.score_road import BothRoads

Array = npt.NDArray[np.float64]
Broken = Literal["", "no overlap", "hidden confounder", "late time zero", "leakage", "its own definition"]
BROKEN: tuple[Broken, ...] = ("no overlap", "hidden confounder", "late time zero", "leakage", "its own definition")
N = 2_000
OUTCOMES = ("binary", "continuous", "zero-inflated")
TARGETS = ("ato", "att", "ate")
FROM_SUMS = frozenset({"duplicates", "maturity", "missing_outcome", "differential_missingness", "tiny_arm"})
"""Checks that are validated elsewhere, and ask nothing of scores."""
_LINEAR = {"outcome": "linear", "propensity": "logistic"}
_LOGISTIC = {"outcome": "logistic", "propensity": "logistic"}
_STACKED = {"outcome": "stacked", "propensity": "stacked"}


@dataclass(frozen=True, kw_only=True)
class World:
    """The plan and the units of one world."""

    spec: ExperimentSpec
    rows: Rows


@dataclass(frozen=True, kw_only=True)
class InMemory:
    """A dataset whose units are all that there is."""

    world: World

    def rows(self, wanted: RowsWanted) -> Rows:
        """Return all units with all columns."""
        del wanted
        return self.world.rows

    def answer(self, queries: Sequence[Query]) -> Answers:
        """Return correlations, the only sums that gates ask for, and how many units there are."""
        rows, n = self.world.rows, self.world.rows.n
        flow = Flow(rows=n, filtered_out=0, enrolled=n, immature=0, analysed=n, randomization_units=n)
        return {
            query: flow if isinstance(query, FlowQuery) else _correlation(rows, cast("CorrelationQuery", query))
            for query in queries
        }


def gates() -> tuple[str, ...]:
    """Return the checks of observational plans that may withhold a verdict, and are judged from scores."""
    names = (name for name in Observational.checks if name not in FROM_SUMS)
    return tuple(name for name in names if Registry(kind="checks").load(name)().on_breach == "fail")


def judged(world: World, names: Sequence[str] | None = None) -> dict[str, CheckResult]:
    """Return what every gate says of a world."""
    checks = [Registry(kind="checks").load(name)() for name in (gates() if names is None else names)]
    roads = BothRoads(dataset=cast("DatasetWithRows", InMemory(world=world)), spec=world.spec)
    queries = dict.fromkeys(query for check in checks for query in check.queries(world.spec))
    answers = roads.answer(tuple(queries))
    return {check.name: check.judge(world.spec, answers) for check in checks}


def draw(place: int, rng: np.random.Generator, broken: Broken = "", *, n: int = N, curved: bool = False) -> World:
    """Return one world; its number decides its shape: arms, outcome, target, learners, clusters, what is missing.

    In a curved one the treated arms are small, no straight line tells who is treated, and learners are stacked.
    """
    arms = ("bot", "human", "expert")[: 3 if place % 5 == 2 else 2]
    mood, effort, hidden = rng.normal(size=(3, n))
    noted = _with_gaps(effort, place, rng)
    effort = np.where(np.isnan(noted), 0.0, noted)  # what nobody noted moved nothing, so that nothing is hidden
    agent = rng.integers(0, n // 12, n)
    region = rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    week = rng.integers(0, 13, n).astype(np.float64)
    shared = 0.3 * rng.normal(size=n // 12)[agent] if place % 4 == 0 else np.zeros(n)
    pull = 0.5 * mood - 0.3 * effort + 0.3 * (region == 1) + 0.06 * (week - 6) * (place % 2)
    pull += (0.8 * hidden if broken == "hidden confounder" else 0.0) + (4.0 * mood if broken == "no overlap" else 0.0)
    pull = 0.8 * pull**2 + 0.4 * pull - 2 if curved else pull
    arm = _assigned(pull - (0.8 if place % 3 == 0 else 0.0), len(arms), rng)
    seen = hidden if broken == "hidden confounder" else np.zeros(n)
    trouble = 0.6 * mood + 0.4 * effort - 0.3 * (region == 2) + shared
    churned = _outcome(OUTCOMES[place % 3], trouble + 0.6 * seen - 0.3 * (arm > 0), rng)
    numbers = {
        "mood": mood,
        "effort": noted,
        "week": week,
        "contacts": trouble + 0.6 * seen + rng.normal(size=n),
        "before": 0.5 * trouble + rng.normal(size=n),
        "luck": rng.normal(size=n) + 0.5 * mood,
        "churned": churned,
        TIME_ZERO: 7 * week + 7 * rng.random(n) + (rng.uniform(0, 14, n) * (arm > 0)) * (broken == "late time zero"),
    }
    if broken == "leakage":
        numbers["mood"] = churned + 0.05 * rng.normal(size=n)
    if broken == "its own definition":
        numbers["mood"] = (arm > 0) + 0.01 * rng.normal(size=n)
    keys = mixed(np.arange(n, dtype=np.uint64), place)
    order = np.argsort(keys)
    rows = Rows(
        arms=arms,
        arm=arm.astype(np.int8)[order],
        key=keys[order],
        numbers={name: values[order] for name, values in numbers.items()},
        texts={"region": Text(codes=region.astype(np.int32)[order], levels=("a", "b", "c", "d", "e"))},
        clusters={"agent": mixed(agent.astype(np.uint64), 1)[order]} if place % 4 == 0 else {},
    )
    return World(spec=plan(place, arms, stacked=curved), rows=rows)


def plan(place: int, arms: Sequence[str], *, stacked: bool = False) -> ExperimentSpec:
    """Return the plan of a world."""
    learners = _LOGISTIC if place % 4 == 3 else _LINEAR
    learners = _STACKED if stacked or place % 25 == 24 else learners
    metric: dict[str, Any] = {"name": "churn", "column": "churned", "desired_direction": "decrease"}
    metric |= {"type": "proportion" if place % 3 == 0 else "mean", "window": {"start": "0d", "end": "90d"}}
    controls = {"outcomes": ["contacts"] if place % 2 == 0 else [], "exposures": ["luck"] if place % 3 == 1 else []}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "world",
            "question": "Does a person keep customers?",
            "owner": "team@example.com",
            "data": {
                "source": "rows.csv",
                "unit": "id",
                "time_zero": "failed_at",
                **({"cluster": "agent"} if place % 4 == 0 else {}),
            },
            "design": {
                "type": "observational",
                "treatment": {"column": "route", "control": arms[0], "arms": {arm: {} for arm in arms}},
                "confounders": ["mood", "effort", "region", "week"],
                "negative_controls": controls,
            },
            "metrics": {"success": [metric | ({"covariate": "before"} if place % 3 == 2 else {})]},
            "estimand": {"contrast": TARGETS[place % len(TARGETS)] if place % 2 else "ato"},
            "estimation": {"nuisance": learners, "repeats": 1 if learners is _STACKED else 3},
        }
    )


def _assigned(pull: Array, arms: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return arms by a logit (two arms), or by the largest of utilities with Gumbel's noise."""
    utility = np.column_stack([np.zeros(len(pull)), *(pull * (1.0 if at == 1 else 0.5) for at in range(1, arms))])
    return np.asarray(np.argmax(utility + rng.gumbel(size=utility.shape), axis=1))


def _outcome(kind: str, level: Array, rng: np.random.Generator) -> Array:
    if kind == "binary":
        return (rng.random(len(level)) < 1 / (1 + np.exp(1 - level))).astype(np.float64)
    if kind == "continuous":
        return level + rng.normal(size=len(level))
    some = rng.random(len(level)) < 1 / (1 + np.exp(1 - 0.5 * level))
    return np.where(some, np.exp(1 + 0.3 * level + 0.5 * rng.normal(size=len(level))), 0.0)


def _with_gaps(values: Array, place: int, rng: np.random.Generator) -> Array:
    """Return values of which a tenth is missing, in every third world."""
    return np.where(rng.random(len(values)) < 0.1, np.nan, values) if place % 3 == 1 else values


def _correlation(rows: Rows, query: CorrelationQuery) -> float:
    """Return the correlation within arms."""
    if query.column not in rows.numbers:
        return float("nan")
    one, other = rows.numbers[query.column], rows.numbers[query.measure.terms[0][0]]
    known = ~(np.isnan(one) | np.isnan(other))
    pair = [one.copy(), other.copy()]
    for place in range(len(rows.arms)):
        own = known & (rows.arm == place)
        for values in pair:
            values[own] -= np.mean(values[own])
    left, right = (values[known] for values in pair)
    return float(left @ right / np.sqrt((left @ left) * (right @ right)))


def verdicts(found: Mapping[str, CheckResult]) -> dict[str, str]:
    """Return the verdict of every gate."""
    return {name: result.verdict for name, result in found.items()}
