"""Appendix: what was delivered in each arm, what it cost, and the effect on those it reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import MANY, Block, Cell, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts, Row
from cxcausal.report.keys import derived
from cxcausal.report.rounding import TO, Style, percent, place_for
from cxcausal.report.sections.effect_table import effect_table
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.contact_cost import price
from cxcausal.report.sentences.delivery import DELIVERY, complier_row, share
from cxcausal.report.text import MISSING, Sentence

_RESTS = (
    "The effect on those reached rests on two things that no data show: being assigned does nothing to those whom the "
    "contact does not reach, and keeps nobody from it. It says nothing about those who are reached in any case, or in "
    "none. The verdict is not taken from it."
)


@dataclass(frozen=True, kw_only=True)
class DeliverySection:
    """Shares reached, contact costs and complier effects, where the plan says what was delivered."""

    name: ClassVar[str] = "appendix_delivery"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the tables; nothing where no delivery was recorded."""
        rows = tuple(facts.companions(metric=DELIVERY))
        if not rows:
            return None
        blocks = ((MUST_NOT_BE_USED,) if facts.withheld else ()) + tuple(_blocks(facts, rows))
        return SectionView(name=self.name, heading="What was delivered", blocks=blocks)


def _blocks(facts: Facts, rows: tuple[Row, ...]) -> Iterator[Block]:
    yield _delivered(facts, rows)
    found = (complier_row(facts, metric, arm) for metric in facts.metrics for arm in facts.treated_arms)
    effects = [row for row in found if row is not None]
    if effects:
        caption = f"Effects on {facts.people.many} who were reached because they were assigned"
        yield effect_table(facts, effects, caption, "complier-table")
        yield Paragraph(words=(_RESTS,), tone="note")


def _delivered(facts: Facts, rows: tuple[Row, ...]) -> Table:
    one = facts.people.one
    head = ("With", "Reached", "Reached without", "Difference", "Range", "n with", "n without")
    costs = (f"Cost per assigned {one}", "Cost per delivered contact")
    return Table(
        caption=(f"Share of the {facts.people.many} assigned to each arm whom the contact reached",),
        name="delivery-table",
        head=tuple((title,) for title in (*head, *costs)),
        rows=tuple((*_shares(facts, row), *_costs(facts, row)) for row in rows),
        wide=len(head) + len(costs) > MANY,
    )


def _shares(facts: Facts, row: Row) -> Iterator[Cell]:
    yield Cell(words=(facts.arm(row.estimate.arm),))
    for name in ("mean_treated", "mean_control"):
        known = getattr(row.estimate, name) is not None
        yield _number((share(facts, row, name),) if known else (MISSING,))
    if row.computed:
        style = percent(min(place_for(100 * row.low, 100 * row.high), 0))
        bare = Style(place=style.place)
        point, low, high = (derived("percent", row.key(name)) for name in ("point", "low", "high"))
        yield _number((facts.number(point, style),))
        yield _number((facts.number(low, bare), TO, facts.number(high, style)))
    else:
        reason: Sentence = ("not computed, because: ", facts.quote(row.key("reason"))) if row.estimate.reason else ()
        yield Cell(words=reason or ("not computed",))
        yield _number((MISSING,))
    for name in ("n_treated", "n_control"):
        yield _number((facts.number(row.key(name)),) if getattr(row.estimate, name) is not None else (MISSING,))


def _costs(facts: Facts, row: Row) -> Iterator[Cell]:
    found = facts.money_of(row.estimate.arm)
    for name in ("cost_per_assigned", "cost_per_delivered"):
        value = getattr(found[1], name) if found is not None else None
        if found is None or value is None:
            yield _number((MISSING,))
        else:
            yield _number((price(facts, f"{found[0]}.{name}", value),))


def _number(words: Sentence) -> Cell:
    return Cell(words=words, state="number")
