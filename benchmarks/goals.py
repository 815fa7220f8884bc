"""Goals beside what was measured: one table for every section of the page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

HEAD = "| goal | rows | by the clock | of the processor | bar | met |\n|---|---|---|---|---|---|"
READING = (
    "Ratios are told twice: by the clock, and of the seconds that all threads had of the processor, which hardly "
    "change where something else runs beside. A goal is met where both ratios are within the bar.\n"
)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One goal at one size.

    Attributes:
        name: what is compared with what. rows: how many.
        clock, processor: the ratio of seconds of either kind; a memory has one number only.
        bar: what it may be at most, or must be at least. at_least: which of both.
    """

    name: str
    rows: int
    clock: float
    processor: float | None
    bar: float
    at_least: bool = False

    @property
    def met(self) -> str:
        """The verdict in words.

        Example:
            >>> Goal(name="", rows=1, clock=1.2, processor=0.9, bar=1.0).met
            'by the processor only'
        """
        held = [each >= self.bar if self.at_least else each <= self.bar for each in (self.clock, self._processor)]
        if all(held):
            return "met"
        return "by the clock only" if held[0] else "by the processor only" if held[1] else "**not met**"

    @property
    def _processor(self) -> float:
        return self.clock if self.processor is None else self.processor


def times(name: str, rows: int, ours: Mapping[str, float], theirs: Mapping[str, float], bar: float) -> Goal:
    """Return the goal that ours takes at most `bar` times as long as theirs."""
    clock, processor = (ours[kind] / theirs[kind] for kind in ("seconds", "used"))
    return Goal(name=name, rows=rows, clock=clock, processor=processor, bar=bar)


def faster(name: str, rows: int, ours: Mapping[str, float], theirs: Mapping[str, float], bar: float) -> Goal:
    """Return the goal that ours is at least `bar` times as fast as theirs."""
    clock, processor = (theirs[kind] / ours[kind] for kind in ("seconds", "used"))
    return Goal(name=name, rows=rows, clock=clock, processor=processor, bar=bar, at_least=True)


def table(goals: Iterable[Goal]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield HEAD
    for goal in goals:
        processor = "" if goal.processor is None else f"{goal.processor:.3g}"
        bar = f"{'≥' if goal.at_least else '≤'} {goal.bar:g}"
        yield f"| {goal.name} | {goal.rows:,} | {goal.clock:.3g} | {processor} | {bar} | {goal.met} |"
