"""Data that are not those of the earlier run any more: what a rerun refuses until somebody accepts it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cxcausal.core.errors import DataError, PlanError, Problem

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.movements import Between, UnitChanges

MOST_RESTATED = 1 / 3
"""Above this share of recorded values that changed, a column is another column."""
LARGEST_RATIO = 20.0
"""Between the means of two groups of customers; beyond it a column is in another unit."""
_FEWEST = 30
_MEND = "correct it at its source, or say why it is right with --accept-changes REASON, which goes into the ledger"


def refuse_strange(both: "Between", changes: "UnitChanges", restated: Mapping[str, float]) -> None:
    """Raise where columns changed so much that the numbers of two runs are not about one thing.

    Raises:
        DataError: with every such column.
    """
    found = (*_restated(changes, restated), *_rescaled(both))
    if found:
        raise DataError(found)


def refuse_other_experiment(before: "ExperimentSpec", now: "ExperimentSpec") -> None:
    """Raise where the plan compares other arms, or counts other units, than the earlier run's did.

    Raises:
        PlanError: with every such key, and what it was.
    """
    keys = {
        "design.type": (before.design.type, now.design.type),
        "design.treatment.control": (before.control, now.control),
        "design.treatment.arms": (", ".join(sorted(before.arms)), ", ".join(sorted(now.arms))),
        "data.unit": (before.data.unit, now.data.unit),
    }
    mend = "give it an id of its own as another experiment, or say why with --accept-changes REASON"
    problems = [
        Problem(where=key, code="R810", what=f"this was '{old}' in the earlier run and is '{new}' now", mend=mend)
        for key, (old, new) in keys.items()
        if old != new
    ]
    if problems:
        raise PlanError(problems)


def _restated(changes: "UnitChanges", restated: Mapping[str, float]) -> Iterator[Problem]:
    if changes.both < _FEWEST:
        return
    for name, share in restated.items():
        if share > MOST_RESTATED:
            what = f"{share:.0%} of the values that were recorded in the earlier run are others now"
            yield Problem(where=f"data column {_column(name)}", code="R811", what=what, mend=_MEND)


def _rescaled(both: "Between") -> Iterator[Problem]:
    for name, (before, now) in both.means().items():
        if before and now and not 1 / LARGEST_RATIO <= abs(now / before) <= LARGEST_RATIO:
            ratio = f"{now / before:.3g}"
            what = f"new customers have {ratio} times the mean of earlier ones, as in another unit of measurement"
            yield Problem(where=f"data column {_column(name)}", code="R812", what=what, mend=_MEND)


def _column(name: str) -> str:
    """Return a column's name in the data.

    Example:
        >>> _column("number:spend"), _column("arm")
        ('spend', 'of the arms')
    """
    return name.partition(":")[2] or {"arm": "of the arms", "time_zero": "of time zero"}.get(name, name)
