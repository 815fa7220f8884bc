"""One experiment's score road: rows, nuisances, and the answers to score queries, each thing made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import ScoreAnswer
from cxcausal.core.score_queries import EffectQuery, ScoreQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe, counts_by_fold
from cxcausal.nuisance.crossfit import Outcome as Learned
from cxcausal.scoring.measured import Values, denominator_of, values_of
from cxcausal.scoring.potential import Potential, Tilt, tilt_of
from cxcausal.scoring.told import Kept, Places, Told, told_of_arm

_ANSWERED_IN: Mapping[str, str] = {
    "EffectQuery": "effects",
    "SensitivityQuery": "sensitivity",
    "RefutationQuery": "refutation",
    "NuisanceQuery": "nuisance_facts",
    "OverlapQuery": "overlap",
    "BalanceQuery": "balance",
    "TimeZeroQuery": "time_zero",
    "SeparationQuery": "separation",
    "GiveawayQuery": "giveaway",
    "ExposureQuery": "exposure",
    "SpecificationQuery": "specification",
    "OpinionQuery": "opinion",
}
"""Kind of query → the module of this package whose `answer(road, query)` answers it."""
FLOOR = 0.01
SHARE_OF_ARM = 0.1


def answers_to(query: ScoreQuery) -> bool:
    """Tell whether there is an answer to queries of this kind."""
    return type(query).__name__ in _ANSWERED_IN


@dataclass(kw_only=True)
class ScoreRoad:
    """Answers score queries.

    Attributes:
        rows: the units.
        nuisances: learned of them, on demand.
        contrasts: (arm, compared with), those against the control first.
        kept: what answers share beside nuisances, by name.
        others: the same units with other choices of learners and covariates, each made once.
        progress: told how many models are learned.
    """

    rows: Rows
    nuisances: Nuisances
    contrasts: tuple[tuple[str, str], ...]
    kept: dict[Any, Any] = field(default_factory=dict)
    others: dict[Any, "ScoreRoad"] = field(default_factory=dict)
    progress: Progress = SILENT
    _told: Kept = field(default_factory=Kept)
    _values: dict[Measure, tuple[Values, Values | None]] = field(default_factory=dict)
    _counts: dict[Measure, npt.NDArray[np.int64]] = field(default_factory=dict)
    _groups: dict[str, tuple[Places, ...]] = field(default_factory=dict)

    def answer(self, queries: Sequence[ScoreQuery]) -> dict[ScoreQuery, ScoreAnswer]:
        """Return one answer per query."""
        found: dict[ScoreQuery, ScoreAnswer] = {}
        with self.progress.stage("learning models", total=self._models(queries)) as learning:
            self.nuisances.learned = learning.advance
            for query in dict.fromkeys(queries):
                module = import_module(f"cxcausal.scoring.{_ANSWERED_IN[type(query).__name__]}")
                found[query] = module.answer(self, query)
        return found

    def _models(self, queries: Sequence[ScoreQuery]) -> int:
        """Return how many models effects need: of the arms' chances, and of every outcome in every arm."""
        measures = dict.fromkeys(query.measure for query in queries if isinstance(query, EffectQuery))
        parts = {
            (part.name, values.seen.sum())
            for measure in measures
            for values in self.values(measure)
            if values is not None
            for part in values.parts
        }
        shares = 1 if self.nuisances.known is None else 0
        return self.recipe.repeats * (shares + len(parts) * len(self.rows.arms))

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
        told = self.told(measure, target, treated)
        if segment is None:
            return [each.potential() for each in told]
        units = np.flatnonzero(segment)
        return [_spread(each.potential(units), units, self.rows.n) for each in told]

    def told(self, measure: Measure, target: Target, treated: str) -> tuple[Told, ...]:
        """Return what every unit tells of every arm's mean, per repeat.

        Args:
            measure: whose mean.
            target: in which population.
            treated: the arm whose units `att` is.
        """
        key = (measure, target, treated if target == "att" else "")
        found = self._told.get(key)
        if found is None:
            made = tuple(self._told_in(measure, target, treated, repeat) for repeat in range(self.recipe.repeats))
            found = self._told.put(key, made)
        return found

    def values(self, measure: Measure) -> tuple[Values, Values | None]:
        """Return a measure's numerator and, of a ratio, its denominator."""
        if measure not in self._values:
            self._values[measure] = values_of(self.rows, measure), denominator_of(self.rows, measure)
        return self._values[measure]

    def groups(self, by: str) -> tuple[Places, ...]:
        """Return the places of the units of every level of a segment."""
        if by not in self._groups:
            text = self.rows.texts[by]
            order = np.argsort(text.codes, kind="stable")
            ends = np.cumsum(np.bincount(text.codes, minlength=len(text.levels)))
            self._groups[by] = tuple(np.split(order, ends[:-1]))
        return self._groups[by]

    def fewest_to_learn(self, measure: Measure) -> npt.NDArray[np.int64]:
        """Return per arm the fewest units with a value that a fold's model learns from, shape (arms,)."""
        if measure not in self._counts:
            seen, arms, folds = self.values(measure)[0].seen, len(self.rows.arms), self.recipe.folds
            arm = self.rows.arm[seen]
            tables = (counts_by_fold(arm, arms, fold[seen], folds) for fold in self.nuisances.folds)
            self._counts[measure] = np.min([table.sum(axis=0) - table.max(axis=0) for table in tables], axis=0)
        return self._counts[measure]

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

    def _told_in(self, measure: Measure, target: Target, treated: str, repeat: int) -> Told:
        upper, lower = self.values(measure)
        tilt = self.tilt(target, treated, repeat)
        arms = range(len(self.rows.arms))
        inverse = [self._inverse_of_known(upper, target, place, repeat) for place in arms]
        weight = np.zeros(self.rows.n)
        for place in arms:
            known = upper.seen & (self.rows.arm == place)
            weight[known] = (tilt.h * inverse[place])[known]
        return Told(
            upper=self._told_of(upper, inverse, tilt, repeat),
            lower=None if lower is None else self._told_of(lower, inverse, tilt, repeat),
            mass=tilt.mass,
            weight=weight,
        )

    def _told_of(self, values: Values, inverse: list[Floats], tilt: Tilt, repeat: int) -> Floats:
        told = np.empty((self.rows.n, len(inverse)), order="F")
        for place, each in enumerate(inverse):
            known = values.seen & (self.rows.arm == place)
            told[:, place] = told_of_arm(values.of(place), known, self.predicted(values, place, repeat), each, tilt)
        return told

    def _inverse_of_known(self, values: Values, target: Target, place: int, repeat: int) -> Floats:
        """Return one over the chance that a unit is of an arm and has a value, shape (n,)."""
        inverse = self.inverse(target, place, repeat)
        answered = next((found.answered for found in self.learned(values) if found.answered is not None), None)
        return inverse if answered is None else inverse / answered[repeat][:, place]


def _spread(found: Potential, units: Places, n: int) -> Potential:
    """Return influence functions of some units' means over all n units: zero for the others."""
    phi = np.zeros((n, found.phi.shape[1]))
    phi[units] = found.phi * (n / max(len(units), 1))
    return Potential(mean=found.mean, phi=phi)
