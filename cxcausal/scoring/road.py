"""One experiment's score road: rows, nuisances, and the answers to score queries, each thing made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import ScoreAnswer
from cxcausal.core.score_queries import ScoreQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.nuisance.crossfit import Outcome as Learned
from cxcausal.scoring.measured import Values, denominator_of, values_of
from cxcausal.scoring.potential import Potential, Tilt, potential_means, ratio, tilt_of

_ANSWERED_IN: Mapping[str, str] = {
    "EffectQuery": "effects",
    "OpinionQuery": "opinion",
}
"""Kind of query → the module of this package whose `answer(road, query)` answers it."""
FLOOR = 0.01
SHARE_OF_ARM = 0.1


@dataclass(kw_only=True)
class ScoreRoad:
    """Answers score queries.

    Attributes:
        rows: the units.
        nuisances: learned of them, on demand.
        contrasts: (arm, compared with), those against the control first.
    """

    rows: Rows
    nuisances: Nuisances
    contrasts: tuple[tuple[str, str], ...]
    _scored: dict[Any, tuple[Potential, ...]] = field(default_factory=dict)

    def answer(self, queries: Sequence[ScoreQuery]) -> dict[ScoreQuery, ScoreAnswer]:
        """Return one answer per query."""
        found: dict[ScoreQuery, ScoreAnswer] = {}
        for query in dict.fromkeys(queries):
            module = import_module(f"cxcausal.scoring.{_ANSWERED_IN[type(query).__name__]}")
            found[query] = module.answer(self, query)
        return found

    @property
    def recipe(self) -> Recipe:
        """How nuisances are learned."""
        return self.nuisances.recipe

    @property
    def weight(self) -> Floats:
        """Each unit's weight in the population, mean 1, shape (n,)."""
        given = self.nuisances.weight
        return np.ones(self.rows.n) if given is None else given / given.mean()

    def floor(self, place: int) -> float:
        """Return the propensity below which one of this arm is raised where it divides: at most a tenth of its share.

        Such units are counted, and the overlap check tells them.
        """
        own = float(np.mean(self.rows.arm == place))
        return min(FLOOR, SHARE_OF_ARM * own)

    def tilt(self, target: Target, treated: str, repeat: int) -> Tilt:
        """Return how units count in a target population, in one repeat."""
        shares = self.nuisances.propensity.shares[repeat]
        return tilt_of(target, shares, self.rows.arm, self.rows.arms.index(treated), self.weight)

    def inverse(self, target: Target, place: int, repeat: int) -> Floats:
        """Return one over the propensity of an arm, floored where the target doesn't bound the weights, shape (n,)."""
        shares = self.nuisances.propensity.shares[repeat][:, place]
        return np.asarray(1 / np.maximum(shares, 1e-12 if target == "ato" else self.floor(place)))

    def potential(
        self, measure: Measure, target: Target, treated: str, segment: Floats | None = None
    ) -> list[Potential]:
        """Return every arm's mean and influence function, per repeat.

        Args:
            measure: whose mean.
            target: in which population.
            treated: the arm whose units `att` is.
            segment: 1 for the units of a segment, else 0, shape (n,); None for everybody.
        """
        upper, lower = values_of(self.rows, measure), denominator_of(self.rows, measure)
        return [
            self._potential(upper, lower, target, treated, segment, repeat) for repeat in range(self.recipe.repeats)
        ]

    def learned(self, values: Values) -> tuple[Learned, ...]:
        """Return what was learned of each part of a measure."""
        return tuple(self.nuisances.outcome(part.name, part.y, values.seen) for part in values.parts)

    def predicted(self, values: Values, place: int, repeat: int) -> Floats:
        """Return an arm's predicted means of a measure, shape (n,)."""
        total = np.full(self.rows.n, values.constants[place])
        for part, learned in zip(values.parts, self.learned(values), strict=True):
            if part.coefficients[place]:
                total += part.coefficients[place] * learned.mean[repeat][:, place]
        return total

    def _potential(
        self,
        upper: Values,
        lower: Values | None,
        target: Target,
        treated: str,
        segment: Floats | None,
        repeat: int,
    ) -> Potential:
        tilt = self.tilt(target, treated, repeat)
        if segment is not None:
            tilt = Tilt(h=tilt.h * segment, mass=tilt.mass * segment)
        means, phis = [], []
        for place in range(len(self.rows.arms)):
            point, phi = self._arm_mean(upper, target, tilt, place, repeat)
            if lower is not None:
                point, phi = ratio((point, phi), self._arm_mean(lower, target, tilt, place, repeat))
            means.append(point)
            phis.append(phi)
        return Potential(mean=np.array(means), phi=np.column_stack(phis))

    def _arm_mean(self, values: Values, target: Target, tilt: Tilt, place: int, repeat: int) -> tuple[float, Floats]:
        inverse = self.inverse(target, place, repeat)
        answered = next((found.answered for found in self.learned(values) if found.answered is not None), None)
        if answered is not None:
            inverse = inverse / answered[repeat][:, place]
        own = self.rows.arm == place
        predicted = self.predicted(values, place, repeat)
        return potential_means(values.of(place), values.seen, own, predicted, inverse, tilt)
