"""A bar on arms that must be stopped for harm: no rule gives them, and what rules gain is of the arms that are left."""

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np

from tests.validation.engine import Row, rng_of
from tests.validation.policies import COVERED, ELSEWHERE, UNITS, Found, found_of
from tests.validation.policy_worlds import HARMED, drawn, elsewhere_of, held_out, spending

BAR = "V17-left-out"
WISHED = 0.05
"""The least share of customers whom rules would give the arm if it were not left out: else there is nothing to see."""
_PLACE, _ARM = 2, HARMED.arms[2]
_SIGMAS = 4
_LEARNED = ("best_arm", "top_risk", "value", "limited", "tree")


def left_out(reps: int | None = None) -> Iterator[Row]:
    """Give nobody the arm that harms, though it gains most for some, and cover what the rules without it gain."""
    asked = 1_000
    runs = reps or asked
    least = COVERED - (_SIGMAS * sqrt(0.95 * 0.05 / runs) if runs < asked else 0.0)
    for limits in (False, True):
        setting = f"{HARMED.name}, the {_ARM} left out{', budget and capacity' if limits else ''}"
        rng = rng_of(BAR, setting)
        pairs = [_pair(rng, limits=limits) for _ in range(runs)]
        yield _given(setting, pairs)
        for name in [each for each in _LEARNED if each in pairs[0][1].truth]:
            share = float(np.mean([_covered(found, name) for _, found in pairs]))
            yield Row(
                bar=BAR,
                setting=f"{setting}: gain of {name.replace('_', ' ')}",
                target=f"coverage ≥ {least:.4g}",
                measured=f"coverage {share:.4f}",
                reps=runs,
                passed=share >= least,
            )


def _pair(rng: np.random.Generator, *, limits: bool) -> tuple[float, Found]:
    """Return how many would be given the arm in one draw, and what is told where it is left out."""
    costs = spending(HARMED, 0.2, (("bot", 0.5), (_ARM, 0.25))) if limits else spending(HARMED)
    draw = drawn(HARMED, rng, UNITS + ELSEWHERE, ELSEWHERE)
    held = held_out(draw)
    wished = found_of(draw, held, costs).worths["limited" if limits else "value"].share[_ARM]
    return wished, found_of(draw, held, costs, elsewhere_of(draw), left_out=(_PLACE,))


def _given(setting: str, pairs: list[tuple[float, Found]]) -> Row:
    wished = float(np.mean([share for share, _ in pairs]))
    given = max(found.worths[name].share[_ARM] for _, found in pairs for name in _LEARNED if name in found.worths)
    return Row(
        bar=BAR,
        setting=f"{setting}: who gets it",
        target=f"nobody, where rules would give it to more than {100 * WISHED:g} %",
        measured=f"{given:.4f}, where {wished:.4f} would",
        reps=len(pairs),
        passed=given == 0 and wished > WISHED,
    )


def _covered(found: Found, name: str) -> bool:
    told = found.worths[name].gain
    assert told.low is not None, told
    assert told.high is not None, told
    # Where a turn's rule chose nobody, there is nothing to be wrong about.
    return bool(told.low - 1e-9 <= found.truth[name] <= told.high + 1e-9)


LEFT_OUT_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {BAR: left_out}
