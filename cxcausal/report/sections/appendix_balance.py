"""Appendix: how far apart the groups are in each column, before and after weights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import BalanceFact
from cxcausal.report.blocks import Block, Cell, Figure, Paragraph, SectionView, Table
from cxcausal.report.charts.love import LoveRow, love
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.rounding import Style
from cxcausal.report.sections.score_cells import dash
from cxcausal.report.sentences.observed import check_text
from cxcausal.report.text import Sentence

MOST = 25
_DISTANCE = Style(place=-3)


@dataclass(frozen=True, kw_only=True)
class BalanceSection:
    """The columns in which the groups lie furthest apart."""

    name: ClassVar[str] = "appendix_balance"

    def build(self, facts: Facts) -> SectionView | None:
        """Return a picture per arm and one table; nothing where no distances were taken."""
        if facts.result.scores is None or not facts.result.scores.balance:
            return None
        return SectionView(name=self.name, heading="Balance: whether like is with like", blocks=tuple(_blocks(facts)))


def _blocks(facts: Facts) -> Iterator[Block]:
    said = check_text(facts, "balance", "pass", "info", "warn", "fail", "could_not_run")
    if said is not None:
        yield Paragraph(words=said)
    for arm in facts.treated_arms:
        rows = widest(facts, arm)
        if rows:
            yield _picture(facts, arm, rows)
    yield _table(facts)
    if len(facts.result.scores.balance if facts.result.scores is not None else ()) > MOST:
        yield Paragraph(words=("The result as a file has every column; here are those furthest apart.",), tone="note")


def widest(facts: Facts, arm: str) -> list[tuple[int, BalanceFact]]:
    """Return the columns in which an arm lies furthest from the control, the furthest first, with their places."""
    scores = facts.result.scores
    rows = [(at, row) for at, row in enumerate(scores.balance if scores is not None else ()) if row.arm == arm]
    told = [(at, row) for at, row in rows if row.before is not None and row.after is not None]
    return sorted(told, key=lambda item: -max(abs(item[1].before or 0.0), abs(item[1].after or 0.0)))[:MOST]


def _picture(facts: Facts, arm: str, rows: Sequence[tuple[int, BalanceFact]]) -> Figure:
    marks = [
        LoveRow(label=_name(facts, at, row), before=abs(row.before or 0.0), after=abs(row.after or 0.0))
        for at, row in rows
    ]
    what: Sentence = ("“", facts.arm(arm), "” against “", facts.arm(facts.control), "”")
    caption: Sentence = (*what, ": distance of the groups in each column, in standard deviations, the widest first")
    return Figure(name="love", caption=caption, picture=love(marks, _limit(facts), what))


def _limit(facts: Facts) -> float | None:
    """Return how far apart the plan lets the groups be."""
    return next((check.threshold for check in facts.result.checks if check.name == "balance"), None)


def _name(facts: Facts, at: int, row: BalanceFact) -> Sentence:
    key = path("scores", "balance", at)
    level: Sentence = (" is ", facts.quote(f"{key}.level", clip=20)) if row.level else ()
    return (facts.quote(f"{key}.column", clip=30), *level)


def _table(facts: Facts) -> Table:
    rows = [
        (
            Cell(words=_name(facts, at, row)),
            Cell(words=(facts.arm(arm),)),
            *(_distance(facts, at, name) for name in ("before", "after", "se")),
        )
        for arm in facts.treated_arms
        for at, row in widest(facts, arm)
    ]
    return Table(
        caption=("Standardised difference from “", facts.arm(facts.control), "”, before and after weights"),
        name="balance-table",
        head=(("Column",), ("Arm",), ("Before",), ("After",), ("SE after",)),
        rows=tuple(rows),
    )


def _distance(facts: Facts, at: int, name: str) -> Cell:
    key = path("scores", "balance", at, name)
    return Cell(words=(facts.number(key, _DISTANCE),), state="number") if facts.has(key) else dash()
