"""A measure's values per unit, as parts whose outcomes are learned one by one."""

from dataclasses import dataclass

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats, Rows

_PROMOTER, _PASSIVE, _POINTS = 9, 7, 100.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """One learned outcome: its name (for seeds), its values of shape (n,), and its coefficient per arm."""

    name: str
    y: Floats
    coefficients: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Values:
    """A measure as a sum of parts, plus a constant per arm.

    Attributes:
        parts: what is summed. constants: by place of the arm.
        seen: which units have a value, shape (n,).
    """

    parts: tuple[Part, ...]
    constants: tuple[float, ...]
    seen: Flags

    def of(self, place: int) -> Floats:
        """Return the values that units of one arm have, shape (n,); those without one are of no meaning."""
        total = np.full(len(self.seen), self.constants[place])
        for part in self.parts:
            if part.coefficients[place]:
                total += part.coefficients[place] * np.where(self.seen, part.y, 0.0)
        return total


def values_of(rows: Rows, measure: Measure) -> Values:
    """Return a measure's numerator."""
    seen = _seen(rows, measure)
    by_arm = {arm: dict(terms) for arm, terms in measure.arm_terms}
    constants = dict(measure.arm_constant)
    columns = dict.fromkeys((*(name for name, _ in measure.terms), *(n for t in by_arm.values() for n in t)))
    common = dict(measure.terms)
    if measure.transform != "identity":
        y = _transformed(rows, measure, seen)
        whole = np.ones(rows.n, dtype=bool) if measure.transform == "answered" else seen
        name = f"{'+'.join(columns)}:{measure.transform}:{measure.at_least}"
        part = Part(name=name, y=y, coefficients=(1.0,) * len(rows.arms))
        return Values(parts=(part,), constants=(0.0,) * len(rows.arms), seen=whole)
    parts = tuple(
        Part(
            name=column,
            y=rows.numbers[column],
            coefficients=tuple(common.get(column, 0.0) + by_arm.get(arm, {}).get(column, 0.0) for arm in rows.arms),
        )
        for column in columns
    )
    told = tuple(measure.constant + constants.get(arm, 0.0) for arm in rows.arms)
    return Values(parts=parts, constants=told, seen=seen)


def denominator_of(rows: Rows, measure: Measure) -> Values | None:
    """Return the denominator of a ratio over the units that have both; None where the measure is no ratio."""
    if measure.denominator is None:
        return None
    part = Part(name=measure.denominator, y=rows.numbers[measure.denominator], coefficients=(1.0,) * len(rows.arms))
    return Values(parts=(part,), constants=(0.0,) * len(rows.arms), seen=_seen(rows, measure))


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Return the numbers that a measure needs, each once."""
    own = (name for name, _ in measure.terms)
    armed = (name for _, terms in measure.arm_terms for name, _ in terms)
    more = (name for name in (measure.denominator, measure.response) if name is not None)
    return tuple(dict.fromkeys((*own, *armed, *more)))


def _seen(rows: Rows, measure: Measure) -> Flags:
    seen = np.ones(rows.n, dtype=bool)
    needed = [name for name in columns_of(measure) if name != measure.response]
    for name in needed:
        seen &= ~np.isnan(rows.numbers[name])
    if measure.response is not None:
        seen &= rows.numbers[measure.response] == 1
    return seen


def _transformed(rows: Rows, measure: Measure, seen: Flags) -> Floats:
    value = np.full(rows.n, measure.constant)
    for name, coefficient in measure.terms:
        value += coefficient * np.where(seen, rows.numbers[name], 0.0)
    if measure.transform == "top_box":
        return np.where(value >= float(measure.at_least or 0.0), 1.0, 0.0)
    if measure.transform == "nps":
        return np.select([value >= _PROMOTER, value >= _PASSIVE], [_POINTS, 0.0], -_POINTS)
    if measure.transform == "answered":
        return np.where(seen, 1.0, 0.0)
    return np.where(value != 0, 1.0, 0.0)
