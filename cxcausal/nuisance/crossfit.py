"""Nuisances of one experiment: fitted on the same folds for every metric, and only once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.protocols import ArrayStore
from cxcausal.core.registry import BUILT_IN, DEFAULT_LEARNER, Registry
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.score_answers import LearnerFacts
from cxcausal.nuisance.calibration import calibrated
from cxcausal.nuisance.features import Features, features_of
from cxcausal.nuisance.folds import Places, folds_of, group_keys
from cxcausal.nuisance.keeping import Made, NoStore, key_of, known_or_made
from cxcausal.nuisance.learning import Learner, Split
from cxcausal.nuisance.threads import one_level, wait_without_spinning
from cxcausal.nuisance.weighing import log_loss, squared_error

UNCALIBRATED = frozenset({"linear", "logistic"})
"""Learners of shares that are calibrated by how they are made."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How nuisances are learned: the plan's `estimation` and `analysis.seed`."""

    outcome: str = DEFAULT_LEARNER
    propensity: str = DEFAULT_LEARNER
    folds: int = 5
    repeats: int = 3
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Predicted means of one outcome in every arm, out of fold.

    Attributes:
        mean: shape (repeats, n, arms).
        answered: the chance that a unit has a value, by arm, shape (repeats, n, arms); None where all have one.
        facts: how they were learned, in the first repeat.
    """

    mean: Floats
    answered: Floats | None
    facts: tuple[LearnerFacts, ...]


@dataclass(frozen=True, kw_only=True)
class Propensity:
    """The chance of every arm, out of fold, shape (repeats, n, arms)."""

    shares: Floats
    facts: tuple[LearnerFacts, ...]


@dataclass(kw_only=True)
class Nuisances:
    """What is learned of n units, each thing once.

    Attributes:
        rows: the units. covariates: what is learned from. recipe: how.
        known: the shares of a coin, in the order of the arms; None where chances are learned.
        weight: of each unit, shape (n,), or None.
        store: where what was learned is kept for the next run.
        learned: told how many models are there now that were not before.
    """

    rows: Rows
    covariates: tuple[str, ...]
    recipe: Recipe = field(default_factory=Recipe)
    known: tuple[float, ...] | None = None
    weight: Floats | None = None
    store: ArrayStore = field(default_factory=NoStore)
    learned: Callable[[int], None] = lambda _: None
    _outcomes: dict[tuple[str, bytes], Outcome] = field(default_factory=dict)
    _seen: dict[tuple[str, int, int], tuple[Floats, Flags, Outcome]] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    def learning_from(self, covariates: tuple[str, ...]) -> "Nuisances":
        """Return the same, with nothing learned yet, from other covariates, each once."""
        return Nuisances(
            rows=self.rows,
            covariates=tuple(dict.fromkeys(covariates)),
            recipe=self.recipe,
            known=self.known,
            weight=self.weight,
            store=self.store,
        )

    @property
    def features(self) -> Features:
        """The covariates' matrix."""
        if "features" not in self._kept:
            self._kept["features"] = features_of(self.rows, self.covariates)
        found: Features = self._kept["features"]
        return found

    @property
    def folds(self) -> tuple[Places, ...]:
        """The fold of every unit, per repeat."""
        if "folds" not in self._kept:
            keys, recipe = group_keys(self.rows.key, self.rows.clusters, self.rows.cluster_keys), self.recipe
            made = (folds_of(keys, recipe.folds, seed=recipe.seed, repeat=place) for place in range(recipe.repeats))
            self._kept["folds"] = tuple(made)
        found: tuple[Places, ...] = self._kept["folds"]
        return found

    @property
    def propensity(self) -> Propensity:
        """The chance of every arm."""
        if "propensity" not in self._kept:
            self._kept["propensity"] = self._propensity()
        found: Propensity = self._kept["propensity"]
        return found

    def outcome(self, name: str, y: Floats, seen: Flags) -> Outcome:
        """Return predicted means of an outcome.

        Args:
            name: of the outcome, for seeds.
            y: shape (n,).
            seen: which units have a value, shape (n,).
        """
        told = (name, id(y), id(seen))
        if told not in self._seen:
            key = (name, sha256(np.where(seen, y, np.nan).tobytes()).digest())
            if key not in self._outcomes:
                self._outcomes[key] = self._outcome(name, y, seen)
            # Both arrays are held, so that no other can come to have their ids.
            self._seen[told] = y, seen, self._outcomes[key]
        return self._seen[told][2]

    def split(self, repeat: int, *stage: str) -> Split:
        """Return a repeat's folds with a seed of the stage's own, so that one more stage changes no other."""
        words = "/".join((str(self.recipe.seed), str(repeat), *stage))
        seed = int.from_bytes(sha256(words.encode()).digest()[:4], "big")
        return Split(fold=self.folds[repeat], folds=self.recipe.folds, seed=seed, weight=self.weight)

    def _propensity(self) -> Propensity:
        rows, arms = self.rows, len(self.rows.arms)
        if self.known is not None:
            shares = np.broadcast_to(np.asarray(self.known), (self.recipe.repeats, rows.n, arms))
            return Propensity(shares=shares, facts=())
        shape = (self.recipe.repeats, rows.n, arms)
        key = key_of(["propensity", self.recipe.propensity, *self._words], [*self._arrays, rows.arm])
        arrays, facts = known_or_made(
            self._store_for(self.recipe.propensity), key, {"shares": shape}, self._learned_shares
        )
        self.learned(self.recipe.repeats)
        return Propensity(shares=arrays["shares"], facts=facts)

    def _store_for(self, learner: str) -> ArrayStore:
        """Return the store, and one that keeps nothing where a learner's code is not ours and may change unseen."""
        return self.store if learner in BUILT_IN["learners"] else NoStore()

    @property
    def _words(self) -> tuple[object, ...]:
        """What else learning depends on, beside the learner and `_arrays`."""
        recipe, columns = self.recipe, self.features.columns
        named = [(column.covariate, column.level) for column in columns]
        return recipe.folds, recipe.repeats, recipe.seed, self.rows.arms, named

    @property
    def _arrays(self) -> tuple[npt.NDArray[Any] | None, ...]:
        return self.features.matrix.T, self.weight, *self.folds

    def _learned_shares(self) -> Made:
        rows, arms = self.rows, len(self.rows.arms)
        made = np.empty((self.recipe.repeats, rows.n, arms))
        facts = []
        for repeat in range(self.recipe.repeats):
            learner = learner_named(self.recipe.propensity)
            with one_level():
                shares = learner.shares(self.features, rows.arm, arms, self.split(repeat, "propensity"))
                slope, intercept = 1.0, 0.0
                if learner.name not in UNCALIBRATED:
                    found = calibrated(shares, rows.arm, self.weight)
                    shares, slope, intercept = found.shares, found.slope, found.intercepts[1]
            made[repeat] = shares
            facts.append(self._propensity_facts(learner, shares, slope, intercept))
        return {"shares": made}, (facts[0],)

    def _propensity_facts(self, learner: Learner, shares: Floats, slope: float, intercept: float) -> LearnerFacts:
        own = shares[np.arange(self.rows.n), self.rows.arm]
        base = np.bincount(self.rows.arm, weights=self.weight, minlength=len(self.rows.arms))
        return LearnerFacts(
            role="propensity",
            arm="",
            learner=learner.name,
            loss=log_loss(own, self.weight),
            baseline=log_loss((base / base.sum())[self.rows.arm], self.weight),
            weights=_weights(learner),
            slope=slope,
            intercept=intercept,
        )

    def _outcome(self, name: str, y: Floats, seen: Flags) -> Outcome:
        shape = (self.recipe.repeats, self.rows.n, len(self.rows.arms))
        names = ("mean",) if seen.all() else ("mean", "answered")
        words = ["outcome", name, self.recipe.outcome, *self._words]
        key = key_of(words, [*self._arrays, self.rows.arm, np.where(seen, y, np.nan), seen])
        make = partial(self._learned_means, name, y, seen)
        shapes = dict.fromkeys(names, shape)
        arrays, facts = known_or_made(self._store_for(self.recipe.outcome), key, shapes, make)
        self.learned(self.recipe.repeats * len(self.rows.arms))
        return Outcome(mean=arrays["mean"], answered=arrays.get("answered"), facts=facts)

    def _learned_means(self, name: str, y: Floats, seen: Flags) -> Made:
        mean = np.empty((self.recipe.repeats, self.rows.n, len(self.rows.arms)))
        answered = None if seen.all() else np.empty_like(mean)
        facts: list[LearnerFacts] = []
        for repeat in range(self.recipe.repeats):
            for place, arm in enumerate(self.rows.arms):
                own = self.rows.arm == place
                learner = learner_named(self.recipe.outcome)
                split = replace(self.split(repeat, "outcome", name, arm), beside=seen & ~own)
                with one_level():
                    mean[repeat, :, place] = learner.mean(self.features, y, own & seen, split)
                    if repeat == 0:
                        facts.append(self._outcome_facts(learner, place, y, own & seen, mean[0, :, place]))
                    if answered is not None:
                        answered[repeat, :, place] = self._answered(own, seen, split)
        arrays = {"mean": mean} if answered is None else {"mean": mean, "answered": answered}
        return arrays, tuple(facts)

    def _answered(self, own: Flags, seen: Flags, split: Split) -> Floats:
        """Return the chance that a unit has a value, as those of one arm have it."""
        found = learner_named("logistic").mean(self.features, seen.astype(np.float64), own, split)
        return np.clip(found, 1e-3, 1.0)

    def _outcome_facts(self, learner: Learner, place: int, y: Floats, use: Flags, mean: Floats) -> LearnerFacts:
        weight = None if self.weight is None else self.weight[use]
        known = y[use]
        center = np.average(known, weights=weight) if len(known) else 0.0
        return LearnerFacts(
            role="outcome",
            arm=self.rows.arms[place],
            learner=learner.name,
            loss=squared_error(mean[use], known, weight) if len(known) else 0.0,
            baseline=squared_error(np.full(len(known), center), known, weight) if len(known) else 0.0,
            weights=_weights(learner),
        )


def learner_named(name: str) -> Learner:
    """Return a learner by its name in plans.

    Raises:
        PlanError: there is none of that name.
    """
    wait_without_spinning()
    found: Learner = Registry(kind="learners").load(name)()
    return found


def _weights(learner: Learner) -> Mapping[str, float]:
    return dict(getattr(learner, "weights", {}))


def counts_by_fold(arm: npt.NDArray[np.int8], arms: int, fold: Places, folds: int) -> npt.NDArray[np.int64]:
    """Return units per fold and arm, shape (folds, arms)."""
    return np.bincount(fold.astype(np.int64) * arms + arm, minlength=folds * arms).reshape(folds, arms)
