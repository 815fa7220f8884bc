"""What planning finds: power per metric and arm with an answer that may be no, and assignments as they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cxcausal.core.errors import Problem

Answer = Literal["answerable", "cannot_answer", "not_known"]
Role = Literal["success", "guardrail", "secondary"]
Source = Literal["mde", "margin", "minimum_worthwhile_effect"]


@dataclass(frozen=True, kw_only=True)
class PowerRow:
    """What one comparison of an arm with the control can show. Sizes are positive, in the metric's unit.

    Attributes:
        metric, role, arm, control: what is compared.
        base: the mean, rate or ratio without treatment; sd: of one unit's (linearised) value.
        share_with_value: what fraction of the units has a value (those who answer, for a survey).
        rho: correlation with the covariate of the adjustment; design_effect: what whole clusters cost.
        size: what the plan wants to see (or, for a guardrail, to rule out); size_from: by which of its keys.
        alpha, sides: of the test; power_asked: what it shall be found with.
        smallest: the smallest size found with that power at the planned units; power: of `size` at those units.
        units_needed: in all arms together; weeks_needed: to enrol them, and to wait for the last one's window.
        status, reason: `not_computed`, with the reason, where something is not known.
    """

    metric: str
    role: Role
    arm: str
    control: str
    base: float | None = None
    sd: float | None = None
    share_with_value: float = 1.0
    rho: float = 0.0
    design_effect: float = 1.0
    size: float | None = None
    size_from: Source | None = None
    alpha: float
    sides: Literal[1, 2]
    power_asked: float
    smallest: float | None = None
    power: float | None = None
    units_needed: int | None = None
    weeks_needed: int | None = None
    status: Literal["ok", "not_computed"] = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Power to see one planned size, over units in all arms together."""

    metric: str
    arm: str
    power_asked: float
    units: tuple[float, ...]
    power: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """Whether an experiment can answer its question.

    Attributes:
        answer: `cannot_answer` where a success metric's size would be missed, or a guardrail's loss not ruled out, too
            often; `not_known` where nothing forbids an answer, but something is missing.
        sentence: the same in words; reasons: one sentence per row that stands against it.
        units, units_from: planned in all arms together, and by what; units_per_week, window_days: for the duration.
        rows: success metrics first, then guardrails and secondary metrics. curves: for the picture.
        inputs: (name, SHA-256) of past data that were read. notes: what a reader must know.
    """

    schema_version: int = 1
    experiment: str
    plan_hash: str
    question: str
    answer: Answer
    sentence: str
    reasons: tuple[str, ...] = ()
    units: int | None = None
    units_from: str | None = None
    units_per_week: float | None = None
    window_days: int = 0
    rows: tuple[PowerRow, ...]
    curves: tuple[Curve, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """A file of assignments that was written.

    Attributes:
        path: the file. sha256: of its bytes. method: `hash`, or `stratified` where the plan has strata.
        rows: units in the file. counts: randomised units per arm; held_out: those that no arm has, and no file.
        salt_hash: SHA-256 of the salt. ledger_hash: of the line that records the assignment.
    """

    experiment: str
    path: str
    sha256: str
    method: Literal["hash", "stratified"]
    rows: int
    counts: Mapping[str, int]
    salt_hash: str
    ledger_hash: str
    held_out: int = 0


@dataclass(frozen=True, kw_only=True)
class AssignmentCheck:
    """A log of assignments against what plan and salt say.

    Attributes:
        rows: of the log, each unit and arm once. mismatches: of them, those with another arm than derived.
        same_salt: whether the salt is that of the ledger's latest assignment; None where it has none.
        problems: what does not match; empty for a sound log.
    """

    experiment: str
    rows: int
    mismatches: int
    same_salt: bool | None
    problems: tuple[Problem, ...]
