"""The plan after resolution: pydantic models whose attribute names are the keys of the YAML file."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cxcausal.core.spec.designs import Design, Epoch, Randomized, Treatment
from cxcausal.core.spec.events import Events
from cxcausal.core.spec.scalars import (
    Count,
    Date,
    Days,
    Flag,
    Fractional,
    Free,
    Integer,
    Label,
    Level,
    NonNegative,
    Number,
    Positive,
    Probability,
    Sign,
    Slug,
    Text,
    read_integer,
    read_number,
    read_text,
)

__all__ = ["Design", "ExperimentSpec", "Metric", "Treatment"]

Direction = Literal["increase", "decrease"]
MetricType = Literal["proportion", "mean", "count", "ratio", "ordinal", "top_box", "nps", "quantile"]
SchemaVersion = Annotated[Literal[1], BeforeValidator(read_integer)]
OneOrMany = Annotated[tuple[Text, ...], BeforeValidator(lambda v: v if isinstance(v, list | tuple) else [v])]


class Part(BaseModel):
    """Any block of a plan: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(Part):
    """How to read one column: its type, a map of its values (null means missing), its unit; or how to compute it."""

    type: Literal["text", "number", "integer", "boolean", "date", "datetime"] | None = None
    map: dict[Level, Free] | None = None
    formula: Text | None = None
    unit: Text | None = None
    allow_negative: Flag = True


class Csv(Part):
    """The dialect of a CSV source."""

    delimiter: Sign = ","
    decimal: Literal[".", ","] = "."
    encoding: Text = "utf-8"


class Freshness(Part):
    """How old the data may be when they are read, and what it means where they are older."""

    max_age: Days
    on_breach: Literal["fail", "warn"] = "warn"


class Data(Part):
    """Where the rows are, and what each of them is."""

    source: Text
    table: Text | None = None
    unit: Text | None = None
    randomization_unit: Text | None = None
    cluster: OneOrMany = ()
    weight: Text | None = None
    time_zero: Text | None = None
    observed_until: Text | None = None
    columns: dict[Label, Column] = Field(default_factory=dict)
    csv: Csv = Csv()
    filter: Text | None = None
    events: Events | None = None
    freshness: Freshness | None = None

    @property
    def from_events(self) -> tuple[str, ...]:
        """The columns that are made of events."""
        return () if self.events is None else tuple(self.events.columns)

    @property
    def formulas(self) -> dict[str, str]:
        """The computed columns by name."""
        return {name: column.formula for name, column in self.columns.items() if column.formula is not None}


class Magnitude(Part):
    """A size, absolute or relative, always positive: the metric's direction gives the sign."""

    absolute: Positive | None = None
    relative: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> "Magnitude":
        if (self.absolute is None) == (self.relative is None):
            raise ValueError("a size is either absolute or relative; write one of them, such as {absolute: 0.01}")
        return self


class Window(Part):
    """From when to when after time zero the outcome is observed, in days."""

    start: Days = 0
    end: Days


def _read_per_unit(value: object) -> float | str:
    try:
        return read_number(value)
    except ValueError:
        return read_text(value)


class Money(Part):
    """What one unit of the metric is worth: a number, or a name of `configs/value.yaml`."""

    per_unit: Annotated[float | str, BeforeValidator(_read_per_unit)]


class Metric(Part):
    """What is measured, which way is good, and how sure we must be."""

    name: Slug
    type: MetricType
    desired_direction: Direction
    column: Text | None = None
    numerator: Text | None = None
    denominator: Text | None = None
    at_least: Number | None = None
    q: Probability | None = None
    response: Text | None = None
    covariate: Text | None = None
    outliers: Literal["none", "winsorize"] | None = None
    window: Window | None = None
    money: Money | None = None
    mde: Magnitude | None = None
    margin: Magnitude | None = None
    label: Text | None = None
    version: Integer | None = None
    owner: Text | None = None

    @property
    def title(self) -> str:
        """The label where there is one, else the name."""
        return self.label or self.name

    @property
    def sign(self) -> int:
        """+1 where more is better, −1 where less is."""
        return 1 if self.desired_direction == "increase" else -1

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcome's columns (not the response indicator, not the covariate)."""
        return tuple(name for name in (self.column, self.numerator, self.denominator) if name is not None)


class Metrics(Part):
    """The metrics by their role in the decision."""

    success: tuple[Metric, ...] = Field(min_length=1)
    guardrails: tuple[Metric, ...] = ()
    secondary: tuple[Metric, ...] = ()
    exploratory: tuple[Metric, ...] = ()

    def with_roles(self) -> Iterator[tuple[Literal["success", "guardrail", "secondary", "exploratory"], Metric]]:
        """Yield (role, metric) in the order of the plan."""
        yield from (("success", metric) for metric in self.success)
        yield from (("guardrail", metric) for metric in self.guardrails)
        yield from (("secondary", metric) for metric in self.secondary)
        yield from (("exploratory", metric) for metric in self.exploratory)


class Horizon(Part):
    """When the plan may be read for good: on a date, or at a number of units."""

    date: Date | None = None
    units: Count | None = None


class Analysis(Part):
    """How the numbers are read."""

    alpha: Probability = 0.05
    power: Probability = 0.8
    multiplicity: Literal["holm", "none"] = "holm"
    effect_scale: Annotated[tuple[Literal["absolute", "relative"], ...], Field(min_length=1)] = ("absolute", "relative")
    outliers: Literal["none", "winsorize"] = "none"
    seed: Count = 1
    peeking: Literal["fixed_horizon", "group_sequential", "always_valid"] = "fixed_horizon"
    horizon: Horizon | None = None
    looks: tuple[Date, ...] = ()

    @property
    def look_dates(self) -> tuple[str, ...]:
        """The readings of a group-sequential plan: its looks, and its horizon's date where that is later."""
        last = self.horizon.date if self.horizon is not None else None
        planned = (*self.looks, *(() if last is None else (last,)))
        return tuple(dict.fromkeys(planned)) if self.peeking == "group_sequential" else ()


class EstimandChoice(Part):
    """Which effect is asked for; the design's default otherwise."""

    contrast: Literal["itt", "ate", "att", "ato", "late"] | None = None


class Nuisance(Part):
    """The learners behind cross-fitted scores."""

    outcome: Text | None = None
    propensity: Text | None = None


class Estimation(Part):
    """What we compute, apart from what happened."""

    method: Text = "default"
    also: tuple[Text, ...] = ()
    folds: Annotated[Count, Field(ge=2)] = 5
    repeats: Annotated[Count, Field(ge=1)] = 3
    nuisance: Nuisance = Nuisance()


class Policy(Part):
    """Whom to contact: who may be, with how much, and what is done today."""

    current_rule: Text | None = None
    budget: Positive | None = None
    eligible: Text | None = None
    protected: tuple[Text, ...] = ()


class Value(Part):
    """The roll-out that the money is told for."""

    population: Annotated[Count, Field(ge=1)] | None = None
    fixed_cost: NonNegative = 0.0
    approved_by: Text | None = None


class Worth(Part):
    """One assumption about money: what a unit is worth at best, centrally and at worst."""

    low: Number
    central: Number
    high: Number
    basis: Text | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Worth":
        if not self.low <= self.central <= self.high:
            raise ValueError("low, central and high are not in this order; write the smallest first")
        return self


class ValueModel(BaseModel):
    """`configs/value.yaml` as copied into the resolved plan; `worth` holds the named assumptions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Text
    approved_by: Text | None = None
    approved_on: Date | None = None
    discount_rate_annual: Fractional = 0.0
    annualize: Flag = False
    worth: dict[str, Worth] = Field(default_factory=dict)
    example: Flag = False


class Worthwhile(Magnitude):
    """The smallest effect worth acting on, for one metric."""

    metric: Slug


class Decision(Part):
    """What will be done at each verdict, written before the data."""

    minimum_worthwhile_effect: Worthwhile | None = None
    actions: dict[Literal["ship", "ship_with_monitoring", "pilot", "hold", "stop", "no_decision"], Text] = Field(
        default_factory=dict
    )


class Reruns(Part):
    """What a run keeps for its reruns."""

    keep_units: Flag = True
    keep_days: Count = 400
    max_units: Count = 1_000_000


class ExperimentSpec(Part):
    """One experiment, resolved: every default is filled in, and every library metric is written out.

    `value_model` and `currency` are copied from the configuration; a plan can't set them.
    """

    schema_version: SchemaVersion
    id: Slug
    question: Text
    owner: Text
    approvers: tuple[Text, ...] = ()
    title: Text | None = None
    hypothesis: Text | None = None
    tags: tuple[Text, ...] = ()
    protocol: Slug | None = None
    retrospective: Flag = False
    data: Data
    design: Design
    covariates: tuple[Text, ...] = ()
    effect_modifiers: tuple[Text, ...] = ()
    segments: tuple[Text, ...] = ()
    metrics: Metrics
    analysis: Analysis = Analysis()
    estimand: EstimandChoice = EstimandChoice()
    estimation: Estimation = Estimation()
    checks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    policy: Policy = Policy()
    value: Value = Value()
    decision: Decision = Decision()
    reruns: Reruns = Reruns()
    value_model: ValueModel | None = None
    currency: Text = "EUR"

    @property
    def control(self) -> str:
        """The control arm's name."""
        return self.design.treatment.control

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm, the control first and then in the plan's order."""
        return (self.control, *self.treated_arms)

    @property
    def treated_arms(self) -> tuple[str, ...]:
        """Every arm but the control, in the plan's order."""
        return tuple(name for name in self.design.treatment.arms if name != self.control)

    @property
    def shares(self) -> dict[str, Fraction] | None:
        """The planned share of every arm, or None where the plan has none."""
        arms = self.design.treatment.arms
        planned = {name: Fraction(arm.share) for name, arm in arms.items() if arm.share is not None}
        return planned if len(planned) == len(self.arms) else None

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs of a ramp-up, each with its own shares (`shares` is None then); empty where they never change."""
        return (self.design.epochs or ()) if isinstance(self.design, Randomized) else ()

    @property
    def randomization_unit(self) -> str | None:
        """The column whose values were randomised; None where every row is its own unit."""
        return self.data.randomization_unit or self.data.unit

    @property
    def clusters(self) -> tuple[str, ...]:
        """The columns whose values share a fate; empty where units are independent.

        Where the plan lets a unit stand in several rows, the unit itself is one.
        """
        names = self.data.cluster or tuple(name for name in (self.data.randomization_unit,) if name is not None)
        others = tuple(name for name in names if name != self.data.unit)
        return others if others or self.data.unit is None or not self.repeats_allowed else (self.data.unit,)

    def judged_relatively(self, metric: Metric) -> bool:
        """Whether the verdict reads a metric's relative effect: its margin or worthwhile effect is a fraction."""
        worthwhile = self.decision.minimum_worthwhile_effect
        least = worthwhile if worthwhile is not None and worthwhile.metric == metric.name else None
        return any(size is not None and size.relative is not None for size in (metric.margin, least))

    @property
    def repeats_allowed(self) -> bool:
        """Whether a unit in several rows is no error: `checks.duplicates.on_breach` is not `fail`."""
        return bool(self.checks.get("duplicates", {}).get("on_breach", "fail") != "fail")
