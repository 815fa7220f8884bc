"""What a run keeps about who responds and whom to contact: plain records, so that every number has its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Told:
    """A number with its standard error, interval and p-value; None where it has none."""

    point: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A learner of effects on the leaderboard.

    Attributes:
        name: of the learner. loss: its doubly robust loss out of fold, less that of one effect for everybody, in units
            of that (negative is better). weight: in the combination that predicts. chosen: whether it is part of it.
    """

    name: str
    loss: float | None
    weight: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PredictedGroup:
    """Customers with like predictions: their share, the gain predicted, and the gain they had (GATES)."""

    group: int
    n: int
    predicted: float | None
    gain: Told


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A point of a curve: what contacting the most promising `share` gains, with its interval."""

    share: float
    gain: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A modifier, and the share of what predictions tell apart that is lost where its values are shuffled."""

    modifier: str
    importance: float | None


@dataclass(frozen=True, kw_only=True)
class ArmHeterogeneity:
    """Whether an arm's effect differs between customers, told on units that were not learned from.

    All gains are signed so that more is better.

    Attributes:
        arm: against the control. n: units judged.
        slope: of the best linear predictor: 0 where predictions tell nothing, 1 where they are right.
        average: the mean gain.
        groups: five equal groups by prediction, the least promising first. spread: most less least promising group.
        autoc: area under the targeting operator curve. qini: the same, weighted by the share contacted (RATE).
        auuc: area under the uplift curve: mean gain of contacting the most promising share, over all shares.
        toc, uplift: the curves: gain per contacted beyond the mean; total gain per customer.
        p: of the test that no prediction tells anything (the RATE's). p_adjusted: over arms and aims (Holm).
        found: whether that is below alpha.
        error: mean absolute distance of groups' gains from what was predicted, less what chance leaves.
        status, reason: ok, or not_computed and why.
    """

    arm: str
    n: int = 0
    average: Told = field(default_factory=Told)
    slope: Told = field(default_factory=Told)
    groups: tuple[PredictedGroup, ...] = ()
    spread: Told = field(default_factory=Told)
    autoc: Told = field(default_factory=Told)
    qini: Told = field(default_factory=Told)
    auuc: Told = field(default_factory=Told)
    toc: tuple[CurvePoint, ...] = ()
    uplift: tuple[CurvePoint, ...] = ()
    p: float | None = None
    p_adjusted: float | None = None
    found: bool = False
    error: float | None = None
    status: str = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class AimHeterogeneity:
    """Who responds, for one aim."""

    aim: str
    label: str
    unit: str
    learned: int
    judged: int
    arms: tuple[ArmHeterogeneity, ...]
    learners: tuple[Candidate, ...] = ()
    drivers: tuple[Driver, ...] = ()
    surrogate: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PolicyWorth:
    """What a rule for whom to contact is worth, per eligible customer, on units that were not learned from.

    Attributes:
        name: nobody, everybody:<arm>, best_arm, current_rule, top_risk, value, tree or limited (value within budget
            and capacity). label: for readers.
        gain: against contacting nobody. beyond: against the best single arm for everybody, as learned.
        over_current: against the rule in use, where one is declared.
        share: arm → share of customers whom it contacts. cost: per eligible customer.
        over_current: against the rule in use, where one is declared.
        regret: gain of the best policy that may be followed, less this one's; None of one that may not.
        status, reason: ok, or not_computed and why.
    """

    name: str
    label: str
    gain: Told = field(default_factory=Told)
    beyond: Told = field(default_factory=Told)
    over_current: Told = field(default_factory=Told)
    share: Mapping[str, float] = field(default_factory=dict)
    cost: float | None = None
    regret: float | None = None
    status: str = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class FrontierPoint:
    """What a budget gains: by prediction, and with the best arm for as many customers drawn by lot.

    Attributes:
        budget: per eligible customer. share_of_full: of what contacting all who seem to pay costs.
        contacted: share of customers. gain, untargeted: per eligible customer. beyond: gain less untargeted.
    """

    budget: float
    share_of_full: float
    contacted: float
    gain: Told
    untargeted: Told
    beyond: Told


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One leaf of the policy tree: a condition in the plan's labels, the arm, and what it gains on held-out units."""

    condition: str
    arm: str
    share: float
    gain: Told


@dataclass(frozen=True, kw_only=True)
class GroupEffect:
    """One group's gain under an arm, with an interval that holds for all groups together.

    Attributes:
        name: a segment's value, or the condition of a leaf. declared: whether the plan named it before the data.
        harmed: whether its upper bound is below zero. helped: whether its lower one is above.
    """

    name: str
    arm: str
    n: int
    share: float
    gain: Told
    declared: bool
    harmed: bool = False
    helped: bool = False


@dataclass(frozen=True, kw_only=True)
class IndividualHarm:
    """Fréchet bounds of the share of customers who are worse off under an arm, each with its confidence limit.

    Averages cannot tell who would have left anyway; no more than these bounds is known. Of a metric of 0 and 1.
    """

    arm: str
    metric: str
    lowest: float | None = None
    highest: float | None = None
    lowest_limit: float | None = None
    highest_limit: float | None = None
    status: str = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProtectedGroup:
    """How the recommended rule treats one level of a protected column."""

    column: str
    level: str
    n: int
    share: float
    contacted: float | None
    gain: Told


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A cell of the map: a touchpoint or intent, a segment, and the arm with the best gain there.

    Attributes:
        row, column: values; the column is empty where the plan declares one segment only.
        arm: the best by net gain; the control where every arm reliably loses; None where nothing is reliable.
        gains: arm → gain against the control, with an interval that holds for all cells and arms together.
        reason: why nothing is told (too few).
    """

    row: str
    column: str
    n: int
    arm: str | None = None
    gains: Mapping[str, Told] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class MomentMap:
    """Where the human matters: one or two declared segments, crossed."""

    rows: str
    columns: str
    cells: tuple[Moment, ...]
    level: float


@dataclass(frozen=True, kw_only=True)
class PolicyResult:
    """Whom to contact, and what that is worth.

    Attributes:
        aim, label, unit: what gains are of. level: of intervals. priced: whether gains are after costs.
        learned, judged: units. eligible: share of the analysed units that may be contacted.
        recommended: name of a policy. targeting: whether a rule reliably gains more than the best single arm.
        policies: with the recommended among them. frontier, break_even_budget: what budgets gain.
        rules: of the tree. groups: with harmed and helped ones. harm: bounds for individuals.
        protected: of the recommended policy. moments: the map.
        population: customers of the roll-out, where declared.
        left_out: arms that must be stopped for harm, so that no rule was learned that gives one of them.
        status, reason: ok, or not_computed and why. notes: sentences.
    """

    aim: str
    label: str
    unit: str
    level: float
    priced: bool = False
    learned: int = 0
    judged: int = 0
    eligible: float = 1.0
    recommended: str | None = None
    targeting: bool = False
    policies: tuple[PolicyWorth, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    break_even_budget: float | None = None
    rules: tuple[Rule, ...] = ()
    groups: tuple[GroupEffect, ...] = ()
    harm: tuple[IndividualHarm, ...] = ()
    protected: tuple[ProtectedGroup, ...] = ()
    moments: MomentMap | None = None
    population: int | None = None
    model: str | None = None
    left_out: tuple[str, ...] = ()
    status: str = "ok"
    reason: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Who responds, and whom to contact."""

    heterogeneity: tuple[AimHeterogeneity, ...] = ()
    policy: PolicyResult | None = None
