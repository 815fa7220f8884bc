"""Whether the question can be answered, and why not: the rule, and its plain words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxcausal.core.wording import count, listed, number, percent
from cxcausal.planning.result import Answer, PowerRow

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

PowerRows = Sequence[PowerRow]
_TOLERANCE = 5e-4
"""Power that rounds to what was asked is enough."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The answer with its sentence, and one sentence per row that stands against it."""

    answer: Answer
    sentence: str
    reasons: tuple[str, ...]


def judge(spec: "ExperimentSpec", rows: Sequence[PowerRow], units: int | None) -> Judged:
    """Return whether an experiment of so many units can answer its question.

    It can't where a success metric's size would be found, or a guardrail's margin ruled out, less often than asked,
    in any arm. Whether it can is not known where a number is missing, or no success metric has a size to be seen.
    """
    decisive = [row for row in rows if row.role != "secondary"]
    against = tuple(_against(alike, _arms(spec, alike), units) for alike in _alike(decisive))
    if against:
        more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
        return Judged(
            answer="cannot_answer",
            sentence=f"This experiment cannot answer the question, because {against[0]}{more}.",
            reasons=against,
        )
    unknown = tuple(dict.fromkeys(_unknown(decisive, units)))
    if unknown:
        sentence = f"Whether this experiment can answer the question is not known: {unknown[0]}."
        return Judged(answer="not_known", sentence=sentence, reasons=unknown)
    return Judged(answer="answerable", sentence=_can(decisive, units), reasons=())


def _alike(decisive: Sequence[PowerRow]) -> Iterable[PowerRows]:
    """Return the rows that fall short, those of one metric with equal numbers together: arms with equal shares."""
    found: dict[object, list[PowerRow]] = {}
    for row in decisive:
        if _falls_short(row):
            found.setdefault((row.metric, row.size, row.power, row.units_needed), []).append(row)
    return found.values()


def _arms(spec: "ExperimentSpec", rows: PowerRows) -> str:
    names = [f"'{spec.design.treatment.label(row.arm)}'" for row in rows]
    return f"the arm{'s' if len(names) > 1 else ''} {listed(names)}"


def _falls_short(row: PowerRow) -> bool:
    if row.status != "ok" or row.size is None:
        return False
    if row.units_needed is None:
        return True
    return row.power is not None and row.power < row.power_asked - _TOLERANCE


def _against(rows: PowerRows, arms: str, units: int | None) -> str:
    row = rows[0]
    what, asked = _what(row), percent(row.power_asked)
    if row.units_needed is None:
        return f"{what} in {arms} is out of reach: no number of units shows it, from a base of {_base(row)}"
    weeks = f", {count(row.weeks_needed)} weeks with its window" if row.weeks_needed is not None else ""
    return (
        f"with {count(units or 0)} units {what} in {arms} would be {_verb(row)} with a probability of "
        f"{percent(row.power or 0.0)} instead of {asked}; {count(row.units_needed)} units would be needed{weeks}"
    )


def _what(row: PowerRow) -> str:
    kind = "a loss" if row.role == "guardrail" else "a change"
    return f"{kind} of {number(row.size or 0.0)} in '{row.metric}'"


def _verb(row: PowerRow) -> str:
    return "ruled out" if row.role == "guardrail" else "found"


def _base(row: PowerRow) -> str:
    return "unknown size" if row.base is None else number(row.base)


def _unknown(decisive: Sequence[PowerRow], units: int | None) -> "list[str]":
    found = [str(row.reason) for row in decisive if row.status != "ok"]
    success = [row for row in decisive if row.role == "success"]
    if success and all(row.size is None for row in success if row.status == "ok") and not found:
        found.append("no success metric says what size is to be seen (add `mde: {absolute: …}`)")
    if units is None and not found:
        needed = max((row.units_needed or 0 for row in decisive), default=0)
        found.append(f"{count(needed)} units are needed; state how many there can be (--units)")
    return found


def _can(decisive: Sequence[PowerRow], units: int | None) -> str:
    needed = max(row.units_needed or 0 for row in decisive)
    weeks = max((row.weeks_needed or 0 for row in decisive), default=0)
    told = f" ({count(weeks)} weeks with the window)" if weeks else ""
    return (
        f"This experiment can answer the question: {count(needed)} units{told} are enough, "
        f"and {count(units or 0)} are planned."
    )
