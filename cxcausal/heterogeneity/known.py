"""What is known of units before effects are learned: outcomes, predicted means, chances and doubly robust scores."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import numpy as np

from cxcausal.core.held_out import Aim, Places
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.nuisance.calibration import calibrated
from cxcausal.nuisance.crossfit import UNCALIBRATED, Nuisances, learner_named
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.folds import Places as Folds
from cxcausal.nuisance.learning import Split
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.measured import Part, Values, values_of
from cxcausal.scoring.road import FLOOR, SHARE_OF_ARM

_LEAST_ANSWERED = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What is known of m units. All of it is signed so that more is better, and without the constants of arms.

    Attributes:
        means: predicted mean of every arm, shape (m, arms).
        shares: chance of being of every arm and having a value, floored, shape (m, arms).
        scores: doubly robust scores, shape (m, arms).
    """

    means: Floats
    shares: Floats
    scores: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """The eligible units of one aim, in an order that their content alone decides.

    Attributes:
        rows: the eligible units. values: the aim's, signed. nuisances: how means and chances are learned.
        features: the covariates that they are learned from. weight: of each unit, shape (n,). name: for seeds.
    """

    rows: Rows
    values: Values
    nuisances: Nuisances
    features: Features
    weight: Floats
    name: str

    @cached_property
    def y(self) -> Floats:
        """Each unit's outcome without its arm's constant, NaN where it has none, shape (n,)."""
        found = np.full(self.rows.n, np.nan)
        for place, own in enumerate(self.values.constants):
            units = self.values.seen & (self.rows.arm == place)
            found[units] = self.values.of(place)[units] - own
        return found

    def seed(self, *stage: str) -> int:
        """Return a stage's own seed, so that one more stage changes no other."""
        words = "/".join((str(self.nuisances.recipe.seed), "whom", self.name, *stage))
        return int.from_bytes(sha256(words.encode()).digest()[:4], "big")


def signed_values(rows: Rows, aim: Aim) -> Values:
    """Return an aim's values, of which more is better."""
    found = values_of(rows, aim.measure)
    parts = tuple(
        replace(part, coefficients=tuple(aim.sign * each for each in part.coefficients)) for part in found.parts
    )
    return Values(parts=parts, constants=tuple(aim.sign * each for each in found.constants), seen=found.seen)


def known_of(subject: Subject, units: Places, fold: Folds, folds: int, stage: str) -> Known:
    """Return what is known of some units from models that did not see them.

    Args:
        subject: the eligible units.
        units: places of those to be told, shape (m,).
        fold: of each, shape (m,), below `folds` for those that may be learned from, and `folds` for all others.
        folds: how many folds are learned from.
        stage: for seeds.
    """
    whole = subject.features
    features = Features(matrix=np.asfortranarray(whole.matrix[units]), columns=whole.columns)
    asked = _Asked(subject=subject, units=units, fold=fold, folds=folds, stage=stage, features=features)
    means = _means(asked)
    shares = _shares(asked)
    return Known(means=means, shares=shares, scores=_scores(asked, means, shares))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    subject: Subject
    units: Places
    fold: Folds
    folds: int
    stage: str
    features: Features

    @property
    def learnable(self) -> Flags:
        return np.asarray(self.fold < self.folds)

    def split(self, *words: str) -> Split:
        """Return the folds of the units, of which only the learnable ones are learned from."""
        return Split(
            fold=self.fold,
            folds=self.folds + 1,
            seed=self.subject.seed(self.stage, *words),
            weight=self.subject.weight[self.units],
            within=self.learnable,
        )

    def of(self, values: Floats | Flags) -> Floats:
        return np.asarray(values[self.units])


def _means(asked: _Asked) -> Floats:
    subject = asked.subject
    arm, seen = subject.rows.arm[asked.units], subject.values.seen[asked.units]
    total = np.zeros((len(asked.units), len(subject.rows.arms)))
    for part in subject.values.parts:
        y = part.y[asked.units]
        for place, name in enumerate(subject.rows.arms):
            if part.coefficients[place]:
                use = seen & (arm == place) & asked.learnable
                total[:, place] += part.coefficients[place] * _mean(asked, (y, use), part, name)
    return total


def _mean(asked: _Asked, told: tuple[Floats, Flags], part: Part, arm: str) -> Floats:
    learner = learner_named(asked.subject.nuisances.recipe.outcome)
    with one_level():
        return learner.mean(asked.features, *told, asked.split("outcome", part.name, arm))


def _shares(asked: _Asked) -> Floats:
    """Return the chance of every arm times that of a value in it, floored as the score road does."""
    subject = asked.subject
    found = _chances(asked)
    own = np.bincount(subject.rows.arm[asked.units][asked.learnable], minlength=found.shape[1])
    floors = np.minimum(FLOOR, SHARE_OF_ARM * own / max(own.sum(), 1))
    return np.asarray(np.maximum(found, floors) * _answered(asked))


def _chances(asked: _Asked) -> Floats:
    subject, arms = asked.subject, len(asked.subject.rows.arms)
    if subject.nuisances.known is not None:
        return np.tile(np.asarray(subject.nuisances.known, dtype=np.float64), (len(asked.units), 1))
    arm, learner = subject.rows.arm[asked.units], learner_named(subject.nuisances.recipe.propensity)
    with one_level():
        shares = learner.shares(asked.features, arm, arms, asked.split("propensity"))
        if learner.name in UNCALIBRATED:
            return shares
        inside = asked.learnable
        found = calibrated(shares[inside], arm[inside], asked.of(subject.weight)[inside])
    return recalibrated(shares, found.slope, np.asarray(found.intercepts))


def recalibrated(shares: Floats, slope: float, intercepts: Floats) -> Floats:
    """Return probabilities ∝ exp(intercept + slope · log p), shape (m, classes).

    Example:
        >>> recalibrated(np.array([[0.25, 0.75]]), 1.0, np.zeros(2)).round(6).tolist()
        [[0.25, 0.75]]
    """
    logs = slope * np.log(np.clip(shares, 1e-9, None)) + intercepts
    made = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(made / made.sum(axis=1, keepdims=True))


def _answered(asked: _Asked) -> Floats:
    subject = asked.subject
    arm, seen = subject.rows.arm[asked.units], subject.values.seen[asked.units]
    found = np.ones((len(asked.units), len(subject.rows.arms)))
    if seen[asked.learnable].all():
        return found
    for place, name in enumerate(subject.rows.arms):
        split = asked.split("answered", name)
        with one_level():
            told = learner_named("logistic").mean(asked.features, seen.astype(np.float64), arm == place, split)
        found[:, place] = np.clip(told, _LEAST_ANSWERED, 1.0)
    return found


def _scores(asked: _Asked, means: Floats, shares: Floats) -> Floats:
    y, arm = asked.subject.y[asked.units], asked.subject.rows.arm[asked.units]
    found = means.copy()
    for place in range(means.shape[1]):
        units = (arm == place) & ~np.isnan(y)
        found[units, place] += (y[units] - means[units, place]) / shares[units, place]
    return found
