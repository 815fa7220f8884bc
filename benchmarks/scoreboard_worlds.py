"""Worlds with known average effects for the scoreboard: every combination of shape, overlap, outcome and size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Shape = Literal["linear", "bent"]
Overlap = Literal["good", "thin"]
Outcome = Literal["mean", "share", "spend"]
Target = Literal["ate", "att"]
_MANY = 400_000
_SIZES = ((500, 5), (1_000, 20))


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Covariates (n, p), treatment (n,) of 0 and 1, outcome (n,)."""

    x: Floats
    treated: npt.NDArray[np.int8]
    y: Floats


class Setting(Protocol):
    """What the scoreboard asks of a world, simulated or of a file."""

    @property
    def name(self) -> str:
        """The setting in words."""

    @property
    def stem(self) -> str:
        """The name of the file that keeps its estimates."""

    @property
    def target(self) -> Target:
        """Whose average effect is asked for: everybody's, or that of the treated."""

    @property
    def limit(self) -> int | None:
        """How many draws there are; None for as many as one likes."""

    def draw(self, seed: int) -> Drawn:
        """Return the draw of a seed."""

    def truth(self, seed: int) -> float:
        """Return the true average effect in a draw."""


@dataclass(frozen=True, kw_only=True)
class World:
    """One setting; covariates are normal, three of them confound, and two of those change the effect."""

    shape: Shape
    overlap: Overlap
    outcome: Outcome
    n: int
    p: int
    target: Target = "ate"
    limit: None = None

    @property
    def stem(self) -> str:
        """The name of the file that keeps its estimates."""
        return f"{self.shape}-{self.overlap}-{self.outcome}-{self.n}-{self.p}"

    @property
    def name(self) -> str:
        """The setting in words."""
        return f"{self.shape}, {self.overlap} overlap, {self.outcome}, n {self.n:,}, p {self.p}"

    def share(self, x: Floats) -> Floats:
        """Return the true propensities, shape (n,)."""
        strength = {"good": 0.6, "thin": 1.4}[self.overlap]
        score = x[:, 0] - 0.5 * x[:, 1]
        if self.shape == "bent":
            score = 1.5 * np.sin(2 * x[:, 0]) + 0.8 * (x[:, 1] > 0.5) * x[:, 2] - 0.2
        return np.asarray(1 / (1 + np.exp(-strength * score)))

    def means(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the true means without and with treatment, each of shape (n,)."""
        base = x[:, 0] + 0.5 * x[:, 1] + 0.5 * x[:, 2]
        if self.shape == "bent":
            base = 1.5 * np.sin(2 * x[:, 0]) + np.abs(x[:, 1]) + 0.5 * x[:, 1] * x[:, 2]
        effect = 0.5 + 0.5 * x[:, 1]
        if self.outcome == "mean":
            return base, base + effect
        if self.outcome == "share":
            low = 1 / (1 + np.exp(1.5 - 0.8 * base))
            return low, 1 / (1 + np.exp(1.5 - 0.8 * base - 0.5 * effect))
        low = 10 * np.exp(0.4 * np.tanh(base))
        return low, low * (1.1 + 0.1 * np.tanh(x[:, 1]))

    def draw(self, seed: int) -> Drawn:
        """Return the draw of a seed."""
        rng = np.random.default_rng([seed, self.n, self.p, len(self.name)])
        x = rng.normal(size=(self.n, self.p))
        treated = (rng.random(self.n) < self.share(x)).astype(np.int8)
        without, with_it = self.means(x)
        mean = np.where(treated == 1, with_it, without)
        if self.outcome == "mean":
            y = mean + rng.normal(size=self.n)
        elif self.outcome == "share":
            y = (rng.random(self.n) < mean).astype(np.float64)
        else:
            y = np.where(rng.random(self.n) < 0.3, mean / 0.3 * rng.lognormal(-0.32, 0.8, self.n), 0.0)
        return Drawn(x=x, treated=treated, y=y)

    def truth(self, _seed: int, /) -> float:
        """Return the true average effect on everybody, the same in every draw."""
        return _average(self)


@cache
def _average(world: World) -> float:
    without, with_it = world.means(np.random.default_rng(99).normal(size=(_MANY, world.p)))
    return float(np.mean(with_it - without))


def worlds() -> Iterator[World]:
    """Yield every setting."""
    shapes: tuple[Shape, ...] = ("linear", "bent")
    overlaps: tuple[Overlap, ...] = ("good", "thin")
    outcomes: tuple[Outcome, ...] = ("mean", "share", "spend")
    for shape, overlap, outcome, (n, p) in product(shapes, overlaps, outcomes, _SIZES):
        yield World(shape=shape, overlap=overlap, outcome=outcome, n=n, p=p)
