"""Bar V12: refuters of sound effects alarm as rarely as they say, and a p-value among them is uniform, never zero."""

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
from scipy.stats import kstest

from cxcausal.checks.refutation import RefutationCheck
from cxcausal.core.score_answers import Refuter
from cxcausal.core.score_queries import TARGETS, RefutationQuery, Target
from cxcausal.scoring.refutation import PLACEBOS
from tests.scoring.given import Y, drawn
from tests.validation.engine import Row, rng_of

ASKED = 1_000
UNITS = 1_200
SIGMAS = 4
_NORMAL = 1.959964


def v12(reps: int | None = None) -> Iterator[Row]:
    """Draw worlds whose nuisances are right, one target each in turn, and refute their effects."""
    runs = reps or ASKED
    seeds = rng_of("V12", "worlds").integers(0, 2**31, runs)
    found = [_refuters(int(seed), TARGETS[place % len(TARGETS)]) for place, seed in enumerate(seeds)]
    yield _uniform(np.array([each["placebo_treatment"].p for each in found], dtype=float))
    limit = 0.05 + SIGMAS * sqrt(0.05 * 0.95 / runs)
    for name in found[0]:
        yield _alarms(name, np.array([_shift(each[name]) for each in found]), limit)


def _refuters(seed: int, target: Target) -> dict[str, Refuter]:
    road = drawn(UNITS, seed, arms=2 + seed % 2)
    query = RefutationQuery(measure=Y, target=target)
    answer: Any = road.answer([query])[query]
    return {each.name: each for each in answer.refuters["t", "c"]}


def _shift(found: Refuter) -> float:
    return (found.found - found.expected) / found.se


def _uniform(p: np.ndarray[Any, np.dtype[np.float64]]) -> Row:
    uniform = float(kstest(p, "uniform").pvalue)
    return Row(
        bar="V12",
        setting=f"placebo treatment, p from {PLACEBOS} draws, sound nuisances",
        target=f"KS p > .001, never below 1/{PLACEBOS + 1}",
        measured=f"KS p {uniform:.3f}, smallest {p.min():.3f}",
        reps=len(p),
        passed=bool(uniform > 0.001 and p.min() >= 1 / (1 + PLACEBOS)),
    )


def _alarms(name: str, shifts: np.ndarray[Any, np.dtype[np.float64]], limit: float) -> Row:
    often = float(np.mean(np.abs(shifts) > _NORMAL))
    far = float(np.mean(np.abs(shifts) > RefutationCheck.max_shift_in_se))
    return Row(
        bar="V12",
        setting=f"{name.replace('_', ' ')}: distance in its standard errors, sound nuisances",
        target=f"beyond 1.96 in ≤ {limit:.4f}, beyond {RefutationCheck.max_shift_in_se:g} in ≤ 0.2 %",
        measured=f"{often:.4f}, {far:.4f}",
        reps=len(shifts),
        passed=bool(often <= limit and far <= 0.002),
    )
