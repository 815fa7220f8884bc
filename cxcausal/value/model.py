"""What each arm is worth: net value with its interval, the waterfall behind it, break-even, return and roll-out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import ArmValue, Range, ValuePart, ValueResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.sequential import READ_ONCE, Reading
from cxcausal.value.composite import (
    LEVELS,
    Bar,
    Level,
    Money,
    composite,
    cost_part,
    has_costs,
    money_of,
    outcome_part,
    per_unit,
)
from cxcausal.value.contact_cost import contact_queries, with_contact_cost
from cxcausal.value.inference import compare, difference_queries, is_constant, mean_difference, mean_queries
from cxcausal.value.population import estimand_of_money, population_notes, rolls_out, times, total_queries, with_total

COST = "contact_cost"
NOTHING_COUNTED = "none of the metrics with money has an amount per customer"
CONSTANT = "the amounts do not vary between customers"


@dataclass(frozen=True, kw_only=True)
class _Costed:
    """The waterfall of one arm, per assigned customer: its bars sum to `net`, and `cost` is positive."""

    parts: tuple[ValuePart, ...]
    net: float
    cost: float


def value_queries(spec: ExperimentSpec) -> tuple[Query, ...]:
    """Return the aggregates that the money needs; nothing where no metric carries any.

    Raises:
        PlanError: a metric names a worth that the value model doesn't have.
    """
    money = money_of(spec)
    return () if money is None or not money.bars else tuple(dict.fromkeys(_queries(spec, money.bars)))


def value_of(spec: ExperimentSpec, answers: Answers, reading: Reading = READ_ONCE) -> ValueResult | None:
    """Return what each arm is worth against the control, or None where no metric of the plan carries money.

    The net value is the difference in means of one composite per customer, so that no euro counts twice and its
    interval is that of a mean, at level 1 - alpha: Welch's with HC2, or CR2 where units share a fate; where nobody
    tossed a coin it is the composite's adjusted effect on the plan's target population. It is told for the measured
    period and the customers of the test; nothing is annualised. The roll-out carries the central value to as many
    customers as the plan's population and the arm's capacity allow, less the one-off cost.

    Args:
        spec: the resolved plan.
        answers: at least the answers to `value_queries(spec)`.
        reading: which one of the plan's readings this is: the interval holds over all of them.

    Raises:
        PlanError: a metric names a worth that the value model doesn't have.
    """
    money = money_of(spec)
    if money is None:
        return None
    model, level = spec.value_model, 1 - reading.nominal(spec.analysis.alpha)
    return ValueResult(
        currency=spec.currency,
        level=1 - spec.analysis.alpha,
        approved_by=spec.value.approved_by or (model.approved_by if model is not None else None),
        approved_on=model.approved_on if model is not None else None,
        example_assumptions=model is not None and model.example,
        assumptions=tuple(bar.worth for bar in money.bars),
        arms=tuple(_arm_value(spec, money, arm, answers, level) for arm in spec.treated_arms),
        notes=(*money.notes, *population_notes(spec)),
    )


def _queries(spec: ExperimentSpec, bars: tuple[Bar, ...]) -> Iterator[Query]:
    for level in LEVELS:
        yield from difference_queries(spec, composite(spec, bars, level))
    for bar in bars:
        yield from mean_queries(spec, outcome_part(spec, bars, bar))
    if has_costs(spec):
        yield from mean_queries(spec, cost_part(spec, bars))
    yield from contact_queries(spec, bars)
    yield from total_queries(spec)


def _arm_value(spec: ExperimentSpec, money: Money, arm: str, answers: Answers, level: float) -> ArmValue:
    nothing = ArmValue(arm=arm, control=spec.control, status="not_computed", reason=NOTHING_COUNTED)
    if not money.bars:
        return nothing
    central = compare(spec, composite(spec, money.bars, "central"), arm, answers)
    reason = central.reason or (CONSTANT if is_constant(central.difference) else None)
    if reason is not None:
        return replace(nothing, n_treated=central.n_treated, reason=reason)
    costed = _costed(spec, money.bars, arm, answers)
    found = {name: _net(composite(spec, money.bars, name), spec, arm, answers, level) for name in LEVELS}
    per_customer = _per_customer(spec, money.bars, found, costed.net)
    value = ArmValue(
        arm=arm,
        control=spec.control,
        n_treated=central.n_treated,
        estimand=estimand_of_money(spec),
        net_per_customer=per_customer,
        parts=costed.parts,
        cost_per_customer=costed.cost,
        roi=costed.net / costed.cost if costed.cost > 0 else None,
        break_even_metric=money.bars[0].metric.name,
        break_even=_break_even(money.bars[0], costed),
        net_se=central.difference.se if central.difference is not None else None,
    )
    value = with_total(spec, value, answers)
    return _rolled_out(spec, with_contact_cost(spec, money.bars, value, answers))


def _costed(spec: ExperimentSpec, bars: tuple[Bar, ...], arm: str, answers: Answers) -> _Costed:
    whole = composite(spec, bars, "central")
    parts = [
        ValuePart(
            name=bar.metric.name,
            label=bar.metric.title,
            per_customer=mean_difference(spec, outcome_part(spec, bars, bar), arm, answers, whole=whole),
        )
        for bar in bars
    ]
    cost = 0.0
    if has_costs(spec):
        cost = -mean_difference(spec, cost_part(spec, bars), arm, answers, whole=whole)
        parts.append(ValuePart(name=COST, label="Contact cost", per_customer=-cost))
    return _Costed(parts=tuple(parts), net=sum(part.per_customer for part in parts), cost=cost)


def _per_customer(
    spec: ExperimentSpec, bars: tuple[Bar, ...], found: dict[Level, Range], net: float
) -> dict[str, Range]:
    """Return the net value at every level; where the assumptions are those of central, it is the bars' sum."""
    central = composite(spec, bars, "central")
    same = {name for name in LEVELS if composite(spec, bars, name) == central}
    return {name: replace(told, point=net) if name in same else told for name, told in found.items()}


def _net(measure: Measure, spec: ExperimentSpec, arm: str, answers: Answers, level: float) -> Range:
    """Return the net value per customer, with its interval at a confidence level."""
    difference = compare(spec, measure, arm, answers).difference
    assert difference is not None  # noqa: S101 - the same customers count at every level, and central has one
    limits = difference.interval(level)
    return Range(point=difference.point, low=limits.low, high=limits.high)


def _break_even(lead: Bar, costed: _Costed) -> float | None:
    """Return the effect on the leading metric, as a benefit in its unit, at which net value is zero.

    It is below zero where the other parts pay on their own; None where a unit of the metric is worth nothing.
    """
    worth = per_unit(lead.worth, "central")
    return (costed.parts[0].per_customer - costed.net) / worth if worth else None


def _rolled_out(spec: ExperimentSpec, value: ArmValue) -> ArmValue:
    """Return the arm with its roll-out: the central net value of as many customers as population and capacity allow."""
    population, capacity = spec.value.population, spec.design.treatment.arms[value.arm].capacity
    if population is None or not rolls_out(spec):
        return value
    limited = capacity is not None and capacity < population
    customers = capacity if limited and capacity is not None else population
    return replace(
        value,
        rollout=times(value.net_per_customer["central"], customers, less=spec.value.fixed_cost),
        rollout_customers=customers,
        rollout_limited=limited,
    )
