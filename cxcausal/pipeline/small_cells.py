"""Effects in groups of so few customers that telling them might tell about one of them: they are not told."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from cxcausal.core.answers import Counts
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CountQuery
from cxcausal.core.results import Estimate
from cxcausal.core.small_cells import SMALLEST_CELL, is_small
from cxcausal.core.spec.models import ExperimentSpec

RARE = f"a value of fewer than {SMALLEST_CELL} customers"
"""What stands in place of the names of such values: one that few share may say who they are."""
REASON = f"fewer than {SMALLEST_CELL} customers stand behind it"
_SIDES = (("n_treated", "mean_treated"), ("n_control", "mean_control"))
_NUMBERS = ("point", "low", "high", "se", "p", "p_adjusted", "df", "set_low", "set_high", "look_level")


def level_queries(spec: ExperimentSpec) -> tuple[CountQuery, ...]:
    """Return one count per segment: of the units of every level."""
    return tuple(_level_query(segment) for segment in spec.segments)


def without_rare_names(spec: ExperimentSpec, effects: Iterable[Estimate], answers: Answers) -> tuple[Estimate, ...]:
    """Return the rows with those of levels of one to nine customers in all as one, which names none of them.

    Args:
        spec: with the segments.
        effects: all rows of a result.
        answers: to `level_queries`.
    """
    rare = {f"{segment}={level}": segment for segment in spec.segments for level in _rare(segment, answers)}
    told: dict[tuple[Any, ...], Estimate] = {}
    for place, row in enumerate(effects):
        if row.population in rare:
            named = replace(_untold(row), population=f"{rare[row.population]}={RARE}")
            told.setdefault((named.population, *_same(named)), named)
        else:
            told[place,] = row
    return tuple(told.values())


def _level_query(segment: str) -> CountQuery:
    return CountQuery(by=(segment,))


def _rare(segment: str, answers: Answers) -> list[str]:
    units: Counter[str] = Counter()
    for (_, (level,)), found in cast("Counts", answers[_level_query(segment)]).items():
        units[level] += found
    return [level for level, found in units.items() if is_small(found)]


def without_small_cells(effects: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Return the rows without what was computed in a segment from one to nine customers of an arm.

    Estimators leave such cells out themselves; none that doesn't gets past here. Where one level of a segment alone is
    not told, its count is what the others leave of the whole. So where that is one to nine, the count and mean of the
    smallest level that is told are left out beside it; its effect and interval stay.

    Args:
        effects: all rows of a result; those on everybody stay as they are, as the gates look after arms.
    """
    rows = tuple(effects)
    whole = {_same(row): row for row in rows if row.population == "all"}
    hidden: dict[int, Estimate] = {}
    for group in _groups(rows):
        for count, mean in _SIDES:
            small = [at for at in group if is_small(getattr(rows[at], count))]
            hidden.update({at: _untold(rows[at]) for at in small})
            told = sorted(
                (at for at in group if _n(rows[at], count) and at not in small), key=lambda at: _n(rows[at], count)
            )
            everybody = whole.get(_same(rows[group[0]]))
            left = None if everybody is None else _n(everybody, count) - sum(_n(rows[at], count) for at in told)
            if told and len(group) == len(told) + 1 and (small or is_small(left)):
                nothing: dict[str, Any] = {count: None, mean: None}
                hidden[told[0]] = replace(hidden.get(told[0], rows[told[0]]), **nothing)
    return tuple(hidden.get(at, row) for at, row in enumerate(rows))


def _groups(rows: tuple[Estimate, ...]) -> Iterable[list[int]]:
    """Return the places of rows that differ in the level of one segment only."""
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        segment, parted, _ = row.population.partition("=")
        if parted:
            groups[(segment, *_same(row))].append(at)
    return groups.values()


def _same(row: Estimate) -> tuple[Any, ...]:
    """Return what rows have in common that differ in their population only."""
    made = (row.method, row.adjustment, row.trimming, row.estimand, row.companion)
    return (row.metric, row.arm, row.control, row.scale, *made)


def _untold(row: Estimate) -> Estimate:
    """Return a row that says only why it has no numbers."""
    nothing: dict[str, Any] = dict.fromkeys((*_NUMBERS, *(name for side in _SIDES for name in side)))
    return replace(row, **nothing, status="not_computed", reason=REASON)


def _n(row: Estimate, name: str) -> int:
    return int(getattr(row, name) or 0)
