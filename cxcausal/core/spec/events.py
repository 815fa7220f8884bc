"""Metrics from event tables: where the events are, and what is made of them around each unit's time zero."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from cxcausal.core.spec.scalars import Days, Label, Text, read_days

Aggregate = Literal["sum", "count", "any", "distinct", "first", "last"]
VALUED: frozenset[str] = frozenset({"sum", "distinct", "first", "last"})
"""Aggregates of a column; the others are of the events themselves."""
FILLED: frozenset[str] = frozenset({"sum", "count", "any", "distinct"})
"""Aggregates that are 0 for a unit without events; the others are then missing."""


def read_offset(value: object) -> int:
    """Return whole days from `90d`, `12w` or, before time zero, `-90d`.

    Raises:
        ValueError: it's written another way.
    """
    text = str(value)
    if text.startswith("-") and not isinstance(value, int):
        return -read_days(text[1:])
    return read_days(value)


Offset = Annotated[int, BeforeValidator(read_offset), WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+[dw]$"})]
Names = Annotated[tuple[Text, ...], BeforeValidator(lambda v: v if isinstance(v, list | tuple) else [v])]


class Part(BaseModel):
    """Any block about events: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EventWindow(Part):
    """Days after time zero between which events count: from `start` on, and before `end`; open without a start."""

    start: Offset | None = None
    end: Offset


class EventSource(Part):
    """One table of events, as `configs/data_sources.yaml` declares it."""

    path: Text | None = None
    package: Text | None = None
    file: Text | None = None
    table: Text | None = None
    unit: Text
    time: Text
    timezone: Text | None = None
    recorded: Text | None = None
    key: Names = ()
    removed: Text | None = None
    freshness: Days | None = None
    settles_after: Days = 0


class EventColumn(Part):
    """One column made of events: which, over which window, and how they become one number or text per unit."""

    source: Text
    aggregate: Aggregate
    value: Text | None = None
    where: Text | None = None
    window: EventWindow | None = None


class Exposure(Part):
    """Only units with such an event after their assignment are analysed, from their first one on."""

    source: Text
    where: Text | None = None
    within: Days | None = None


class Events(Part):
    """The columns that are made of events, and whom they are made for."""

    columns: Annotated[dict[Label, EventColumn], Field(min_length=1)]
    sources: dict[Label, EventSource] = Field(default_factory=dict)
    repeated: Literal["refuse", "first"] = "refuse"
    exposure: Exposure | None = None
