"""What is summed per unit: a measure, a covariate or a pair of both, as expressions with known bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add, and_
from typing import Literal

import ibis

from cxcausal.core.measure import Measure
from cxcausal.core.queries import CorrelationQuery, CovariateQuery
from cxcausal.data.engine import Table, Value
from cxcausal.data.exact import Grid, grid_for
from cxcausal.data.units import Bounds

Terms = tuple[tuple[str, float], ...]
Subject = Measure | CovariateQuery | CorrelationQuery
"""A covariate's own query stands for its column; a correlation's for the pair (column, measure)."""

_NPS_LOW, _NPS_HIGH = 6, 8


@dataclass(frozen=True, kw_only=True)
class Component:
    """One number per unit, and the largest absolute value that it can have."""

    value: Value
    largest: float
    whole: bool

    def grid(self, added: int = 1) -> Grid:
        """Return the grid on which sums of `added` units fit a word."""
        return grid_for(self.largest, whole=self.whole, added=added)


def components_of(subject: Subject, table: Table, numbers: Mapping[str, Bounds]) -> tuple[Component, ...]:
    """Return the components of a subject; all of them are null for a unit that doesn't count.

    A ratio has numerator and denominator, a weighted mean the weighted value and the weight.
    """
    if isinstance(subject, CovariateQuery):
        return (_column(subject.column, table, numbers),)
    if isinstance(subject, CorrelationQuery):
        return _counted(
            (_column(subject.column, table, numbers), _value(subject.measure, table, numbers)), subject.measure, table
        )
    parts = [_value(subject, table, numbers)]
    if subject.denominator is not None:
        parts.append(_column(subject.denominator, table, numbers))
    if subject.transform == "per_nonzero":
        parts.append(_nonzero(parts[0]))
    if subject.weight is not None:
        weight = _column(subject.weight, table, numbers)
        one = Component(value=ibis.literal(1.0), largest=1.0, whole=True)
        parts = [_times(part, weight) for part in (parts if len(parts) > 1 else [*parts, one])]
    return _counted(tuple(parts), subject, table)


def columns_of(subject: Subject) -> tuple[str, ...]:
    """Return the columns of the data that a subject reads."""
    if isinstance(subject, CovariateQuery):
        return (subject.column,)
    if isinstance(subject, CorrelationQuery):
        return (subject.column, *columns_of(subject.measure))
    own = (name for _, terms in subject.arm_terms for name, _ in terms)
    single = (subject.denominator, subject.response, subject.weight)
    return (*(name for name, _ in subject.terms), *own, *(name for name in single if name is not None))


def inclusion_of(measure: Measure, numbers: Mapping[str, Bounds]) -> frozenset[tuple[str, str]]:
    """Return what makes a unit count: measures with equal conditions have the same units.

    Conditions are pairs of a role and a column, and only columns with missing values can be one.
    """
    if measure.transform == "answered":
        weight = measure.weight
        return frozenset((("present", weight),) if weight is not None and not numbers[weight].complete else ())
    common = (*(name for name, _ in measure.terms), measure.denominator, measure.weight)
    asked = [("present", name) for name in common if name is not None]
    asked += [(f"arm {arm}", name) for arm, terms in measure.arm_terms for name, _ in terms]
    response = () if measure.response is None else (("response", measure.response),)
    return frozenset((*(pair for pair in asked if not numbers[pair[1]].complete), *response))


def always_counts(subject: Subject, numbers: Mapping[str, Bounds]) -> bool:
    """Tell whether every unit counts, so that nothing has to be counted apart from the units."""
    if isinstance(subject, CovariateQuery):
        return numbers[subject.column].complete
    if isinstance(subject, CorrelationQuery):
        return numbers[subject.column].complete and not inclusion_of(subject.measure, numbers)
    return not inclusion_of(subject, numbers)


def _counted(parts: tuple[Component, ...], measure: Measure, table: Table) -> tuple[Component, ...]:
    """Return the parts, null wherever one of them is, or where the unit did not respond."""
    conditions = [part.value.notnull() for part in parts] if len(parts) > 1 else []
    if measure.response is not None and measure.transform != "answered":
        conditions.append(table[f"number:{measure.response}"] == 1)
    if not conditions:
        return parts
    counts = reduce(and_, conditions)
    return tuple(
        Component(value=ibis.ifelse(counts, part.value, None), largest=part.largest, whole=part.whole) for part in parts
    )


def _column(name: str, table: Table, numbers: Mapping[str, Bounds]) -> Component:
    bounds = numbers[name]
    return Component(value=table[f"number:{name}"], largest=bounds.largest, whole=bounds.whole)


def _times(part: Component, weight: Component) -> Component:
    return Component(
        value=part.value * weight.value, largest=part.largest * weight.largest, whole=part.whole and weight.whole
    )


def _value(measure: Measure, table: Table, numbers: Mapping[str, Bounds]) -> Component:
    """Return the numerator: the sum of its terms, then its transform."""
    summed = _summed(measure, table, numbers)
    if measure.transform == "answered":
        return _answered(summed, measure, table)
    if measure.transform == "nps":
        return _nps(summed)
    if measure.transform == "nonzero":
        return _nonzero(summed)
    return _top_box(summed, measure) if measure.transform == "top_box" else summed


def _answered(part: Component, measure: Measure, table: Table) -> Component:
    """Return 1 where the value is known and the response says so, else 0, and never null."""
    conditions = [part.value.notnull()]
    if measure.response is not None:
        conditions.append((table[f"number:{measure.response}"] == 1).fill_null(False))
    return Component(value=reduce(and_, conditions).cast("float64"), largest=1.0, whole=True)


def _nonzero(part: Component) -> Component:
    return Component(value=(part.value != 0).cast("float64"), largest=1.0, whole=True)


def _nps(part: Component) -> Component:
    score = ibis.cases((part.value <= _NPS_LOW, -100), (part.value <= _NPS_HIGH, 0), (part.value.notnull(), 100))
    return Component(value=score.cast("float64"), largest=100.0, whole=True)


def _top_box(part: Component, measure: Measure) -> Component:
    reached = (part.value >= measure.at_least).cast("float64")
    return Component(value=reached, largest=1.0, whole=True)


def _summed(measure: Measure, table: Table, numbers: Mapping[str, Bounds]) -> Component:
    common = _linear(measure.terms, measure.constant, table, numbers)
    arms = dict.fromkeys(name for name, _ in (*measure.arm_terms, *measure.arm_constant))
    if not arms:
        return common
    terms, constants = dict(measure.arm_terms), dict(measure.arm_constant)
    extra = {arm: _linear(terms.get(arm, ()), constants.get(arm, 0.0), table, numbers) for arm in arms}
    value = ibis.cases(*[(table.arm == arm, part.value) for arm, part in extra.items()], else_=0.0)
    return Component(
        value=common.value + value,
        largest=common.largest + max(part.largest for part in extra.values()),
        whole=common.whole and all(part.whole for part in extra.values()),
    )


def _linear(terms: Terms, constant: float, table: Table, numbers: Mapping[str, Bounds]) -> Component:
    """Return constant + Σ coefficient · column, null where a column is."""
    parts = [_scaled(name, coefficient, table) for name, coefficient in terms]
    if constant or not parts:
        parts.append(ibis.literal(constant, "float64"))
    largest = abs(constant) + sum(abs(coefficient) * numbers[name].largest for name, coefficient in terms)
    whole = constant.is_integer() and all(
        float(coefficient).is_integer() and (numbers[name].whole or coefficient == 0) for name, coefficient in terms
    )
    return Component(value=reduce(add, parts), largest=largest, whole=whole)


def _scaled(name: str, coefficient: float, table: Table) -> Value:
    column = table[f"number:{name}"]
    return column if coefficient == 1 else column * ibis.literal(float(coefficient), "float64")


Population = Literal["enrolled", "analysed"]


def population_of(subject: Subject) -> Population:
    """Return over which units a subject is summed: covariates over all, outcomes over those observed long enough."""
    return "enrolled" if isinstance(subject, CovariateQuery) else "analysed"
