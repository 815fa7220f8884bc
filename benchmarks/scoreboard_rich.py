"""Richer worlds for the scoreboard: 2,000 units, correlated and mixed covariates, interactions, steps, heavy tails."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

import numpy as np

from benchmarks.scoreboard_worlds import Drawn, Floats, Target

Surface = Literal["interactions", "steps", "heavy tails"]
Overlap = Literal["good", "thin", "few treated"]
_MANY = 200_000
_N = 2_000
_WIDTHS = (10, 40)
_SHARED = 0.3
_FREEDOM = 3


@dataclass(frozen=True, kw_only=True)
class Rich:
    """One setting; the effect varies in each, with what also decides who is treated."""

    surface: Surface
    overlap: Overlap
    p: int
    n: int = _N
    target: Target = "ate"
    limit: None = None

    @property
    def name(self) -> str:
        """The setting in words."""
        overlap = self.overlap if self.overlap == "few treated" else f"{self.overlap} overlap"
        return f"{self.surface}, {overlap}, n {self.n:,}, p {self.p}"

    @property
    def stem(self) -> str:
        """The name of the file that keeps its estimates."""
        return f"{self.surface}-{self.overlap}-{self.n}-{self.p}".replace(" ", "_")

    def covariates(self, rng: np.random.Generator, n: int) -> Floats:
        """Return covariates (n, p): correlated normal ones, every third of them made 0 or 1, every fifth skewed."""
        x: Floats = np.sqrt(1 - _SHARED) * rng.normal(size=(n, self.p)) + np.sqrt(_SHARED) * rng.normal(size=(n, 1))
        x[:, 2::3] = x[:, 2::3] > 0.3
        x[:, 4::5] = np.exp(0.5 * x[:, 4::5])
        return x

    def share(self, x: Floats) -> Floats:
        """Return the true propensities, shape (n,)."""
        score = {
            "interactions": 0.9 * np.tanh(x[:, 0] * x[:, 1]) + 0.6 * x[:, 2] - 0.4 * x[:, 3],
            "steps": 1.0 * (x[:, 0] > 0.5) - 1.0 * (x[:, 1] < -0.5) + 0.8 * x[:, 2] * (x[:, 3] > 0) - 0.2,
            "heavy tails": 0.7 * x[:, 0] - 0.5 * x[:, 1] + 0.3 * x[:, 4] - 0.4,
        }[self.surface]
        strength, level = {"good": (0.7, 0.0), "thin": (1.7, 0.0), "few treated": (0.7, -2.1)}[self.overlap]
        return np.asarray(1 / (1 + np.exp(-strength * score - level)), dtype=np.float64)

    def means(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the true means without and with treatment, each of shape (n,)."""
        if self.surface == "interactions":
            base = x[:, 0] + x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3]
            return base, base + 0.5 + 0.4 * x[:, 0] * x[:, 2] - 0.3 * x[:, 1]
        if self.surface == "steps":
            base = 1.5 * (x[:, 0] > 0.5) - 1.0 * (x[:, 1] < -0.5) + 0.7 * x[:, 2]
            return base, base + 0.8 * (x[:, 0] > 0) * (x[:, 3] > -0.5) - 0.2
        base = 2 + x[:, 0] + 0.5 * x[:, 1] + 0.5 * x[:, 4]
        return base, base + 0.4 + 0.3 * np.tanh(x[:, 0]) + 0.2 * x[:, 2]

    def draw(self, seed: int) -> Drawn:
        """Return the draw of a seed: noise is normal, or Student's with 3 degrees of freedom."""
        rng = np.random.default_rng([seed, *self.stem.encode()])
        x = self.covariates(rng, self.n)
        treated = (rng.random(self.n) < self.share(x)).astype(np.int8)
        without, with_it = self.means(x)
        heavy = self.surface == "heavy tails"
        noise = rng.standard_t(_FREEDOM, self.n) if heavy else rng.normal(size=self.n)
        return Drawn(x=x, treated=treated, y=np.where(treated == 1, with_it, without) + noise)

    def truth(self, _seed: int, /) -> float:
        """Return the true average effect on everybody, the same in every draw."""
        return _average(self)


@cache
def _average(world: Rich) -> float:
    without, with_it = world.means(world.covariates(np.random.default_rng(99), _MANY))
    return float(np.mean(with_it - without))


def rich_worlds() -> Iterator[Rich]:
    """Yield every setting."""
    surfaces: tuple[Surface, ...] = ("interactions", "steps", "heavy tails")
    overlaps: tuple[Overlap, ...] = ("good", "thin", "few treated")
    for surface, overlap, p in product(surfaces, overlaps, _WIDTHS):
        yield Rich(surface=surface, overlap=overlap, p=p)
