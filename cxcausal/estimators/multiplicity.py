"""Several questions at once: Holm over the confirmatory family, Benjamini–Hochberg within each metric's segments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cxcausal.core.protocols import Comparison
from cxcausal.core.results import Estimate
from cxcausal.stats.multiplicity import Adjusted, benjamini_hochberg, holm

if TYPE_CHECKING:
    from cxcausal.core.spec.models import Analysis

_Key = tuple[str, str, str, str, str]
_Family = tuple[list[_Key], Adjusted]


def apply_multiplicity(comparisons: Sequence[Comparison], analysis: "Analysis") -> tuple[Estimate, ...]:
    """Return every row, in order, at the level that its family's rule gives it, with its adjusted p-value.

    Success metrics × arms against control (over everybody, absolute) are one family under Holm; a row of it that
    could not be computed still counts. A metric's segment rows are a family under Benjamini–Hochberg with intervals
    that keep the false coverage rate. A relative row follows its absolute row. All else stands at `alpha`,
    unadjusted: guardrails (an AND of one-sided tests), secondary and exploratory metrics, and further contrasts.

    Args:
        comparisons: of all metrics.
        analysis: `alpha`, and `multiplicity` (holm, or none: nothing is adjusted).
    """
    rows = [comparison.at(analysis.alpha) for comparison in comparisons]
    if analysis.multiplicity == "none":
        return tuple(rows)
    found = {
        key: (p, alpha)
        for keys, adjusted in _families(comparisons, rows, analysis.alpha)
        for key, p, alpha in zip(keys, adjusted.p, adjusted.alpha, strict=True)
    }
    return tuple(_told(comparison, row, found) for comparison, row in zip(comparisons, rows, strict=True))


def _families(comparisons: Sequence[Comparison], rows: Sequence[Estimate], alpha: float) -> Iterator[_Family]:
    absolute = [(comparison, row) for comparison, row in zip(comparisons, rows, strict=True) if row.scale == "absolute"]
    yield from _family([row for comparison, row in absolute if comparison.confirmatory], holm, alpha)
    by_metric: dict[tuple[str, str], list[Estimate]] = {}
    for _, row in absolute:
        if row.population != "all" and row.status == "ok":
            by_metric.setdefault((row.role, row.metric), []).append(row)
    for members in by_metric.values():
        yield from _family(members, benjamini_hochberg, alpha)


def _family(
    members: Sequence[Estimate], rule: Callable[[Sequence[float], float], Adjusted], alpha: float
) -> Iterator[_Family]:
    if members:
        yield [_key(row) for row in members], rule([1.0 if row.p is None else row.p for row in members], alpha)


def _key(row: Estimate) -> _Key:
    return row.role, row.metric, row.arm, row.control, row.population


def _told(comparison: Comparison, row: Estimate, found: dict[_Key, tuple[float, float]]) -> Estimate:
    if row.status != "ok" or _key(row) not in found:
        return row
    p_adjusted, alpha = found[_key(row)]
    again = comparison.at(alpha)
    return replace(again, p_adjusted=p_adjusted) if again.status == "ok" else again
