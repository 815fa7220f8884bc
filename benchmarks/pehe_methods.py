"""Everybody's predictions of the same lesson: ours, and EconML's with its defaults."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.uplift_worlds import Floats, Lesson

OURS = "cxcausal"
Method = Callable[[Lesson, int], Floats]
"""From a lesson and a seed to effects of those to tell of, shape (m, arms − 1)."""


def ours(lesson: Lesson, seed: int) -> Floats:
    """Our default: learners chosen and combined by their doubly robust loss out of fold."""
    from cxcausal.core.held_out import Aim
    from cxcausal.core.measure import Measure
    from cxcausal.core.rows import Rows
    from cxcausal.heterogeneity.effect_model import effect_model
    from cxcausal.heterogeneity.turning import held_out
    from cxcausal.nuisance.crossfit import Nuisances, Recipe

    names = tuple(f"x{place}" for place in range(lesson.x.shape[1]))
    arms = ("control", *(f"arm{place}" for place in range(1, int(lesson.arm.max()) + 1)))
    key = np.random.default_rng([seed, 7]).integers(0, 2**63, len(lesson.y), dtype=np.uint64)
    numbers = {name: np.ascontiguousarray(values) for name, values in zip(names, lesson.x.T, strict=True)}
    rows = Rows(
        arms=arms, arm=lesson.arm.astype(np.int8), key=key, numbers={**numbers, "y": lesson.y}, texts={}, clusters={}
    )
    known = None if lesson.shares is None else tuple(lesson.shares.tolist())
    given: dict[str, Any] = {
        "modifiers": names,
        "nuisances": Nuisances(rows=rows, covariates=names, recipe=Recipe(seed=seed + 1), known=known),
        "eligible": np.ones(rows.n, dtype=np.bool_),
        "weight": np.ones(rows.n),
    }
    measure = Measure(name="y", terms=(("y", 1.0),))
    binary = bool(np.isin(lesson.y, (0.0, 1.0)).all())
    aim = Aim(name="y", label="y", unit="", measure=measure, sign=1, binary=binary)
    model, _ = effect_model(rows, aim, **given, held=held_out(rows, aim, **given))
    return np.asarray(model.gains(dict(zip(names, lesson.asked.T, strict=True)))[:, 1:])


def _meta(kind: str) -> Method:
    """Return a meta-learner of EconML, which has no default regression: scikit-learn's default boosting."""

    def effects(lesson: Lesson, seed: int) -> Floats:
        from econml import metalearners
        from sklearn.ensemble import HistGradientBoostingRegressor

        base = HistGradientBoostingRegressor(random_state=seed)
        arms = list(range(int(lesson.arm.max()) + 1))
        named = {"overall_model": base} if kind == "SLearner" else {"models": base}
        model = getattr(metalearners, kind)(**named, categories=arms)
        model.fit(lesson.y, lesson.arm, X=lesson.x)
        return _told(model, lesson)

    return effects


def _dr(lesson: Lesson, seed: int) -> Floats:
    from econml.dr import DRLearner

    model = DRLearner(random_state=seed, categories=list(range(int(lesson.arm.max()) + 1)))
    return _told(model.fit(lesson.y, lesson.arm, X=lesson.x), lesson)


def _dml(kind: str) -> Method:
    def effects(lesson: Lesson, seed: int) -> Floats:
        from econml import dml

        arms = list(range(int(lesson.arm.max()) + 1))
        model = getattr(dml, kind)(discrete_treatment=True, random_state=seed, categories=arms)
        return _told(model.fit(lesson.y, lesson.arm, X=lesson.x), lesson)

    return effects


def _told(model: Any, lesson: Lesson) -> Floats:
    arms = range(1, int(lesson.arm.max()) + 1)
    return np.column_stack([np.ravel(model.effect(lesson.asked, T0=0, T1=arm)) for arm in arms])


METHODS: Mapping[str, Method] = {
    OURS: ours,
    "EconML S": _meta("SLearner"),
    "EconML T": _meta("TLearner"),
    "EconML X": _meta("XLearner"),
    "EconML DR": _dr,
    "EconML LinearDML": _dml("LinearDML"),
    "EconML forest": _dml("CausalForestDML"),
}
