"""What needs rows: questions that are answered from cross-fitted scores, again with aggregates only.

A component declares them beside the others (`core.queries`); the pipeline fits what they need once, for all of them.
"""

from dataclasses import dataclass
from typing import Literal

from cxcausal.core.measure import Measure

Target = Literal["ate", "att", "ato"]
"""Whom an effect is of: everybody, those treated, or those for whom either arm was a real possibility."""
TARGETS: tuple[Target, ...] = ("ato", "att", "ate")


@dataclass(frozen=True, kw_only=True)
class EffectQuery:
    """A measure's adjusted effects in a target population, over everybody or per value of the segment `by`."""

    measure: Measure
    target: Target
    by: str | None = None


@dataclass(frozen=True, kw_only=True)
class OverlapQuery:
    """How the arms' propensities overlap, and what is left of each arm after weighting to a target.

    `limits` are the propensities below and above which a unit counts as having almost no choice, where arms are of one
    size; for a small arm the lower one is smaller in proportion.
    """

    target: Target
    limits: tuple[float, float] = (0.05, 0.95)


@dataclass(frozen=True, kw_only=True)
class BalanceQuery:
    """How far the arms' covariates are apart, before and after weighting to a target."""

    target: Target


@dataclass(frozen=True, kw_only=True)
class TimeZeroQuery:
    """How far the arms' days of time zero are apart, after weighting to a target."""

    target: Target


@dataclass(frozen=True, kw_only=True)
class SeparationQuery:
    """How well each covariate alone tells who was treated."""


@dataclass(frozen=True, kw_only=True)
class GiveawayQuery:
    """How well each covariate alone tells, within an arm, what a measure came to."""

    measure: Measure


@dataclass(frozen=True, kw_only=True)
class NuisanceQuery:
    """How well the models behind scores predict: the propensities' and, with a measure, its outcome's."""

    measure: Measure | None = None


@dataclass(frozen=True, kw_only=True)
class ExposureQuery:
    """Whether a column that can't change a measure goes with it, given the arm and the covariates."""

    column: str
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class OpinionQuery:
    """A measure's effects by another method, and how far they lie from the scores' own."""

    method: str
    measure: Measure
    target: Target


@dataclass(frozen=True, kw_only=True)
class SpecificationQuery:
    """A measure's effects under other reasonable choices of learners and covariates.

    `without` are the covariates that one of the choices leaves out.
    """

    measure: Measure
    target: Target
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SensitivityQuery:
    """How strong an unmeasured difference would have to be to change what a measure's effects say."""

    measure: Measure
    target: Target
    alpha: float


@dataclass(frozen=True, kw_only=True)
class RefutationQuery:
    """What a measure's effects become where treatment, outcome, covariates or units are tampered with.

    `dowhy` asks for DoWhy's own refuters besides.
    """

    measure: Measure
    target: Target
    dowhy: bool = False


ScoreQuery = (
    EffectQuery
    | OverlapQuery
    | BalanceQuery
    | TimeZeroQuery
    | SeparationQuery
    | GiveawayQuery
    | NuisanceQuery
    | ExposureQuery
    | OpinionQuery
    | SpecificationQuery
    | SensitivityQuery
    | RefutationQuery
)
SCORE_QUERIES = (
    EffectQuery,
    OverlapQuery,
    BalanceQuery,
    TimeZeroQuery,
    SeparationQuery,
    GiveawayQuery,
    NuisanceQuery,
    ExposureQuery,
    OpinionQuery,
    SpecificationQuery,
    SensitivityQuery,
    RefutationQuery,
)
"""The kinds of queries that need rows."""
