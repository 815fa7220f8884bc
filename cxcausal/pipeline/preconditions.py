"""What must hold of the data before anything is recorded: one row per unit, and for a registration no outcomes yet."""

from cxcausal.core.answers import Duplicates
from cxcausal.core.errors import DataError, Problem
from cxcausal.core.measures import values_of
from cxcausal.core.protocols import Dataset
from cxcausal.core.queries import DuplicateQuery, MissingQuery
from cxcausal.core.spec.models import ExperimentSpec


def refuse_repeated_units(spec: ExperimentSpec, dataset: Dataset) -> None:
    """Refuse units that stand in several rows of one arm, unless the plan lets them.

    Raises:
        DataError: with row numbers, and never an id.
    """
    if spec.data.unit is None or spec.repeats_allowed:
        return
    found = dataset.answer((DuplicateQuery(),))[DuplicateQuery()]
    assert isinstance(found, Duplicates)  # noqa: S101 - narrows the union of answers
    if found.repeated:
        file, rows = dataset.repeated_rows()
        more = " and more" if found.repeated > len(rows) else ""
        named = f" (rows {', '.join(map(str, rows))}{more})" if rows else ""
        raise DataError(
            Problem(
                where=f"{file} column {spec.data.unit}",
                code="D220",
                what=f"{found.repeated} of its values stand in more than one row of the same arm{named}",
                mend="keep one row per unit, name another data.unit, or let rows of a unit share a fate with "
                "checks: {duplicates: {on_breach: warn}}",
            )
        )


def outcomes_seen(spec: ExperimentSpec, dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the planned metrics that have a value for at least one customer with a whole window."""
    metrics = tuple(metric for _, metric in spec.metrics.with_roles())
    asked = {metric.name: MissingQuery(measure=values_of(metric, spec.data.weight)) for metric in metrics}
    answers = dataset.answer(tuple(asked.values()))
    return tuple(name for name, query in asked.items() if _known(answers[query]) > 0)


def _known(counts: object) -> int:
    assert isinstance(counts, dict)  # noqa: S101 - narrows the union of answers
    return sum(units - missing for units, missing in counts.values())
