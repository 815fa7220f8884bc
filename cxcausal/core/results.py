"""What crosses a stage on the way out: frozen records whose fields are the keys of `run --json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cxcausal.core.entry import EventTable
from cxcausal.core.frames import Found, picture_of, table_of
from cxcausal.core.movement import Movement
from cxcausal.core.record import RecordFacts
from cxcausal.core.score_facts import ScoreFacts
from cxcausal.core.whom import AimHeterogeneity, PolicyResult

if TYPE_CHECKING:
    import pandas as pd

    from cxcausal.core.pictures import Picture

SCHEMA_VERSION = 1
_HARM = 2
"""The line of the verdict table for an arm that harms."""

Role = Literal["success", "guardrail", "secondary", "exploratory"]
Verdict = Literal["ship", "ship_with_monitoring", "pilot", "hold", "stop", "no_decision"]
Grade = Literal["A", "B", "C", "D"]
CheckVerdict = Literal["pass", "warn", "fail", "info", "could_not_run"]
OnBreach = Literal["fail", "warn", "skip"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One row of the effects table: an effect with its interval, or the reason why there is none.

    Attributes:
        metric: the metric's name in the plan.
        role: success, guardrail, secondary or exploratory.
        arm: the treated arm; control: the arm it is compared with.
        estimand: itt, ate, att, ato or late. population: `all` or `segment=value`.
        scale: absolute (in `unit`) or relative (a fraction of the control's mean).
        method: the registered estimator. adjustment: none or covariates. trimming: none or winsorized.
        point, low, high: the effect and its interval at confidence `level`; se: its standard error.
        p: two-sided p-value of no effect (guardrails: one-sided, of harm at or beyond the margin).
        p_adjusted: after the plan's multiplicity rule (Holm, or Benjamini–Hochberg for segments).
        n_treated, n_control: units behind the row. mean_treated, mean_control: the arms' means.
        unit: what the effect is counted in. headline: whether page one shows this row.
        status: ok or not_computed, with the reason.
        companion: whether the row is told beside the metric's own effect, and no verdict is taken from it.
        set_low, set_high: where the data say only between which values the effect lies, the estimated ends of that
            set; `low` and `high` then cover the effect wherever in the set it is, and there is no point.
        look_level: where the plan may be read several times, the level at which this look's interval stands, so that
            the intervals of all looks hold together at `level`; `p` then is the sequential p-value.
        effective_treated, effective_control: where units are weighted, Kish's effective sample sizes.
        spread, repeats: where nuisances are learned on random folds, how far the effect of any split lies from the
            median that is told, and how many splits there were.
    """

    metric: str
    role: Role
    arm: str
    control: str
    estimand: str
    population: str = "all"
    scale: Literal["absolute", "relative"] = "absolute"
    method: str
    adjustment: Literal["none", "covariates"] = "none"
    trimming: Literal["none", "winsorized"] = "none"
    point: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    se: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    n_treated: int | None = None
    n_control: int | None = None
    mean_treated: float | None = None
    mean_control: float | None = None
    unit: str = ""
    headline: bool = False
    status: Literal["ok", "not_computed"] = "ok"
    reason: str | None = None
    df: float | None = None
    companion: bool = False
    set_low: float | None = None
    set_high: float | None = None
    look_level: float | None = None
    effective_treated: float | None = None
    effective_control: float | None = None
    spread: float | None = None
    repeats: int | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check found: a verdict, the number behind it, and one sentence without jargon.

    `on_breach` says what a breach means in this plan: a `fail` withholds the verdict.
    """

    name: str
    verdict: CheckVerdict
    on_breach: OnBreach
    value: float | None = None
    threshold: float | None = None
    p: float | None = None
    text: str


@dataclass(frozen=True, kw_only=True)
class Range:
    """A point with its interval; low and high are None where there is no interval."""

    point: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class ValuePart:
    """One bar of the waterfall: a metric's worth (positive is good) or a cost (negative), per assigned customer."""

    name: str
    label: str
    per_customer: float


@dataclass(frozen=True, kw_only=True)
class Information:
    """What knowing more is worth before an arm is chosen or left, in the plan's currency.

    What is worth knowing is only what may change the choice: money that a wrong choice would lose, weighed by how
    likely the data leave it to be wrong.

    Attributes:
        customers: for whom the choice is made: those of the roll-out, without a population those of the test.
        perfect: what an answer without any doubt is worth; nothing that is yet to be learned is worth more.
        doubled: what as many customers again are worth.
        four_weeks: what four more weeks of enrolment at its pace are worth; None where the pace is not known.
    """

    customers: int
    perfect: float
    doubled: float
    four_weeks: float | None = None


@dataclass(frozen=True, kw_only=True)
class ArmValue:
    """What one arm is worth against the control, in the plan's currency.

    Attributes:
        arm, control: the comparison. n_treated: customers assigned to the arm and analysed.
        estimand: of whom the amounts per customer are: itt (everybody assigned), ate, att or ato.
        net_per_customer: assumption level (`low`, `central`, `high`) → net value per assigned customer with interval.
        net_total: the same for the customers of this arm in the test (per customer × n_treated). Where nobody tossed a
            coin per customer × `total_customers`: of an ate all analysed, of an att those of the arm; of an ato there
            is no total, as nobody can count whom it is of.
        parts: the bars behind the central net value; they sum to its point.
        cost_per_customer: contact cost per assigned customer, against control.
        roi: central net value divided by cost; None without cost.
        break_even: the smallest effect on `break_even_metric` (in its unit, as a benefit) at which net value is zero,
            other metrics as estimated; None where no metric with money can carry it.
        rollout: net value for the population of the roll-out, limited by capacity; None without `value.population`.
        rollout_customers: how many customers that roll-out treats; rollout_limited: whether capacity limited it.
        net_se: standard error of the central net value per assigned customer.
        cost_per_assigned: contact cost of this arm per customer assigned to it, without the control's.
        share_delivered: share of them to whom it was delivered; None where the plan doesn't say what was delivered.
        cost_per_delivered: the same cost per delivered contact.
        cost_per_event: contact cost, against control, per customer for whom `cost_per_event_metric`, the first success
            metric, came out better; None where it is no share of customers, or where that has no range.
        cost_per_event_reason: why there is none, where there might be one.
        information: what knowing more is worth.
        status, reason: ok, or not_computed and why.
    """

    arm: str
    control: str
    n_treated: int = 0
    net_per_customer: Mapping[str, Range] = field(default_factory=dict)
    net_total: Mapping[str, Range] = field(default_factory=dict)
    parts: tuple[ValuePart, ...] = ()
    cost_per_customer: float = 0.0
    roi: float | None = None
    break_even_metric: str | None = None
    break_even: float | None = None
    rollout: Range | None = None
    rollout_customers: int | None = None
    rollout_limited: bool = False
    net_se: float | None = None
    cost_per_assigned: float | None = None
    share_delivered: float | None = None
    cost_per_delivered: float | None = None
    cost_per_event: Range | None = None
    cost_per_event_metric: str | None = None
    cost_per_event_reason: str | None = None
    information: Information | None = None
    estimand: str = "itt"
    total_customers: int | None = None
    status: Literal["ok", "not_computed"] = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One number of the value model: what a unit of a metric is worth, at three levels, and on what basis."""

    metric: str
    name: str
    low: float
    central: float
    high: float
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class ValueResult:
    """The money: per arm, with the assumptions it rests on and who approved them.

    `notes` are sentences about what is not in the money, and about one-off costs in the roll-out.
    """

    currency: str
    level: float
    approved_by: str | None = None
    approved_on: str | None = None
    example_assumptions: bool = False
    assumptions: tuple[Assumption, ...] = ()
    arms: tuple[ArmValue, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ArmVerdict:
    """The verdict of one arm and the sentence that gives its reason; `rule` is the line of the verdict table (1–4)."""

    verdict: Verdict
    reason: str
    rule: int
    capped_from: Verdict | None = None

    @property
    def harms(self) -> bool:
        """Whether the arm must be stopped because it harms: beyond a guardrail's margin, or on a success metric.

        Example:
            >>> ArmVerdict(verdict="stop", reason="Harm beyond the agreed limit.", rule=2).harms
            True
        """
        return self.verdict == "stop" and self.rule == _HARM


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What was read: inputs by SHA-256, the date up to which they were observed, and the flow of units.

    `four_weeks` is how many units four more weeks of enrolment would add, as a fraction of those analysed. `later` are
    assignments of units that were assigned before; `unexposed` units were assigned and never exposed (None where all
    that were assigned count).
    """

    inputs: tuple[tuple[str, str], ...]
    fingerprint: str
    data_cut: str | None
    rows: int
    filtered_out: int
    enrolled: int
    immature: int
    analysed: int
    randomization_units: int
    enrolled_by_arm: Mapping[str, int]
    immature_by_arm: Mapping[str, int]
    analysed_by_arm: Mapping[str, int]
    matures_on: str | None = None
    enrolled_from: str | None = None
    enrolled_to: str | None = None
    four_weeks: float | None = None
    later: int = 0
    unexposed: int | None = None
    assigned_by_arm: Mapping[str, int] = field(default_factory=dict)
    unexposed_by_arm: Mapping[str, int] = field(default_factory=dict)
    event_tables: tuple[EventTable, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadingFacts:
    """How this reading stands among those that the plan allows, where it may be read more than once.

    Attributes:
        peeking: how the plan may be read.
        sentence: the same in words.
        boundary: how many standard errors an interval at the plan's alpha reaches to either side, in large samples;
            usual: how many it would if the plan were read only once.
        units: analysed by now. tuned_units: at which an always valid interval is tightest.
        look, looks, look_date: which planned look it is, of how many, and its date; None where any day will do.
        spent: share of the planned course at each look so far, this one last.
        waiting: why nothing is concluded yet, or None.
    """

    peeking: Literal["group_sequential", "always_valid"]
    sentence: str
    boundary: float
    usual: float
    units: int
    tuned_units: int | None = None
    look: int | None = None
    looks: int | None = None
    look_date: str | None = None
    spent: tuple[float, ...] = ()
    waiting: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """Everything one run found; `to_dict()` is the object that `run --json` prints."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    experiment: str
    verdict: Verdict
    recommended_arm: str | None
    arms: Mapping[str, ArmVerdict]
    grade: Grade
    capped_by: str | None
    registered: bool
    registration: str
    report: str | None = None
    effects: tuple[Estimate, ...]
    checks: tuple[CheckResult, ...]
    value: ValueResult | None = None
    policy: PolicyResult | None = None
    reading: ReadingFacts | None = None
    data: DataFacts
    plan: Mapping[str, Any]
    plan_hash: str
    notes: tuple[str, ...] = ()
    created_at: str
    versions: Mapping[str, str]
    errors: tuple[str, ...] = ()
    movement: Movement | None = None
    record: RecordFacts | None = None
    scores: ScoreFacts | None = None
    heterogeneity: tuple[AimHeterogeneity, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and text, in the order of the fields."""
        return asdict(self)

    def to_frame(self, table: str = "effects") -> "pd.DataFrame":
        """Return what was found as a table.

        Args:
            table: `effects`, one row per effect with the fields of `Estimate`; `checks`; or, of who responds and whom
                to contact, `policies`, `groups`, `moments` (a row per cell and arm), `frontier`, `rules`, `protected`,
                `responders` (a row per aim and arm) and `drivers`. Where a run was not asked, a table has no rows.

        Raises:
            UsageError: there is no such table.
        """
        import pandas as pd  # noqa: PLC0415 - heavy, and needed only here

        rows, columns = table_of(self._found, table)
        return pd.DataFrame(rows, columns=columns)

    def plot(self, table: str = "effects") -> "Picture":
        """Return a picture of a table, a panel per metric, arm or aim; of effects those that page one shows.

        Args:
            table: `effects`, `policies`, `groups`, `moments`, `frontier` or `responders`.

        Raises:
            UsageError: there is no such picture.
        """
        return picture_of(self._found, table)

    @property
    def _found(self) -> Found:
        return Found(
            effects=self.effects,
            effect=Estimate,
            checks=self.checks,
            check=CheckResult,
            policy=self.policy,
            heterogeneity=self.heterogeneity,
        )
