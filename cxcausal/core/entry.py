"""What came before enrolment where columns are made of event tables: who was left out, and which rows don't count."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class EventTable:
    """What was found in one event table: counts of its rows.

    Attributes:
        name: in the plan.
        rows: in all, of anybody.
        matched_by_arm: of units of each arm.
        after_end: dated after the last end of observation.
        late: arrived after it.
        before_arrival: dated more than a day after they arrived.
        without_value: by column that is added up, where it is missing.
        settles_after: days for which its rows still change.
        newest: the day on which its last row arrived, as an ISO date.
    """

    name: str
    rows: int
    matched_by_arm: Mapping[str, int]
    after_end: int = 0
    late: int = 0
    before_arrival: int = 0
    without_value: Mapping[str, int] = field(default_factory=dict)
    settles_after: int = 0
    newest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Assignments on their way to the enrolled units, where columns are made of event tables.

    Attributes:
        filtered_out: by what the plan's filter says of stored columns.
        later: of units that were assigned before; only the first counts.
        assigned_by_arm, exposed_by_arm: where only exposed units count, those that were assigned and those exposed.
        tables: what was found in each event table.
    """

    filtered_out: int = 0
    later: int = 0
    assigned_by_arm: Mapping[str, int] = field(default_factory=dict)
    exposed_by_arm: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[EventTable, ...] = ()

    @property
    def unexposed_by_arm(self) -> Mapping[str, int]:
        """Assigned, and never exposed."""
        return {arm: n - self.exposed_by_arm.get(arm, 0) for arm, n in self.assigned_by_arm.items()}
