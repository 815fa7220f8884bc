"""What a run tells of its event tables: when outcomes are complete, and which rows don't count, and why."""

from collections.abc import Iterator

from cxcausal.core.entry import EventTable
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.results import DataFacts
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, counted, percent


def event_notes(spec: ExperimentSpec, facts: DataFacts) -> Iterator[str]:
    """Yield one sentence for everything about the event tables that a reader must know."""
    if spec.data.events is None:
        return
    yield from _complete(spec)
    for table in facts.event_tables:
        yield from _unmatched(spec, table)
        yield from _left_out(table)


def _complete(spec: ExperimentSpec) -> Iterator[str]:
    days, events = days_to_mature(spec), spec.data.events
    settling = {} if events is None else {name: one.settles_after for name, one in events.sources.items()}
    if days is not None and any(settling.values()):
        longest = max(settling, key=lambda name: settling[name])
        yield (
            f"Outcomes are complete {counted(days, 'day')} after time zero: rows of '{longest}' still change for "
            f"{counted(settling[longest], 'day')}."
        )


def _unmatched(spec: ExperimentSpec, table: EventTable) -> Iterator[str]:
    matched = sum(table.matched_by_arm.values())
    empty = [spec.design.treatment.label(arm) for arm, n in table.matched_by_arm.items() if not n]
    if empty:
        arms = ", ".join(f"'{arm}'" for arm in empty)
        yield f"No row of '{table.name}' is of anybody in {arms}: check whether that table holds all arms."
    if matched < table.rows:
        share = percent((table.rows - matched) / table.rows)
        yield f"{share} of the {count(table.rows)} rows of '{table.name}' are of nobody who was assigned."


def _left_out(table: EventTable) -> Iterator[str]:
    counts = {
        "dated after the end of observation": table.after_end,
        "arrived after it": table.late,
    }
    told = " and ".join(f"{count(n)} {what}" for what, n in counts.items() if n)
    if told:
        yield f"Rows of '{table.name}' that don't count: {told}."
    if table.before_arrival:
        yield f"{count(table.before_arrival)} rows of '{table.name}' are dated more than a day after they arrived."
    for name, n in table.without_value.items():
        if n:
            yield f"{count(n)} rows of '{table.name}' have no value in '{name}', and add nothing to its sums."
