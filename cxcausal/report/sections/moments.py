"""The moments of truth: touchpoint or intent by segment, the arm with the best gain there, or that none is better."""

from collections.abc import Iterator

from cxcausal.core.whom import Moment, MomentMap
from cxcausal.report.blocks import MANY, Block, Cell, Paragraph, Table
from cxcausal.report.charts.icons import icon
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, level_of, spans
from cxcausal.report.keys import path
from cxcausal.report.rounding import TO
from cxcausal.report.text import MISSING, Quote, Sentence

NO_DIFFERENCE = "no reliable difference"
MOST = 12
"""Rows beyond which page one shows only those where something is reliable."""
_PLACE = path("policy", "moments", "cells")
STYLE = (
    ".moments-map td{padding:.5rem .75rem}.moments-map .c-good,.moments-map .c-bad{background:var(--tint)}"
    ".moments-map tbody th{min-width:7rem}"
    "@media screen and (max-width:47.9rem){.moments-map td{padding:.12rem 0}}"
    "@media print{.moments-map td{padding:.12rem .4rem}.moments-map tbody th{min-width:0}}"
)


def moment_blocks(facts: Facts, found: MomentMap) -> Iterator[Block]:
    """Yield the map; of many rows only those where an arm reliably gains or loses, and that there are others."""
    rows = list(dict.fromkeys(cell.row for cell in found.cells))
    told = rows
    if len(rows) > MOST:
        told = [row for row in rows if any(cell.row == row and cell.arm is not None for cell in found.cells)]
    if told:
        yield _map(facts, found, told)
    if len(told) < len(rows):
        where = "Everywhere else" if told else "Nowhere on the map"
        rest = "no arm makes a reliable difference" if told else "does any arm make a reliable difference"
        yield Paragraph(words=(f"{where} {rest}; the appendix has the whole map.",))


def _map(facts: Facts, found: MomentMap, told: list[str]) -> Table:
    columns = list(dict.fromkeys(cell.column for cell in found.cells))
    heads: list[Sentence] = [("Best arm, and its gain",)]
    if found.columns:
        heads = [named(facts, _at(found, column=column), "column") for column in columns]
    head: tuple[Sentence, ...] = ((facts.quote("policy.moments.rows"),), *heads)
    return Table(
        caption=_caption(facts, found),
        name="moments-map",
        head=head,
        rows=tuple(_line(facts, found, row, columns) for row in told),
        wide=len(head) > MANY,
    )


def _caption(facts: Facts, found: MomentMap) -> Sentence:
    assert facts.result.policy is not None  # noqa: S101 - the map is part of it
    across: Sentence = (" and “", facts.quote("policy.moments.columns"), "”") if found.columns else ()
    level = level_of(facts, "policy.moments.level")
    return (
        *("The best arm by “", facts.quote("policy.moments.rows"), "”", *across, ", against “"),
        *(facts.arm(facts.control), "”: ", *Gains(facts, facts.result.policy.aim, each=True).counted()),
        *("; ranges hold for all cells and arms together (", level, ")"),
    )


def _at(found: MomentMap, *, row: str | None = None, column: str | None = None) -> int:
    """Return the place of the first cell of a row, of a column, or of both."""
    cells = enumerate(found.cells)
    return next(at for at, cell in cells if row in {None, cell.row} and column in {None, cell.column})


def named(facts: Facts, at: int, part: str) -> Sentence:
    """Return a cell's row or column; a value that the data leave empty is said to be missing."""
    quote = facts.quote(f"{_PLACE}.{at}.{part}", clip=48)
    return (quote,) if quote.text.strip() else ("(missing)",)


def _line(facts: Facts, found: MomentMap, row: str, columns: list[str]) -> tuple[Cell, ...]:
    places = {cell.column: at for at, cell in enumerate(found.cells) if cell.row == row}
    cells = (_cell(facts, places[c], found.cells[places[c]]) if c in places else _nobody() for c in columns)
    return (Cell(words=named(facts, _at(found, row=row), "row")), *cells)


def _nobody() -> Cell:
    return Cell(words=(MISSING, " nobody"), state="none")


def _cell(facts: Facts, at: int, cell: Moment) -> Cell:
    told = {arm: cell.gains[arm] for arm in facts.treated_arms if arm in cell.gains and spans(cell.gains[arm])}
    if not told:
        why: Sentence = (facts.quote(f"{_PLACE}.{at}.reason", clip=48),) if cell.reason else ("not computed",)
        return Cell(words=why, state="none", icon=icon("none"))
    best = max(told, key=lambda arm: told[arm].point or 0.0)
    arm = cell.arm if cell.arm in told else best
    if cell.arm is None:
        return Cell(words=(f"{NO_DIFFERENCE}; ", *_gain(facts, at, cell, arm)), state="none", icon=icon("none"))
    if cell.arm == facts.control:
        words: Sentence = ("“", _arm(facts, cell.arm), "”: all else loses, the least ", *_gain(facts, at, cell, best))
        return Cell(words=words, state="bad", icon=icon("bad"))
    return Cell(words=_gain(facts, at, cell, arm), state="good", icon=icon("good"))


def _arm(facts: Facts, name: str) -> Quote:
    return facts.arm(name, clip=32)


def _gain(facts: Facts, at: int, cell: Moment, arm: str) -> Sentence:
    """Return `“Agent calls” +2.10 (0.30 to 3.90)`."""
    assert facts.result.policy is not None  # noqa: S101 - the map is part of it
    gains, key = Gains(facts, facts.result.policy.aim, each=True), f"{_PLACE}.{at}.{path('gains', arm)}"
    low, high = gains.ends(key, cell.gains[arm])
    point = gains.point(key, cell.gains[arm], sign=True, bare=True)
    return ("“", _arm(facts, arm), "” ", point, " (", low, TO, high, ")")
