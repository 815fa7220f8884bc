"""How many customers may be worse off by a contact: bounds, because nobody is seen both with it and without."""

import numpy as np

from cxcausal.core.held_out import HeldOut, Rules
from cxcausal.core.rows import Floats
from cxcausal.core.whom import IndividualHarm
from cxcausal.policy.question import eligible_of
from cxcausal.policy.worth import Judging


def harm_of(held: HeldOut, rules: Rules, alpha: float) -> tuple[IndividualHarm, ...]:
    """Return Fréchet bounds of the share whose outcome is good without contact and bad with it, for every arm.

    With good outcomes of chance p₀(x) and p₁(x), that share lies between E max(0, p₀ − p₁) and E min(p₀, 1 − p₁)
    (Heckman, Smith & Clements 1997, https://doi.org/10.2307/2971729; Kallus 2022,
    https://doi.org/10.1287/mnsc.2021.4136). Whatever was learned on other customers splits these into two cases, and
    any split gives bounds that hold, the closer the better it is. The limits hold together at 1 − alpha.

    Args:
        held: turns of a metric of 0 and 1.
        rules: who may be contacted.
        alpha: error level.
    """
    arms = held.rows.arms
    if not held.aim.binary:
        why = "only an outcome of yes or no has such bounds"
        return tuple(
            IndividualHarm(arm=arm, metric=held.aim.name, status="not_computed", reason=why) for arm in arms[1:]
        )
    sides = [eligible_of(turn.judged, rules) for turn in held.turns]
    judging = Judging.of(held.rows, held.weight, [side.units for side in sides])
    scores, means = (np.concatenate([getattr(side, name) for side in sides]) for name in ("scores", "means"))
    shift = 0.0 if held.aim.sign > 0 else 1.0
    return tuple(_bounds(arms[place], held.aim.name, judging, _terms(scores + shift, means + shift, place), alpha)
                 for place in range(1, len(arms)))  # fmt: skip


def _terms(scores: Floats, means: Floats, place: int) -> Floats:
    """Return the two means' terms, from chances of a good outcome, shape (m, 2)."""
    worse = means[:, place] < means[:, 0]
    rarer = means[:, 0] < 1 - means[:, place]
    low = np.where(worse, scores[:, 0] - scores[:, place], 0.0)
    return np.column_stack([low, np.where(rarer, scores[:, 0], 1 - scores[:, place])])


def _bounds(arm: str, metric: str, judging: Judging, terms: Floats, alpha: float) -> IndividualHarm:
    low, high = judging.told(terms, alpha)
    return IndividualHarm(
        arm=arm,
        metric=metric,
        lowest=_share(low.point),
        highest=_share(high.point),
        lowest_limit=_share(low.low),
        highest_limit=_share(high.high),
    )


def _share(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 1.0)
