"""Choosing between learners of effects by their doubly robust loss on units that they did not learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.registry import Registry
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.whom import Candidate
from cxcausal.heterogeneity.formulas import Effect, Terms
from cxcausal.heterogeneity.later import lasting, learned
from cxcausal.heterogeneity.lesson import EffectLearner, Lesson
from cxcausal.heterogeneity.stretching import SHRUNK, STRETCHED, stretched
from cxcausal.nuisance.beside import Step, nothing, side_by_side
from cxcausal.nuisance.folds import Places as Folds

DEFAULT = ("s", "t", "x", "dr", "r", "t_parts", "s_parts")
LARGE = ("t", "x", "dr", "t_parts", "s_parts")
"""Learners where there are more than `MANY` units: those that tell most in the time."""
MANY = 30_000
BY_PARTS = {"s": "s_parts", "t": "t_parts"}
"""Learners of the outcome as it is → those that take their place where some part of it is 0 or 1."""
CONSTANT = "constant"
_SHARE = 0.25
"""How much each member's own loss counts beside the mixture's: Q-aggregation's ν."""
_PRIOR = 2.0
"""How much a member's place counts: one effect for everybody comes first, planes second, all others third."""
_STEPS, _NEAR = 2_000, 1e-12
_LEAST = 1e-3
"""Weights below this are dropped: a formula is asked, and written down, only where it counts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """The combination that predicts.

    Attributes:
        effect: of units that were not learned from. out: gains of the units learned from, out of fold, shape
            (train, arms − 1). candidates: the leaderboard, the constant first.
    """

    effect: Effect
    out: Floats
    candidates: tuple[Candidate, ...]


def chosen(lesson: Lesson, train: Places, fold: Folds, learners: Sequence[str], step: Step = nothing) -> Chosen:
    """Return the convex combination of learners' variants, one per arm, with the least loss out of fold.

    The loss is mean (Γₐ − Γ₀ − τ̂ₐ)², which differs from that of the true effect by a number no learner can change.
    With Q-aggregation the combination is nearly as good as the best of them (Dai, Rigollet & Zhang 2012,
    https://doi.org/10.1214/12-AOS1025; Wager & Nie 2021), and the constant is always among them.

    Args:
        lesson: what is known.
        train: the units to learn from.
        fold: theirs, shape (train,).
        learners: by name.
        step: called after every fold, and at the end.
    """
    made = [_load(name) for name in dict.fromkeys((CONSTANT, *asked_of(learners, apart=lesson.apart)))]
    out = _out_of_fold(lesson, train, fold, made, step)
    whole = _variants(lesson, train, made)
    for name in [each for each in whole if each in out and each.startswith(SHRUNK)]:
        out[f"{name}{STRETCHED}"], whole[f"{name}{STRETCHED}"] = stretched(lesson, train, out[name], whole[name])
    names = [name for name in whole if name in out]
    weights = _weights(lesson, train, {name: out[name] for name in names})
    arms = [_mixed([(times, whole[name].arms[place]) for name, times in zip(names, column, strict=True)])
            for place, column in enumerate(weights.T)]  # fmt: skip
    effect = lasting(Effect(arms=tuple(arms)))
    step()
    return Chosen(
        effect=effect,
        out=np.asarray(sum(share * out[name] for name, share in zip(names, weights, strict=True))),
        candidates=_leaderboard(lesson, train, out, dict(zip(names, weights.mean(axis=1), strict=True))),
    )


def asked_of(learners: Sequence[str], *, apart: bool) -> tuple[str, ...]:
    """Return the learners to ask: none of the outcome as it is whose twin by parts is asked too, and can be.

    Example:
        >>> asked_of(("s", "t", "dr", "t_parts"), apart=True), asked_of(("t", "t_parts"), apart=False)
        (('s', 'dr', 't_parts'), ('t', 't_parts'))
    """
    return tuple(name for name in learners if not (apart and BY_PARTS.get(name) in learners))


def _load(name: str) -> EffectLearner:
    found: EffectLearner = Registry(kind="effect_learners").load(name)()
    return found


def _variants(lesson: Lesson, train: Places, learners: Sequence[EffectLearner]) -> dict[str, Effect]:
    return {
        "_".join(filter(None, (learner.name, kind))): effect
        for learner in learners
        for kind, effect in learner.learned(lesson, train).items()
    }


def _out_of_fold(
    lesson: Lesson, train: Places, fold: Folds, learners: Sequence[EffectLearner], step: Step
) -> dict[str, Floats]:
    """Return every variant's gains of units that it did not learn from; of those that every fold has."""

    def told(held: Flags, step: Step) -> dict[str, Floats]:
        table, others = lesson.ground.table.at(train[held]), train[~held]
        found = {name: learned(effect).of(table) for name, effect in _variants(lesson, others, learners).items()}
        lesson.kept.pop(others.tobytes(), None)
        step()
        return found

    folds = [fold == place for place in np.unique(fold)]
    made = side_by_side([partial(told, held) for held in folds], step, rows=len(train))
    found = {name: np.empty((len(train), lesson.ground.arms - 1)) for name in made[0]}
    for held, each in zip(folds, made, strict=True):
        found = {name: gains for name, gains in found.items() if name in each}
        for name, gains in found.items():
            gains[held] = each[name]
    return {name: gains for name, gains in found.items() if not np.isnan(gains).any()}


def _weights(lesson: Lesson, train: Places, gains: Mapping[str, Floats]) -> Floats:
    """Return the weights of k variants per arm, shape (k, arms − 1)."""
    places = np.array([_place(name) for name in gains])
    weight = lesson.weight[train] / lesson.weight[train].sum()
    scores = lesson.scores[train, 1:] - lesson.scores[train, :1]
    found = np.empty((len(gains), scores.shape[1]))
    for place in range(scores.shape[1]):
        told = np.stack([each[:, place] for each in gains.values()])
        found[:, place] = aggregated(told, np.asarray(scores[:, place]), weight, places)
    return found


def _place(name: str) -> float:
    """Return how far from the front a variant stands; the further, the more it must prove."""
    if name == CONSTANT:
        return 0.0
    return 1.0 if name.removesuffix(STRETCHED).endswith("_linear") else 2.0


def aggregated(told: Floats, target: Floats, weight: Floats, places: Floats) -> Floats:
    """Return the weights of Q-aggregation, shape (k,).

    A member's place costs it `_PRIOR` · place · (variance of the target) / n, as a prior's logarithm does in the
    theorem: with few units, many members are tried and one of them looks good by chance.

    Args:
        told: predictions of k members, shape (k, n).
        target: what they predict, shape (n,).
        weight: of each unit, summing to 1, shape (n,).
        places: how far from the front members stand, shape (k,).

    Example:
        >>> target = np.array([1.0, -1.0, 1.0, -1.0])
        >>> aggregated(np.stack([target, 0 * target]), target, np.full(4, 0.25), np.zeros(2)).round(3).tolist()
        [1.0, 0.0]
    """
    centre = float(weight @ target)
    off = told - centre
    gram = (off * weight) @ off.T
    right = off @ (weight * (target - centre))
    # Members' own losses and the cost of their places are linear in the weights, so that all is a quadratic form.
    cost = _PRIOR * places * float(weight @ (target - centre) ** 2) * float(weight @ weight)
    found = smallest((1 - _SHARE) * gram, right - (_SHARE * np.diagonal(gram) + cost) / 2)
    found = np.where(found < _LEAST, 0.0, found)
    return np.asarray(found / found.sum())


def smallest(gram: Floats, right: Floats) -> Floats:
    """Return the weights w ≥ 0 that sum to 1 and make w′Gw − 2b′w smallest, by exact steps between pairs, shape (k,).

    Example:
        >>> smallest(np.eye(2), np.array([1.0, 0.5])).round(6).tolist()
        [0.75, 0.25]
    """
    k = len(right)
    found = np.zeros(k)
    found[int(np.argmin(np.diagonal(gram) - 2 * right))] = 1.0
    for _ in range(_STEPS):
        slope = 2 * (gram @ found - right)
        held = np.flatnonzero(found > 0)
        away, toward = held[np.argmax(slope[held])], int(np.argmin(slope))
        gap, bend = slope[away] - slope[toward], gram[away, away] + gram[toward, toward] - 2 * gram[away, toward]
        if gap <= _NEAR * (1 + abs(slope[toward])):
            break
        step = found[away] if bend <= 0 else min(found[away], gap / (2 * bend))
        found[toward] += step
        found[away] = found[away] - step if step < found[away] else 0.0
    return found


def _mixed(parts: list[tuple[float, Terms]]) -> Terms:
    return tuple((times * share, formula) for times, terms in parts if times for share, formula in terms)


def _leaderboard(
    lesson: Lesson, train: Places, out: Mapping[str, Floats], weights: Mapping[str, float]
) -> tuple[Candidate, ...]:
    weight = lesson.weight[train]
    scores = lesson.scores[train, 1:] - lesson.scores[train, :1]
    losses = [float(np.average(((scores - out[name]) ** 2).sum(axis=1), weights=weight)) for name in weights]
    base = losses[0] if losses[0] > 0 else 1.0
    return tuple(
        Candidate(name=name, loss=(loss - losses[0]) / base, weight=float(share))
        for (name, share), loss in zip(weights.items(), losses, strict=True)
    )
