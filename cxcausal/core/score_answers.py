"""What the score road answers: effects, distances and bounds, without a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cxcausal.core.rows import Floats as Array

Contrast = tuple[str, str]
"""(treated arm, arm it is compared with)."""


@dataclass(frozen=True, kw_only=True)
class ScoreEffect:
    """Two arms' mean outcomes in one population, each with its influence function's variance.

    Attributes:
        n: units of either arm with a value, treated and control.
        effective: Kish's effective sample size of either arm under the target's weights.
        mean: both means. covariance: of the means, shape (2, 2), robust to clusters.
        df: degrees of freedom.
        spread: of the repeats' effects, the largest distance from their median. repeats: how many there were.
        points: the effect of every repeat.
        reason: why there is no effect; then all numbers but `n` are of no meaning.
    """

    n: tuple[int, int]
    effective: tuple[float, float] = (0.0, 0.0)
    mean: tuple[float, float] = (0.0, 0.0)
    covariance: Array = field(default_factory=lambda: np.zeros((2, 2)))
    df: float = 1.0
    spread: float = 0.0
    repeats: int = 1
    points: tuple[float, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreEffects:
    """The answer to an `EffectQuery`.

    Attributes:
        effects: (arm, control, value of the segment) → effect; the value is empty over everybody.
        correlation: of the effects against the control that have a reason to be told, in the order of `told`.
        told: their keys.
    """

    effects: Mapping[tuple[str, str, str], ScoreEffect]
    told: tuple[tuple[str, str, str], ...] = ()
    correlation: Array = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, kw_only=True)
class ArmOverlap:
    """One arm's units among the others.

    Attributes:
        units: of the arm. effective: Kish's effective sample size of its weights.
        quantiles: of every unit's propensity for this arm at 0, 1, 5, 25, 50, 75, 95, 99 and 100 %, shape (9,).
        histogram: arm of the units → counts in 20 equal bins of the propensity for this arm, shape (20,).
        below, above: units whose propensity for this arm lies below, above its `limits`.
        clipped: units whose propensity was raised to the floor where it divides.
        limits: see `OverlapQuery.limits`; the lower one is smaller for a small arm, the upper one larger for a big one.
        unlikely: other arm → units of this arm whose propensity for that one lies below its lower limit.
    Counts of fewer than ten units are told as none, and bins of so few are told with their neighbours.
    """

    units: int
    effective: float
    quantiles: Array
    histogram: Mapping[str, Array]
    below: int
    above: int
    clipped: int
    limits: tuple[float, float] = (0.05, 0.95)
    unlikely: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OverlapAnswer:
    """The answer to an `OverlapQuery`.

    Attributes:
        arms: by arm. floor: the propensity below which one is raised, and counted.
        discrimination: the chance that a unit of the arm has the higher propensity for it than another unit (AUC),
            by arm.
        units: all.
        outside: by what the target divides by, the share of the target's units that almost never get it.
        clipped: share of the target's units for whom what it divides by was raised to the floor.
        reason: why nothing is known; then all else is of no meaning.
    """

    arms: Mapping[str, ArmOverlap]
    floor: float
    discrimination: Mapping[str, float]
    units: int
    outside: float = 0.0
    clipped: float = 0.0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Imbalance:
    """How far an arm's mean of one column lies from the target's, in standard deviations of all units.

    Attributes:
        column: the covariate. level: of a text covariate, its value; `missing` for the share without a value.
        before, after: standardised differences of the arm from the control, unweighted and weighted to the target.
        se: the standard error of `after`.
    """

    arm: str
    column: str
    level: str
    before: float
    after: float
    se: float


@dataclass(frozen=True, kw_only=True)
class BalanceAnswer:
    """The answer to a `BalanceQuery`: every column of every arm against the control; none where there is a reason.

    `incomplete` is how many units miss a value of any column.
    """

    rows: tuple[Imbalance, ...]
    reason: str | None = None
    incomplete: int = 0


@dataclass(frozen=True, kw_only=True)
class TimeZeroGap:
    """How much later an arm's time zero lies than the control's, in days, weighted to the target."""

    arm: str
    days: float
    se: float
    standardised: float


@dataclass(frozen=True, kw_only=True)
class TimeZeroAnswer:
    """The answer to a `TimeZeroQuery`; empty where time zero is one date, or not declared, or there is a reason."""

    gaps: tuple[TimeZeroGap, ...]
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class SeparationAnswer:
    """The answer to a `SeparationQuery`.

    Attributes:
        alone: covariate → the chance that, of a unit of an arm and another unit, it tells which is which (AUC; of the
            arms the one that is told best).
    """

    alone: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class GiveawayAnswer:
    """The answer to a `GiveawayQuery`.

    Attributes:
        alone: covariate → how closely it goes with the measure within an arm, from 0 to 1: for an outcome of two values
            Somers' D, twice the AUC less one; otherwise the correlation of ranks, or of a text the root of the share
            of variation that its levels explain. Of the arms the one in which it is closest.
    """

    alone: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class LearnerFacts:
    """How one nuisance was learned.

    Attributes:
        role: `propensity` or `outcome`. arm: whose outcome; empty for propensities.
        learner: its name. weights: of each member of a stack.
        loss: mean squared error, or log loss, out of fold. baseline: of a constant.
        slope, intercept: of the calibration (propensities), on the logit scale.
    """

    role: str
    arm: str
    learner: str
    loss: float
    baseline: float
    weights: Mapping[str, float] = field(default_factory=dict)
    slope: float | None = None
    intercept: float | None = None


@dataclass(frozen=True, kw_only=True)
class NuisanceAnswer:
    """The answer to a `NuisanceQuery`."""

    facts: tuple[LearnerFacts, ...]
    folds: int
    repeats: int


@dataclass(frozen=True, kw_only=True)
class Tested:
    """An estimate with its standard error and p-value, or why there is none."""

    point: float = 0.0
    se: float = 0.0
    p: float = 1.0
    n: int = 0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """Another method's effect on the same estimand.

    Attributes:
        gap: its distance from the scores' own effect. gap_se: standard error of that distance.
        target: whom it is of, where the method has no choice.
        reason: why there is none.
        n: units of either arm with a value. base: the control's mean that goes with it. df: degrees of freedom.
        scores_se: standard error of the scores' own effect on the same population.
        note: what a reader must know about it.
    """

    point: float = 0.0
    se: float = 0.0
    gap: float = 0.0
    gap_se: float = 0.0
    target: str = ""
    reason: str | None = None
    n: tuple[int, int] = (0, 0)
    base: float = 0.0
    df: float = 1.0
    scores_se: float = 0.0
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class OpinionAnswer:
    """The answer to an `OpinionQuery`."""

    opinions: Mapping[Contrast, Opinion]


@dataclass(frozen=True, kw_only=True)
class SpecificationAnswer:
    """The answer to a `SpecificationQuery`: (arm, control) → name of the choice → its opinion."""

    choices: Mapping[Contrast, Mapping[str, Opinion]]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """How strong one declared covariate is: the partial R² of a confounder like it, with outcome and treatment."""

    column: str
    outcome: float
    treatment: float


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What an unmeasured difference of a given strength could do to one effect.

    Strengths are partial R² (Chernozhukov et al. 2022): of the outcome's residual variation that it explains, and the
    share of variation that it adds to the weights.

    Attributes:
        point, se: the effect.
        scale: S, so that the bias is at most sqrt(strength_y · strength_d / (1 − strength_d)) · S. scale_se: its SE.
        scale_covariance: covariance of the effect's and the scale's estimates.
        robustness: equal strengths at which the bound reaches zero; robustness_interval: at which the interval does.
        benchmarks: of the strongest declared covariates.
        grid: strengths of the contours, shape (g,). bound: the effect's bound nearest to zero, shape (g, g), rows by
            treatment's strength.
        e_value, e_value_limit: on the risk-ratio scale, of point and of the interval's end nearest to none.
        simulated: (multiple of the strongest benchmark, effect with a simulated confounder of that strength added).
        multiple: how many times as strong as the strongest benchmark (the first) an unmeasured difference must be for
            the interval to touch zero; None where none is strong enough, or there is no benchmark.
        reason: why there is none.
    """

    point: float = 0.0
    se: float = 0.0
    scale: float = 0.0
    scale_se: float = 0.0
    scale_covariance: float = 0.0
    robustness: float = 0.0
    robustness_interval: float = 0.0
    benchmarks: tuple[Benchmark, ...] = ()
    grid: Array = field(default_factory=lambda: np.zeros(0))
    bound: Array = field(default_factory=lambda: np.zeros((0, 0)))
    e_value: float | None = None
    e_value_limit: float | None = None
    simulated: tuple[tuple[float, float], ...] = ()
    multiple: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class SensitivityAnswer:
    """The answer to a `SensitivityQuery`."""

    found: Mapping[Contrast, Sensitivity]


@dataclass(frozen=True, kw_only=True)
class Refuter:
    """What an effect became when something was tampered with.

    Attributes:
        name: placebo_treatment, random_common_cause, subset or dummy_outcome.
        expected: what it ought to be: zero, or the effect itself. found: what it was, on average over the draws.
        se: standard error of one draw's distance. draws: how many. p: where draws are exchangeable.
        refits: whether nuisances were learned again; what refits nothing says nothing about confounding.
    """

    name: str
    expected: float
    found: float
    se: float
    draws: int
    refits: bool
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class RefutationAnswer:
    """The answer to a `RefutationQuery`."""

    refuters: Mapping[Contrast, tuple[Refuter, ...]]


ScoreAnswer = (
    ScoreEffects
    | OverlapAnswer
    | BalanceAnswer
    | TimeZeroAnswer
    | SeparationAnswer
    | GiveawayAnswer
    | NuisanceAnswer
    | Tested
    | OpinionAnswer
    | SpecificationAnswer
    | SensitivityAnswer
    | RefutationAnswer
)
