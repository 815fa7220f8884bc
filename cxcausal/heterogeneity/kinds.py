"""Effects of several arms from one regression each, by kind of regression."""

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.fitting import KINDS, QUICK_FROM, QUICK_KINDS, Target, regressed
from cxcausal.heterogeneity.formulas import Effect, Formula
from cxcausal.heterogeneity.lesson import Lesson


def by_kind(lesson: Lesson, train: Places, gains: Floats) -> dict[str, Effect]:
    """Return the regressions of every arm's gains, shape (train, arms − 1), on the modifiers, by kind."""
    weight = lesson.weight[train]
    targets = [Target(units=train, y=column, weight=weight) for column in gains.T]
    return paired([regressed(lesson.ground, len(train), each.itself, lesson.seed) for each in targets])


def paired(arms: list[dict[str, Formula]]) -> dict[str, Effect]:
    """Return one effect per kind of regression that every arm has."""
    return {kind: Effect(arms=tuple(((1.0, arm[kind]),) for arm in arms)) for kind in kinds_of(arms)}


def kinds_of(arms: list[dict[str, Formula]]) -> list[str]:
    """Return the kinds of regression that every arm has."""
    return [kind for kind in arms[0] if all(kind in arm for arm in arms)]


def of_arm(lesson: Lesson, train: Places, place: int) -> dict[str, Formula]:
    """Return the regressions of one arm's outcomes on the modifiers, by kind, each made once per units."""
    kept = lesson.kept.setdefault(train.tobytes(), {})
    if place not in kept:
        units = lesson.of_arms(train, place)
        target = Target(units=units, y=lesson.y[units], weight=lesson.weight[units])
        only = KINDS if len(units) <= QUICK_FROM else QUICK_KINDS
        kept[place] = regressed(lesson.ground, len(units), target.itself, lesson.seed, only=only)
    found: dict[str, Formula] = kept[place]
    return found
