"""When units entered, until when they were observed, and which of them were observed for long enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import ibis

from cxcausal.core.errors import Problem
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.roles import is_date


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time zero and the end of observation, each with the name to blame, and the longest window in days."""

    zero: tuple[str, Value] | None
    until: tuple[str, Value] | None
    days: int | None

    @property
    def known(self) -> bool:
        """Whether maturity can be told: windows, time zero and the end of observation are declared."""
        return self.zero is not None and self.until is not None and self.days is not None

    @property
    def mature(self) -> Value:
        """Tell where the longest window is over; everywhere, if that can't be told."""
        if self.zero is None or self.until is None or self.days is None:
            return ibis.literal(True)
        return self.zero[1] + ibis.interval(days=self.days) <= self.until[1]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The latest end of observation, when the last unit will have its whole window, and who came when; ISO dates.

    `enrolled_from` and `enrolled_to` are the first and the last time zero.
    """

    data_cut: str | None
    matures_on: str | None
    enrolled_from: str | None = None
    enrolled_to: str | None = None


def clock_of(spec: ExperimentSpec, reader: Reader) -> Clock:
    """Return the times that a plan declares, as expressions over the stored rows."""
    return Clock(
        zero=moment(reader, spec.data.time_zero),
        until=moment(reader, spec.data.observed_until),
        days=days_to_mature(spec),
    )


def date_problems(spec: ExperimentSpec, reader: Reader) -> tuple[Problem, ...]:
    """Return what is wrong with an end of observation that the plan gives as a date."""
    zero, until = spec.data.time_zero, spec.data.observed_until
    if until is None or not _is_given(reader, until):
        return ()
    if zero is not None and _is_given(reader, zero) and zero > until:
        what = f"observation ends on {until}, and time zero is {zero}"
        mend = "check data.time_zero and data.observed_until"
        return (Problem(where="data.observed_until", code="D133", what=what, mend=mend),)
    if date.fromisoformat(until) > datetime.now(UTC).date() + timedelta(days=1):
        what, mend = (
            f"the end of observation, {until}, lies in the future",
            "give the day until which outcomes are known",
        )
        return (Problem(where="data.observed_until", code="D317", what=what, mend=mend),)
    return ()


def _is_given(reader: Reader, text: str) -> bool:
    return is_date(text) and text not in reader.table.columns


def moment(reader: Reader, text: str | None) -> tuple[str, Value] | None:
    """Return a column's time, or that of a date in the plan, unless a column has this very name; None for none."""
    if text is None:
        return None
    if _is_given(reader, text):
        return text, ibis.literal(text).cast("timestamp")
    return text, reader.time(text)


def calendar_of(engine: Engine, table: Table, clock: Clock) -> Calendar:
    """Return the dates of a table of units that has the columns `time_zero` and `observed_until`."""
    moments = {}
    if clock.until is not None:
        moments["cut"] = table.observed_until.max().cast("date")
    if clock.zero is not None:
        moments |= {"first": table.time_zero.min().cast("date"), "last": table.time_zero.max().cast("date")}
    if clock.zero is not None and clock.days is not None:
        moments["matures"] = (table.time_zero.max() + ibis.interval(days=clock.days)).cast("date")
    found: dict[str, date | None] = {}
    if moments:
        found = dict(zip(moments, engine.fetch(table.aggregate(**moments))[0], strict=True))
    return Calendar(
        data_cut=_iso(found.get("cut")),
        matures_on=_iso(found.get("matures")),
        enrolled_from=_iso(found.get("first")),
        enrolled_to=_iso(found.get("last")),
    )


def matured_by(engine: Engine, table: Table, dates: Sequence[str], days: int) -> Mapping[str, int]:
    """Return how many mature units of a table had their whole window on each date; nothing without a time zero."""
    if "time_zero" not in table.columns or not dates:
        return {}
    over = table.time_zero + ibis.interval(days=days)
    counts = {
        f"d{place}": (table.mature & (over <= ibis.literal(day).cast("timestamp"))).sum()
        for place, day in enumerate(dates)
    }
    found = engine.fetch(table.aggregate(**counts))[0]
    return {day: int(count or 0) for day, count in zip(dates, found, strict=True)}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
