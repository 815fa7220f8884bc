"""A bar on rules that are followed because they gain over contacting nobody: none is where nobody gains anything."""

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np

from cxcausal.core.held_out import HeldOut
from tests.validation.engine import Row, rng_of
from tests.validation.policies import MOST_CLAIMS, NAIVE_CLAIMS, UNITS, Found, found_of
from tests.validation.policy_worlds import NULLS, Drawn, World, drawn, held_out, naive_held_out, spending

BAR = "V15-nobody"
_SIGMAS = 4
_LIMITS = (("bot", 0.5), ("agent", 0.25))
_RULES = frozenset({"value", "limited", "tree"})


def _nothing(arms: int) -> Callable[..., np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    return lambda tenure, _risk, _intent: np.zeros((len(tenure), arms))


NOTHING_GAINED = (
    NULLS[0],
    World(name="no effect, households of 4", gains=_nothing(2), shares=(0.5, 0.5), clusters=4),
    World(name="no effect, yes or no", gains=_nothing(2), shares=(0.8, 0.2), binary=True),
)
"""Worlds in which every rule gains exactly nothing over contacting nobody."""


def nobody(reps: int | None = None) -> Iterator[Row]:
    """Follow a rule over contacting nobody no more often than the error level where nobody gains; and see who does."""
    asked = 1_000
    runs = reps or asked
    most = MOST_CLAIMS + (_SIGMAS * sqrt(0.05 * 0.95 / runs) if runs < asked else 0.0)
    for world in NOTHING_GAINED:
        for limits in (False, True):
            setting = f"{world.name}{', budget and capacity' if limits else ''}"
            found = _drawn(world, setting, runs, held_out, limits=limits)
            rules = float(np.mean([each.followed in _RULES and not each.targeting for each in found]))
            anybody = float(np.mean([each.followed != "nobody" for each in found]))
            yield Row(
                bar=BAR,
                setting=setting,
                target=f"a rule followed over nobody in ≤ {most:.4g}",
                measured=f"{rules:.4f} (anybody contacted at all: {anybody:.4f})",
                reps=runs,
                passed=rules <= most,
            )
    few = max(runs // 5, 20)
    naive = _drawn(NULLS[0], "naive", few, naive_held_out, limits=False)
    share = float(np.mean([each.followed in _RULES for each in naive]))
    yield Row(
        bar=BAR,
        setting=f"{NULLS[0].name}: learned and valued on the same scores",
        target=f"followed in > {NAIVE_CLAIMS}: the bar must see it",
        measured=f"{share:.4f}",
        reps=few,
        passed=share > NAIVE_CLAIMS,
    )


def _drawn(
    world: World, setting: str, runs: int, turns: Callable[[Drawn], HeldOut], *, limits: bool
) -> tuple[Found, ...]:
    rng = rng_of(BAR, setting)
    limit = tuple(each for each in _LIMITS if each[0] in world.arms)
    costs = spending(world, 0.1, limit) if limits else spending(world)
    return tuple(found_of(draw, turns(draw), costs) for draw in (drawn(world, rng, UNITS) for _ in range(runs)))


NOBODY_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {BAR: nobody}
