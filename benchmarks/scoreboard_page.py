"""From estimates to `docs/scoreboard.md`: errors beside the best peer's, with the bars of the ladder of proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.scoreboard_worlds import Setting

OURS = "cxcausal"
_DRAWS = 2_000
_Z = 1.959963984540054
_HEAD = """# The scoreboard

Average effects in worlds of known truth: root mean squared error and coverage of 95 % intervals, beside EconML's
`LinearDRLearner` with everything at its default, and DoubleML's `DoubleMLIRM` with the random forests of its user
guide, all on the same data and the same five folds. Ours is the default too: stacked learners, the median of three
splits. Effects are everybody's, or those of the treated where the world says so. IHDP and ACIC 2016 are public files:
they have as many draws as replications, and each draw has a truth of its own. Renew with `make scoreboard`, which goes
on where it stopped.
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One world, and method → draw → (point, standard error)."""

    world: Setting
    found: Mapping[str, Mapping[str, tuple[float, float]]]

    @cached_property
    def errors(self) -> Mapping[str, np.ndarray]:
        """Every method's errors over the draws that all methods have, shape (draws,)."""
        shared = sorted(set.intersection(*(set(draws) for draws in self.found.values())), key=int)
        return {name: np.array([draws[at][0] - self._truth(at) for at in shared]) for name, draws in self.found.items()}

    @property
    def coverage(self) -> Mapping[str, float]:
        """The share of draws whose interval holds the truth, by method."""
        return {
            name: float(np.mean([abs(point - self._truth(at)) <= _Z * se for at, (point, se) in draws.items()]))
            for name, draws in self.found.items()
        }

    @property
    def compared(self) -> bool:
        """Whether a peer's errors stand beside ours."""
        return OURS in self.found and len(self.found) > 1 and len(self.errors[OURS]) > 0

    def _truth(self, draw: str) -> float:
        return self.world.truth(int(draw))


def page(worlds: Sequence[Told]) -> str:
    """Return the page; a world that a method has not seen yet has a dash for it, and no part in the summary."""
    names = [OURS, *dict.fromkeys(name for told in worlds for name in told.found if name != OURS)]
    lines = [
        _HEAD,
        f"| world | draws | {' | '.join(names)} | ratio to the best | coverage |",
        "|---" * (len(names) + 4) + "|",
        *(_line(told, names) for told in worlds),
    ]
    return "\n".join([*lines, "", *_summary([told for told in worlds if told.compared]), ""])


def _line(told: Told, names: Sequence[str]) -> str:
    rmse, coverage = _rmse(told.errors), told.coverage
    cells = " | ".join(f"{rmse[name]:.4f}" if name in rmse else "–" for name in names)
    covered = " / ".join(f"{coverage[name]:.2f}" if name in coverage else "–" for name in names)
    ratio = f"{_ratio(rmse):.3f}" if told.compared else "–"
    return f"| {told.world.name} | {len(next(iter(told.errors.values())))} | {cells} | {ratio} | {covered} |"


def _ratio(rmse: Mapping[str, float]) -> float:
    return rmse[OURS] / min(value for name, value in rmse.items() if name != OURS)


def _summary(worlds: Sequence[Told]) -> list[str]:
    """Return the geometric mean of the ratios with its bootstrapped limit, and the bars."""
    if not worlds:
        return ["No world has been seen by a peer yet."]
    rng = np.random.default_rng(1)
    draws = np.array([[_resampled(told, rng) for told in worlds] for _ in range(_DRAWS)])
    point = np.exp(np.mean([np.log(_ratio(_rmse(told.errors))) for told in worlds]))
    upper = float(np.quantile(np.exp(draws.mean(axis=1)), 0.975))
    worst = max(_ratio(_rmse(told.errors)) for told in worlds)
    covers = {name: np.mean([told.coverage[name] for told in worlds]) for name in worlds[0].found}
    means = f"**{point:.3f}** (upper 95 % bound {upper:.3f}; bar 1.05)"
    return [
        f"Geometric mean of the ratios over {len(worlds)} worlds: {means}; largest ratio {worst:.3f} (bar 1.25).",
        "Mean coverage: " + ", ".join(f"{name} {value:.3f}" for name, value in covers.items()) + ".",
    ]


def _rmse(errors: Mapping[str, np.ndarray]) -> Mapping[str, float]:
    return {name: float(np.sqrt(np.mean(each**2))) for name, each in errors.items() if len(each)}


def _resampled(told: Told, rng: np.random.Generator) -> float:
    """Return the logarithm of the ratio over draws with replacement."""
    errors = told.errors
    picked = rng.integers(0, len(errors[OURS]), len(errors[OURS]))
    return float(np.log(_ratio(_rmse({name: each[picked] for name, each in errors.items()}))))
