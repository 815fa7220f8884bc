"""V7 for effects by customer: what the model says of fresh customers, beside what they would gain."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.effect_model import EffectModel, effect_model
from tests.heterogeneity.worlds import AIM, World, told, trial
from tests.validation.engine import Band, Row, rng_of

COVERAGE = Band(low=0.85, high=1.0)
OFF = 0.08
"""Mean squared error of gains over that of one effect for everybody."""
SIGMAS = 4
_FRESH, _GROUPS = 2_000, 5
_LEARNERS = ("t", "dr", "r")


@dataclass(frozen=True, kw_only=True)
class EffectSetting:
    """A trial, or with `chosen` customers who are contacted as their first covariate has it."""

    name: str
    n: int
    arms: int = 2
    chosen: bool = False

    def world(self, seed: int, n: int) -> World:
        return trial(n, seed=seed, arms=self.arms, chosen=self.chosen)


SETTINGS = (
    EffectSetting(name="effects by customer, trial", n=1_500),
    EffectSetting(name="effects by customer, observed", n=2_000, chosen=True),
    EffectSetting(name="effects by customer, three arms", n=2_500, arms=3),
)


def v7_effects(reps: int | None = None) -> Iterator[Row]:
    """Tell of fresh customers, and of groups of those predicted alike, what they gain."""
    runs = reps or 200
    for setting in SETTINGS:
        seeds = rng_of("V7-effects", setting.name).integers(0, 2**31, (runs, 2))
        told_of = [_once(setting, int(one), int(two)) for one, two in seeds]
        held = float(np.mean([covered for covered, _ in told_of]))
        off = float(np.mean([error for _, error in told_of]))
        slack = 0.0 if reps is None else SIGMAS * np.sqrt(0.85 * 0.15 / runs)
        bar = "V7-effects"
        yield Row(bar=bar, setting=setting.name, target=f"coverage of groups ≥ {COVERAGE.low}", measured=f"{held:.3f}",
                  reps=runs, passed=COVERAGE.widened(slack).holds(held))  # fmt: skip
        yield Row(bar=bar, setting=setting.name, target=f"squared error ≤ {OFF} of the constant's",
                  measured=f"{off:.3f}", reps=runs, passed=off <= OFF)  # fmt: skip


def _once(setting: EffectSetting, seed: int, other: int) -> tuple[float, float]:
    """Return how often groups' intervals hold what they gain, and the error over the constant's."""
    fresh = setting.world(other, _FRESH)
    raw = {name: fresh.rows.numbers[name] for name in ("x", "z")}
    model = _model(setting.world(seed, setting.n))
    gains = model.gains(raw)
    low, high = model.intervals(gains)
    shares = [_covered(gains[:, place], (low[:, place], high[:, place]), fresh.gains[:, place])
              for place in range(1, setting.arms)]  # fmt: skip
    true = fresh.gains[:, 1]
    return float(np.mean(shares)), float(np.mean((gains[:, 1] - true) ** 2) / np.var(true))


def _model(world: World) -> EffectModel:
    held = told(world, learners=_LEARNERS)
    everybody = np.ones(world.rows.n, dtype=bool)
    return effect_model(
        world.rows, AIM, modifiers=("x", "z"), nuisances=world.nuisances(), eligible=everybody,
        weight=np.ones(world.rows.n), held=held, learners=_LEARNERS,
    )[0]  # fmt: skip


def _covered(gains: Floats, interval: tuple[Floats, Floats], true: Floats) -> float:
    groups = np.array_split(np.argsort(gains), _GROUPS)
    low, high = interval
    return float(np.mean([low[own].mean() <= true[own].mean() <= high[own].mean() for own in groups]))


EFFECT_BARS = {"V7-effects": v7_effects}
