"""Capped columns beside the plan's own: exact percentiles over all arms, found once when the data are opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import ibis

from cxcausal.core.answers import Cap
from cxcausal.core.measures import values_of, winsorized, winsorized_metrics
from cxcausal.core.queries import CapQuery
from cxcausal.core.ranks import quantile_rank
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.data.engine import Engine, Value
from cxcausal.data.subjects import components_of
from cxcausal.data.units import Bounds, Units

PERCENTILE = Fraction(999, 1000)
"""Values above this quantile count as it; where there are negative values, so do those below its mirror image."""


@dataclass(frozen=True, kw_only=True)
class _Capped:
    """A derived column: its name, its values per unit, their bounds, and where they are cut."""

    name: str
    value: Value
    bounds: Bounds
    cap: Cap


def with_caps(engine: Engine, units: Units, spec: ExperimentSpec) -> Units:
    """Return the units with one capped number per metric that the plan wants winsorised.

    The caps are the exact 99.9th percentile of the metric's values over all arms' analysed units, and where some are
    negative also the .1th: the same for every arm, so that no arm's own outliers decide where it is cut.
    """
    made = [_capped(engine, units, metric) for metric in winsorized_metrics(spec)]
    if not made:
        return units
    table = units.table.mutate(**{f"number:{one.name}": one.value for one in made})
    numbers: Mapping[str, Bounds] = {**units.numbers, **{one.name: one.bounds for one in made}}
    asked = zip(winsorized_metrics(spec), made, strict=True)
    return replace(units, table=table, numbers=numbers, caps={metric.name: one.cap for metric, one in asked})


def _capped(engine: Engine, units: Units, metric: Metric) -> _Capped:
    derived = winsorized(metric)
    source, name = (metric.numerator, derived.numerator) if metric.type == "ratio" else (metric.column, derived.column)
    cap, column = _cap(engine, units, metric), units.table[f"number:{source}"]
    bounds = units.numbers[str(source)]
    if cap.high is None:
        return _Capped(name=str(name), value=column, bounds=bounds, cap=cap)
    # Without negative values among those that count, a floor of zero only keeps the others within the bounds.
    floor = 0.0 if cap.low is None else cap.low
    value = ibis.cases(
        (column > cap.high, ibis.literal(cap.high, "float64")),
        (column < floor, ibis.literal(floor, "float64")),
        else_=column,
    )
    bounds = replace(bounds, largest=max(abs(cap.high), abs(floor)))
    return _Capped(name=str(name), value=value, bounds=bounds, cap=cap)


def caps(_: Engine, units: Units, queries: Sequence[CapQuery]) -> Mapping[CapQuery, Cap]:
    """Answer every query; a metric that is not capped has an empty cap."""
    return {query: units.caps.get(query.metric, Cap()) for query in queries}


def _cap(engine: Engine, units: Units, metric: Metric) -> Cap:
    table = units.table.filter(units.table.mature)
    value = components_of(values_of(metric), table, units.numbers)[0].value
    rows = table.select(y=value)
    rows = rows.filter(rows.y.notnull())
    n, smallest = engine.fetch(rows.aggregate(n=rows.y.count(), low=rows.y.min()))[0]
    if not n:
        return Cap()
    above = n - quantile_rank(n, float(PERCENTILE))
    high = engine.fetch(rows.order_by(ibis.desc("y")).limit(1, offset=above))[0][0]
    if smallest >= 0:
        return Cap(high=high)
    return Cap(low=engine.fetch(rows.order_by("y").limit(1, offset=above))[0][0], high=high)
