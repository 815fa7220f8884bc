"""Two runs side by side: records whose fields are the keys of `compare --json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cxcausal.core.tree_changes import Change
from cxcausal.core.whom_pairs import WhomPair

Customers = Literal["same", "shared", "not_known"]
Presence = Literal["both", "first_only", "second_only"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one of the two runs is, in short.

    Attributes:
        run_id, experiment, created_at, verdict, recommended_arm, grade, capped_by, registered, report: of its result.
        data_cut: the date up to which its data were observed. fingerprint: of what it read.
        rows, enrolled, analysed: of its data.
    """

    run_id: str
    experiment: str
    created_at: str
    verdict: str
    recommended_arm: str | None
    grade: str
    capped_by: str | None
    registered: bool
    report: str | None
    data_cut: str | None
    fingerprint: str
    rows: int
    enrolled: int
    analysed: int


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An effect of one run with its interval; None where it was not computed, or stands on fewer than 10 customers."""

    point: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    se: float | None = None
    method: str = ""
    adjustment: str = "none"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class EffectPair:
    """One effect in both runs, and how far it moved.

    Attributes:
        metric, arm, control, population, scale, unit, role, headline: as in the table of effects.
        presence: in which of the runs it is.
        first, second: the effect in either.
        difference: second minus first; low, high: its interval at `level`, from the combined error.
        beyond: whether that interval excludes zero; None where there is none.
        reason: why there is no difference, or no interval.
    """

    metric: str
    role: str
    arm: str
    control: str
    population: str
    scale: str
    unit: str
    headline: bool
    presence: Presence
    first: Interval | None = None
    second: Interval | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    beyond: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CheckPair:
    """One check in both runs: its verdicts, and its words where the verdict is not the same."""

    name: str
    first: str | None
    second: str | None
    first_text: str | None = None
    second_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictPair:
    """One arm in both runs."""

    arm: str
    first: str | None
    second: str | None


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """Two runs compared; `to_dict()` is the object that `compare --json` prints.

    Attributes:
        first, second: the older run and the newer one.
        customers: whether the same customers stand behind both, so that their errors are not independent.
        sentence: the answer in one sentence. notes: what a reader must keep in mind.
        verdicts, effects, checks: pair by pair.
        inputs, data, plan, code, environment: what differs, by key.
        whom: whom to contact; None where neither run was asked.
    """

    first: Side
    second: Side
    customers: Customers
    sentence: str
    notes: tuple[str, ...]
    verdicts: tuple[VerdictPair, ...]
    effects: tuple[EffectPair, ...]
    checks: tuple[CheckPair, ...]
    inputs: tuple[Change, ...]
    data: tuple[Change, ...]
    plan: tuple[Change, ...]
    code: tuple[Change, ...]
    environment: tuple[Change, ...]
    whom: WhomPair | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and text, in the order of the fields."""
        return asdict(self)

    @property
    def parts(self) -> Mapping[str, tuple[Change, ...]]:
        """What differs beside the effects, by what it is about."""
        return {
            "inputs": self.inputs,
            "data": self.data,
            "plan": self.plan,
            "code": self.code,
            "environment": self.environment,
        }
