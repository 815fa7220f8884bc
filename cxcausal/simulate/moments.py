"""The moments world: who should answer at a moment of truth - a bot, an expert or an agent -, tossed by a coin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import Problem, UsageError
from cxcausal.simulate.moments_effects import ANSWERS, Happened, chances, draw_luck, happen, net_values
from cxcausal.simulate.moments_people import ARMS, columns_of, draw_moments, moments_of
from cxcausal.simulate.moments_truth import MomentsTruth, moments_truth
from cxcausal.simulate.population import Floats, Ints

Column = npt.NDArray[Any]

_STREAMS = ("people", "assignment", "time", "luck", "ids")
_FIRST_STREAM = 200
_FIRST_DAY, _WEEKS = np.datetime64("2026-05-04T00:00:00", "s"), 8
_EXTRACTED_AT = np.datetime64("2026-10-01T00:00:00", "s")
_DAY = 86_400
_MOST_SCALE = 2.0


@dataclass(frozen=True, kw_only=True)
class MomentsDrawn:
    """A drawn world: what an analyst would be given, and the truth that they would not.

    Attributes:
        columns: name → array of shape (n,). truth: effects, whom contact harms, and what policies are worth.
    """

    columns: Mapping[str, Column]
    truth: MomentsTruth


@dataclass(frozen=True, kw_only=True)
class MomentsWorld:
    """Customers with a matter, each answered by an arm drawn by lot; what an answer does depends on who asks what.

    Attributes:
        n: customers. seed: fixes every byte.
        effect_scale: multiplies every effect of a person's answer; 0 is a null world (costs remain).

    Raises:
        UsageError: an option has no meaning.

    Example:
        >>> truth = MomentsWorld(n=2_000, seed=1).draw().truth
        >>> truth.policy("oracle").gain > 2 * truth.policy("best_arm").gain > 0
        True
    """

    name: ClassVar[str] = "moments"
    costs: ClassVar[Mapping[str, float]] = {arm: answer.unit_cost for arm, answer in ANSWERS.items()}
    n: int = 50_000
    seed: int = 1
    effect_scale: float = 1.0

    def __post_init__(self) -> None:
        """Tell every option that makes no sense, at once."""
        problems = tuple(_problems(self))
        if problems:
            raise UsageError(problems)

    def draw(self) -> MomentsDrawn:
        """Return the data and the truth; equal worlds give equal draws."""
        rng = {name: np.random.default_rng([self.seed, _FIRST_STREAM + i]) for i, name in enumerate(_STREAMS)}
        people, luck = draw_moments(self.n, rng["people"]), draw_luck(self.n, rng["luck"])
        happened = {arm: happen(chances(people, arm, scale=self.effect_scale), luck) for arm in ARMS}
        assigned = rng["assignment"].permutation(np.arange(self.n) % len(ARMS))
        ids = rng["ids"].permutation(self.n) + 1
        seconds = rng["time"].integers(0, _WEEKS * 7 * _DAY, self.n)
        columns = {
            "customer_id": np.char.zfill(ids.astype(np.str_), 9),
            "asked_at": _FIRST_DAY + seconds.astype("timedelta64[s]"),
            "extracted_at": np.full(self.n, _EXTRACTED_AT),
            "arm": np.array(ARMS)[assigned],
            **columns_of(people),
            **_results(happened, assigned),
        }
        return MomentsDrawn(columns=columns, truth=moments_truth(people, happened, scale=self.effect_scale))


def net_values_given(columns: Mapping[str, Column], *, scale: float = 1.0) -> Floats:
    """Return the expected net value of every arm for every row of a drawn world, in the currency, shape (n, arms).

    The oracle for any policy: it needs nothing but what an analyst sees, and no analysis reads it.

    Args:
        columns: the covariates of the world, as drawn or as read again, name → shape (n,), in any order of rows.
        scale: the world's effect scale.

    Example:
        >>> values = net_values_given(MomentsWorld(n=1_000, seed=1).draw().columns)
        >>> values.shape
        (1000, 3)
    """
    return net_values(moments_of(columns), scale=scale)


def _results(happened: Mapping[str, Happened], assigned: Ints) -> dict[str, Column]:
    seen = {
        name: np.choose(assigned, [getattr(happened[arm], name) for arm in ARMS])
        for name in ("churned", "complained", "margin")
    }
    return {
        "churned_90d": seen["churned"].astype(np.int64),
        "complained_30d": seen["complained"].astype(np.int64),
        "margin_90d": seen["margin"],
    }


def _problems(world: MomentsWorld) -> list[Problem]:
    wrong = []
    if world.n < 1:
        wrong.append(("n", f"{world.n} customers can't be drawn", "ask for at least 1"))
    if world.seed < 0:
        wrong.append(("seed", f"{world.seed} is negative", "use a whole number from 0"))
    if not 0 <= world.effect_scale <= _MOST_SCALE:
        wrong.append(("effect_scale", f"{world.effect_scale} is out of range", "use 0 to 2; 0 is a null world"))
    return [
        Problem(where=f"simulate moments {option}", code="U244", what=what, mend=mend) for option, what, mend in wrong
    ]
