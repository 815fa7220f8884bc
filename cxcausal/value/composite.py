"""One amount of money per customer: outcomes times what they are worth, less what the contact cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.measure import Measure
from cxcausal.core.results import Assumption
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import listed

Level = Literal["low", "central", "high"]
LEVELS: tuple[Level, ...] = ("low", "central", "high")
_COUNTED_TYPES = {"proportion", "mean", "count"}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A metric that enters the money, with what one unit of it is worth."""

    metric: Metric
    column: str
    worth: Assumption

    def coefficient(self, level: Level) -> float:
        """Return the currency that one unit of the column adds: the direction that is good adds."""
        return self.metric.sign * per_unit(self.worth, level)


@dataclass(frozen=True, kw_only=True)
class Money:
    """Which metrics make up the composite, and sentences about those that can't."""

    bars: tuple[Bar, ...]
    notes: tuple[str, ...]


def per_unit(worth: Assumption, level: Level) -> float:
    """Return what a unit is worth at one level of the assumptions."""
    return {"low": worth.low, "central": worth.central, "high": worth.high}[level]


def money_of(spec: ExperimentSpec) -> Money | None:
    """Return what enters the money, or None where no metric of the plan has any.

    Proportions, means and counts of all customers enter; a ratio or a survey's answers have no amount per customer,
    and a column whose worth is already in would be counted twice: those are named in `notes`.

    Raises:
        PlanError: a metric names a worth that the value model doesn't have.
    """
    paid = [metric for _, metric in spec.metrics.with_roles() if metric.money is not None]
    if not paid:
        return None
    bars: dict[str, Bar] = {}
    left_out: list[tuple[str, str]] = []
    for metric in paid:
        reason = _why_not(metric, bars)
        if reason is not None:
            left_out.append((metric.title, reason))
        elif metric.column is not None:
            bars[metric.column] = Bar(metric=metric, column=metric.column, worth=_worth(spec, metric))
    notes = tuple(f"Not in the money: '{title}', because {reason}." for title, reason in left_out)
    return Money(bars=tuple(bars.values()), notes=notes)


def composite(spec: ExperimentSpec, bars: tuple[Bar, ...], level: Level) -> Measure:
    """Return the net amount per customer at one level of the assumptions.

    A customer for whom any part is unknown does not count. Costs at `assigned` are a constant of the arm, costs at
    `received` a term of the delivery column.
    """
    return Measure(
        name="net_value",
        terms=tuple((bar.column, bar.coefficient(level)) for bar in bars),
        weight=spec.data.weight,
        arm_terms=_received_costs(spec),
        arm_constant=_assigned_costs(spec),
    )


def outcome_part(spec: ExperimentSpec, bars: tuple[Bar, ...], only: Bar) -> Measure:
    """Return the amount that one metric adds at central assumptions, over the customers of the composite."""
    whole = composite(spec, bars, "central")
    return replace(
        whole,
        name=f"net_value_{only.metric.name}",
        terms=tuple((column, worth if column == only.column else 0.0) for column, worth in whole.terms),
        arm_terms=tuple((arm, tuple((column, 0.0) for column, _ in terms)) for arm, terms in whole.arm_terms),
        arm_constant=(),
    )


def cost_part(spec: ExperimentSpec, bars: tuple[Bar, ...]) -> Measure:
    """Return the cost of contact, as a negative amount, over the customers of the composite."""
    whole = composite(spec, bars, "central")
    return replace(whole, name="net_value_cost", terms=tuple((column, 0.0) for column, _ in whole.terms))


def has_costs(spec: ExperimentSpec) -> bool:
    """Tell whether any arm, the control too, costs anything."""
    return any(arm.unit_cost for arm in spec.design.treatment.arms.values())


def _why_not(metric: Metric, bars: dict[str, Bar]) -> str | None:
    if metric.type not in _COUNTED_TYPES:
        return f"a metric of type {metric.type} has no amount per customer"
    if metric.response is not None:
        return "it is known only for those who respond"
    if metric.column in bars:
        return f"its column already counts through '{bars[metric.column].metric.title}'"
    return None


def _worth(spec: ExperimentSpec, metric: Metric) -> Assumption:
    given = metric.money.per_unit if metric.money is not None else 0.0
    if not isinstance(given, str):
        basis = "a number in the plan"
        return Assumption(metric=metric.name, name="per_unit", low=given, central=given, high=given, basis=basis)
    known = spec.value_model.worth if spec.value_model is not None else {}
    if given not in known:
        raise PlanError(_unknown_worth(metric, given, tuple(known)))
    worth = known[given]
    return Assumption(
        metric=metric.name,
        name=given,
        low=worth.low,
        central=worth.central,
        high=worth.high,
        basis=worth.basis or "",
    )


def _unknown_worth(metric: Metric, given: str, known: tuple[str, ...]) -> Problem:
    choices = f"use one of {listed(known)}, or a number" if known else "write a number, or add the name there"
    return Problem(
        where=f"metric {metric.name}", code="P903", what=f"configs/value.yaml has no '{given}'", mend=choices
    )


def _received_costs(spec: ExperimentSpec) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
    received = spec.design.treatment.received
    if received is None:
        return ()
    return tuple((arm, ((received, -cost),)) for arm, cost in _costs(spec, "received"))


def _assigned_costs(spec: ExperimentSpec) -> tuple[tuple[str, float], ...]:
    """Return the constants of arms; where nobody assigned, being of an arm is to have received it."""
    received = _costs(spec, "received") if isinstance(spec.design, Observational) else ()
    return tuple((arm, -cost) for arm, cost in (*_costs(spec, "assigned"), *received))


def _costs(spec: ExperimentSpec, basis: Literal["assigned", "received"]) -> Iterator[tuple[str, float]]:
    arms = spec.design.treatment.arms.items()
    yield from ((name, arm.unit_cost) for name, arm in arms if arm.unit_cost and arm.cost_basis == basis)
