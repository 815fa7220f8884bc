"""From errors of predicted effects to `docs/pehe.md`: ours beside the best peer's, world by world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from benchmarks.pehe_methods import OURS

_RESAMPLED = 2_000
BAR = 1.05
_HEAD = """# Who gains how much: predictions beside their peers

Root of the mean squared error of every customer's predicted effect (PEHE, Hill 2011,
<https://doi.org/10.1198/jcgs.2010.08162>) in worlds of known truth, averaged over draws: customers whom nobody learned
from, arms together. Ours is the default: learners combined by their doubly robust loss out of fold. EconML {econml}'s
`DRLearner`, `LinearDML` and `CausalForestDML` are at their defaults; its S, T and X learners, which have no default
regression, use scikit-learn's default boosting. causalml's learners use XGBoost's defaults, as in its guide, and are
told the coin's shares where there was one. All see the same data. IHDP and ACIC 2016 are five files each, split anew
per draw. Renew with `make pehe`, which goes on where it stopped.
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One world: method → draw → PEHE."""

    world: str
    found: Mapping[str, Mapping[str, float]]

    def errors(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return every method's errors over the draws that all methods have, shape (draws,)."""
        shared = sorted(set.intersection(*(set(draws) for draws in self.found.values())), key=int)
        return {name: np.array([draws[at] for at in shared]) for name, draws in self.found.items()}

    @property
    def line(self) -> str:
        """One line for the terminal."""
        told = ", ".join(f"{name} {np.mean(each):.3f}" for name, each in self.errors().items())
        return f"{self.world}: {told}"


def page(worlds: Sequence[Told]) -> str:
    """Return the page; worlds that lack ours or any peer are left out."""
    whole = [told for told in worlds if OURS in told.found and len(told.found) > 1]
    names = list(dict.fromkeys(name for told in whole for name in told.found if name != OURS))
    lines = [
        _HEAD.format(econml=version("econml")),
        f"| world | draws | {OURS} | {' | '.join(names)} | ratio to the best |",
        "|---" * (len(names) + 4) + "|",
    ]
    for told in whole:
        errors = told.errors()
        cells = " | ".join(f"{errors[name].mean():.3f}" if name in errors else "–" for name in (OURS, *names))
        lines.append(f"| {told.world} | {len(errors[OURS])} | {cells} | {ratio(errors):.3f} |")
    return "\n".join([*lines, "", *_summary(whole), ""])


def ratio(errors: Mapping[str, npt.NDArray[np.float64]]) -> float:
    """Return our mean error over the smallest mean error of a peer.

    Example:
        >>> ratio({"cxcausal": np.array([1.0, 2.0]), "a": np.array([1.0, 1.0]), "b": np.array([3.0, 3.0])})
        1.5
    """
    return float(errors[OURS].mean() / min(each.mean() for name, each in errors.items() if name != OURS))


def _summary(worlds: Sequence[Told]) -> list[str]:
    """Return the geometric mean of the ratios with its bootstrapped limit."""
    if not worlds:
        return []
    rng = np.random.default_rng(1)
    drawn = [[_resampled(told, rng) for told in worlds] for _ in range(_RESAMPLED)]
    ratios = np.array([ratio(told.errors()) for told in worlds])
    upper = float(np.quantile(np.exp(np.mean(drawn, axis=1)), 0.95))
    mean = float(np.exp(np.log(ratios).mean()))
    told = f"**{mean:.3f}** (upper 95 % bound {upper:.3f}; bar {BAR}); largest {ratios.max():.3f}"
    return [
        f"Geometric mean of the ratios over {len(worlds)} worlds: {told}.",
        f"That of each peer over the best of the other peers: {_peers(worlds)}.",
    ]


def _peers(worlds: Sequence[Told]) -> str:
    """Return every peer's own geometric mean over the best of all others, ours among them."""
    names = list(dict.fromkeys(name for told in worlds for name in told.found if name != OURS))
    told = []
    for name in names:
        errors = [each.errors() for each in worlds if name in each.found]
        logs = [
            np.log(one[name].mean() / min(v.mean() for k, v in one.items() if k not in {name, OURS})) for one in errors
        ]
        told.append(f"{name} {np.exp(np.mean(logs)):.2f}")
    return ", ".join(told)


def _resampled(told: Told, rng: np.random.Generator) -> float:
    errors = told.errors()
    picked = rng.integers(0, len(errors[OURS]), len(errors[OURS]))
    return float(np.log(ratio({name: each[picked] for name, each in errors.items()})))
