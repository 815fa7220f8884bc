"""What a run keeps of the score road's answers: plain records, so that every number that is told has its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Numbers = tuple[float | None, ...]
"""A number that is not finite is None, as in JSON."""


@dataclass(frozen=True, kw_only=True)
class ArmOverlapFacts:
    """One arm's units among the others.

    Attributes:
        arm: its name. units: of it. effective: as many units as its weighted ones are worth.
        quantiles: of every unit's chance of this arm, at 0, 1, 5, 25, 50, 75, 95, 99 and 100 %; the first and the
            last, which are of one unit each, are not kept.
        histogram: arm → its units by their chance of this arm, in equal parts from 0 to 1.
        below, above: units whose chance of this arm lies outside the agreed limits. clipped: raised to the floor.
            Of one to nine it is None.
        discrimination: how often a unit of the arm has the higher chance of it than another unit.
    """

    arm: str
    units: int
    effective: float | None
    quantiles: Numbers = ()
    histogram: Mapping[str, Numbers] = field(default_factory=dict)
    below: int | None = None
    above: int | None = None
    clipped: int | None = None
    discrimination: float | None = None


@dataclass(frozen=True, kw_only=True)
class OverlapFacts:
    """How the arms overlap: `units` in all, and the `floor` below which a chance is raised where it divides."""

    arms: tuple[ArmOverlapFacts, ...]
    floor: float | None
    units: int


@dataclass(frozen=True, kw_only=True)
class BalanceFact:
    """How far an arm's mean of one column lies from the control's, in standard deviations, before and after weights."""

    arm: str
    column: str
    level: str
    before: float | None
    after: float | None
    se: float | None


@dataclass(frozen=True, kw_only=True)
class TimeZeroFact:
    """How many days later an arm's time zero lies than the control's."""

    arm: str
    days: float | None
    se: float | None
    standardised: float | None


@dataclass(frozen=True, kw_only=True)
class LearnerFact:
    """How one nuisance was learned; `metric` is empty for the chances of the arms (see `LearnerFacts`)."""

    metric: str
    role: str
    arm: str
    learner: str
    loss: float | None
    baseline: float | None
    weights: Mapping[str, float] = field(default_factory=dict)
    slope: float | None = None
    intercept: float | None = None


@dataclass(frozen=True, kw_only=True)
class OpinionFact:
    """An effect by another method, or under another choice: `name` says which (see `Opinion`)."""

    metric: str
    arm: str
    control: str
    name: str
    target: str
    point: float | None = None
    se: float | None = None
    gap: float | None = None
    gap_se: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class BenchmarkFact:
    """How strong a confounder like one declared covariate would be, with the outcome and with the treatment."""

    column: str
    outcome: float | None
    treatment: float | None


@dataclass(frozen=True, kw_only=True)
class SensitivityFact:
    """What an unmeasured difference could do to one effect (see `Sensitivity`)."""

    metric: str
    arm: str
    control: str
    point: float | None = None
    se: float | None = None
    scale: float | None = None
    robustness: float | None = None
    robustness_interval: float | None = None
    benchmarks: tuple[BenchmarkFact, ...] = ()
    grid: Numbers = ()
    bound: tuple[Numbers, ...] = ()
    e_value: float | None = None
    e_value_limit: float | None = None
    simulated: tuple[Numbers, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefuterFact:
    """What an effect became when something was tampered with (see `Refuter`)."""

    metric: str
    arm: str
    control: str
    name: str
    expected: float | None
    found: float | None
    se: float | None
    draws: int
    refits: bool
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreFacts:
    """What stands behind adjusted effects.

    Attributes:
        target: whom effects are of (ate, att or ato). adjusted_for: the columns that are allowed for.
        folds, repeats: into how many parts, and how often, units were split to learn.
        overlap, balance, time_zero: how alike the arms are.
        nuisances: how chances and outcomes were learned.
        opinions, specification: the same effects by other methods, and under other choices.
        sensitivity, refutation: how the effects stand against what is not known.
        incomplete: the share of the units that miss a value of any of these columns; None where they are too few to
            be told.
    """

    target: str
    adjusted_for: tuple[str, ...]
    folds: int
    repeats: int
    overlap: OverlapFacts | None = None
    balance: tuple[BalanceFact, ...] = ()
    time_zero: tuple[TimeZeroFact, ...] = ()
    nuisances: tuple[LearnerFact, ...] = ()
    opinions: tuple[OpinionFact, ...] = ()
    specification: tuple[OpinionFact, ...] = ()
    sensitivity: tuple[SensitivityFact, ...] = ()
    refutation: tuple[RefuterFact, ...] = ()
    incomplete: float | None = None
