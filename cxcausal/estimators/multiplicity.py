"""Several questions at once: Holm over the confirmatory family, Benjamini–Hochberg within each metric's segments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxcausal.core.joint import Joint
from cxcausal.core.protocols import Comparison
from cxcausal.core.results import Estimate
from cxcausal.estimators.comparison import Comparison as Told
from cxcausal.stats.multiplicity import Adjusted, benjamini_hochberg, holm, max_t
from cxcausal.stats.sequential import READ_ONCE, Reading

if TYPE_CHECKING:
    from cxcausal.core.spec.models import Analysis

_Key = tuple[str, str, str, str, str]
_Family = tuple[list[Estimate], Adjusted]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """What a family's rule gives one of its members."""

    p: float
    alpha: float
    adjustment: str


def apply_multiplicity(
    comparisons: Sequence[Comparison], analysis: "Analysis", reading: Reading = READ_ONCE
) -> tuple[Estimate, ...]:
    """Return every row, in order, at the level that its family's rule gives it, with its adjusted p-value.

    Success metrics × arms against control (over everybody, absolute) are one family under Holm; a row of it that
    could not be computed still counts. A metric's segment rows are a family: where their correlation is known, with
    intervals that hold together (max t), else under Benjamini–Hochberg with intervals that keep the false coverage
    rate. Where an effect is told with and without adjustment for covariates, the family
    has the adjusted one, once; the other stands at the same level, without an adjusted p-value. A relative row
    follows its absolute row. All else stands at `alpha`, unadjusted: guardrails (an AND of one-sided tests), secondary
    and exploratory metrics, further contrasts, and companions.

    Args:
        comparisons: of all metrics.
        analysis: `alpha`, and `multiplicity` (holm, or none: nothing is adjusted).
        reading: which one of the plan's readings this is: every interval and p-value holds over all of them.
    """
    rows = [_read(comparison, analysis.alpha, reading) for comparison in comparisons]
    if analysis.multiplicity == "none":
        return tuple(rows)
    found = {
        _key(row): _Place(p=p, alpha=alpha, adjustment=row.adjustment)
        for members, adjusted in _families(comparisons, rows, analysis.alpha)
        for row, p, alpha in zip(members, adjusted.p, adjusted.alpha, strict=True)
    }
    return tuple(_told(comparison, row, found, reading) for comparison, row in zip(comparisons, rows, strict=True))


def _read(comparison: Comparison, alpha: float, reading: Reading) -> Estimate:
    """Return the row whose interval errs with probability alpha over all readings together.

    Where a row's own interval spends alpha on either side (a guardrail's), the reading is asked about both together.
    """
    once = comparison.at(alpha)
    if reading == READ_ONCE or once.level is None:
        return once
    sides = 2 if once.level < 1 - 1.5 * alpha else 1
    nominal = reading.nominal(sides * alpha)
    row = comparison.at(nominal / sides)
    if row.status != "ok":
        return row
    p = None if row.p is None else reading.honest_p(min(1.0, sides * row.p)) / sides
    return replace(row, level=once.level, p=p, look_level=1 - nominal)


def _families(comparisons: Sequence[Comparison], rows: Sequence[Estimate], alpha: float) -> Iterator[_Family]:
    pairs = zip(comparisons, rows, strict=True)
    absolute = [(comparison, row) for comparison, row in pairs if row.scale == "absolute" and not row.companion]
    yield from _family([row for comparison, row in absolute if comparison.confirmatory], holm, alpha)
    by_metric: dict[tuple[str, str], list[Estimate]] = {}
    for row in _leading([row for _, row in absolute if row.population != "all" and row.status == "ok"]):
        by_metric.setdefault((row.role, row.metric), []).append(row)
    joints = {_key(row): comparison.joint if isinstance(comparison, Told) else None for comparison, row in absolute}
    for members in by_metric.values():
        yield from _family(members, _segments_rule([joints[_key(row)] for row in members]), alpha)


def _segments_rule(joints: Sequence[Joint | None]) -> Callable[[Sequence[float], float], Adjusted]:
    """Return how a metric's segments are told together: by their joint distribution, where that is known."""
    known = [joint for joint in joints if joint is not None]
    if len(known) < len(joints) or not known:
        return benjamini_hochberg
    correlation = np.eye(len(known))
    for one, first in enumerate(known):
        for two, second in enumerate(known):
            if one != two and first.family == second.family:
                correlation[one, two] = first.correlation[first.place, second.place]
    return lambda p, alpha: max_t(p, correlation, alpha)


def _leading(rows: Sequence[Estimate]) -> Sequence[Estimate]:
    """Return one row per effect: the adjusted one, where there is one."""
    adjusted = {_key(row) for row in rows if row.adjustment == "covariates"}
    return [row for row in rows if row.adjustment == "covariates" or _key(row) not in adjusted]


def _family(
    members: Sequence[Estimate], rule: Callable[[Sequence[float], float], Adjusted], alpha: float
) -> Iterator[_Family]:
    if members:
        yield list(members), rule([1.0 if row.p is None else row.p for row in members], alpha)


def _key(row: Estimate) -> _Key:
    return row.role, row.metric, row.arm, row.control, row.population


def _told(comparison: Comparison, row: Estimate, found: dict[_Key, _Place], reading: Reading) -> Estimate:
    place = found.get(_key(row))
    if row.status != "ok" or row.companion or place is None:
        return row
    again = _read(comparison, place.alpha, reading)
    leads = again.status == "ok" and row.adjustment == place.adjustment
    return replace(again, p_adjusted=place.p) if leads else again
