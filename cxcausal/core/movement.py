"""What moved between a run and the one it repeats: every effect from then to now, by cause, in steps that sum up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cxcausal.core.whom_pairs import WhomPair

Cause = Literal[
    "code",
    "environment",
    "code_and_environment",
    "unexplained",
    "erased",
    "restated",
    "late",
    "matured",
    "new",
    "plan",
    "data",
    "data_and_plan",
]
FEWEST_TOLD = 10
"""Fewer people than this are not counted for a reader: a count of one or two may point at somebody."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One cause's part of a change.

    Attributes:
        cause: what changed; `data` where the causes in the data can't be told apart.
        units: whom it concerns; None where they are fewer than ten, or no units.
        before, after: the effect without and with it; None where there is none to compute.
        change: after − before, in the effect's unit. share: of the whole change; None where that is nothing.
    """

    cause: Cause
    units: int | None = None
    before: float | None = None
    after: float | None = None
    change: float | None = None
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Mix:
    """The steps of newly analysed units taken apart (Kitagawa, over the plan's segments and strata).

    Attributes:
        over: the columns whose groups were weighed.
        population: because groups are of other sizes now. effect: because effects within groups differ.
        rest: arms that are not alike within groups, adjustment for covariates.
    """

    over: tuple[str, ...]
    population: float
    effect: float
    rest: float


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The effect among the units that one run was the first to analyse, by the values of now, if thirty per arm."""

    run_id: str
    data_cut: str | None
    point: float
    se: float
    units: int


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Newly analysed units against those analysed before: other people, so that the two effects are independent.

    Told where both have thirty units or more in either arm.

    Attributes:
        known, new: the effects. difference: new − known; se: its standard error; z: their quotient; p: two-sided, by
            Student's distribution with Welch's degrees of freedom.
        trend: where the difference is reliable at the plan's alpha, `fading` or `growing`, or `reversed` where both
            effects are reliable and of other signs; `steady` otherwise.
    """

    known: float
    new: float
    difference: float
    se: float
    z: float
    p: float
    trend: Literal["fading", "growing", "reversed", "steady"]


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """The effects of all cuts as draws around one mean (random effects).

    Attributes:
        cuts: how many. point, low, high: the mean effect with its interval at `level`.
        tau: how much effects differ between cuts beyond chance, as a standard deviation.
        i2: which share of the differences between cuts is not chance. q, p: Cochran's test of equal effects.
    """

    cuts: int
    point: float
    low: float
    high: float
    level: float
    tau: float
    i2: float
    q: float
    p: float


@dataclass(frozen=True, kw_only=True)
class EffectMovement:
    """One headline effect, absolute, from the earlier run to this one; the steps' changes sum to `change`."""

    metric: str
    arm: str
    control: str
    unit: str
    before: float
    now: float
    change: float
    steps: tuple[Step, ...]
    mix: Mix | None = None
    drift: Drift | None = None
    history: tuple[Cut, ...] = ()
    pooled: Pooled | None = None


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How often an experiment has been read, and what that does to its error rate.

    Attributes:
        readings: runs of the same plan so far, this one among them.
        false_alarm: the chance that at least one of so many equally spaced readings alarms though there is nothing,
            where the plan is read as if each were the only one; None where it allows several readings.
        sentence: the same in words.
    """

    readings: int
    false_alarm: float | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Another experiment of the project with customers of this one at the same time; None: fewer than ten."""

    experiment: str
    run_id: str
    units: int | None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """What a rerun found against its parent.

    Attributes:
        parent: the run id of the run that is repeated. parent_created_at: when that was made.
        verdict_before, arm_before: what it decided.
        flipped: whether the decision is another one now.
        effects: every effect that both runs have.
        units: how many units each cause concerns; None where fewer than ten.
        restated: by column, the share of units analysed before whose recorded value is another one now.
        together: why the causes in the data could not be told apart; None where they were.
        plan_changed: the plan's keys that differ.
        code, environment: what differs in them, in a word each.
        accepted: why changes that would be refused were accepted.
        data_cut: the end of observation that the rerun was asked for, in place of the plan's.
        sentence: what moved the first effect of the recommended arm, in words.
        notes: what a reader must know beside it, the most important first.
        whom: whom to contact, before and now; None where neither run was asked.
    """

    parent: str
    parent_created_at: str
    verdict_before: str
    arm_before: str | None
    flipped: bool
    effects: tuple[EffectMovement, ...]
    units: Mapping[str, int | None] = field(default_factory=dict)
    restated: Mapping[str, float] = field(default_factory=dict)
    together: str | None = None
    plan_changed: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    accepted: str | None = None
    data_cut: str | None = None
    looks: Looks | None = None
    overlaps: tuple[Overlap, ...] = ()
    sentence: str = ""
    notes: tuple[str, ...] = ()
    whom: WhomPair | None = None


def told(units: int) -> int | None:
    """Return a count of people, unless it is of so few that it might point at somebody.

    Example:
        >>> told(0), told(3), told(10)
        (0, None, 10)
    """
    return None if 0 < units < FEWEST_TOLD else units
