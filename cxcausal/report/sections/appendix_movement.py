"""Appendix: what moved since the run before, step by step, as a picture and as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.movement import EffectMovement, Movement, Step
from cxcausal.pipeline.movement_sentences import CAUSES
from cxcausal.report.blocks import Block, Bullets, Cell, Figure, SectionView, Table
from cxcausal.report.charts.waterfall import Bar, Net, waterfall
from cxcausal.report.facts import Facts
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import Style, percent, place_for
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.text import MISSING, Sentence

_DIGITS = 3


@dataclass(frozen=True, kw_only=True)
class MovementSection:
    """From the effect of the earlier run to that of this one, by cause."""

    name: ClassVar[str] = "appendix_movement"

    def build(self, facts: Facts) -> SectionView | None:
        """Return pictures, tables and notes; nothing where the run is no rerun."""
        movement = facts.result.movement
        if movement is None:
            return None
        warned: tuple[Block, ...] = (MUST_NOT_BE_USED,) if facts.withheld else ()
        return SectionView(name=self.name, heading="What moved", blocks=(*warned, *_blocks(facts, movement)))


def _blocks(facts: Facts, movement: Movement) -> Iterator[Block]:
    quoted = [("sentence",), *(("notes", str(at)) for at in range(len(movement.notes)))]
    yield Bullets(items=tuple((facts.quote(path("movement", *place)),) for place in quoted))
    for at, effect in enumerate(movement.effects):
        if effect.change and effect.control == facts.control:
            if not facts.withheld:
                yield _picture(facts, at, effect)
            yield _table(facts, at, effect)


def _base(at: int) -> str:
    return path("movement", "effects", at)


def _of(facts: Facts, effect: EffectMovement) -> Sentence:
    """Return which effect is meant."""
    metric = next(one for one in facts.metrics if one.name == effect.metric)
    return (facts.label(metric), ": “", facts.arm(effect.arm), "” against “", facts.arm(effect.control), "”")


def _style(effect: EffectMovement, *, sign: bool = False) -> Style:
    """Return digits enough for the whole change to be read."""
    return Style(place=place_for(effect.change, digits=_DIGITS), sign=sign, references=(0.0,))


def _picture(facts: Facts, at: int, effect: EffectMovement) -> Figure:
    sign = next(one.sign for one in facts.metrics if one.name == effect.metric)
    before = Bar(
        label=("The run before",),
        value=(facts.number(f"{_base(at)}.before", _style(effect)),),
        amount=effect.before,
        shape="bar-net",
    )
    bars = [
        Bar(
            label=(CAUSES[step.cause],),
            value=(facts.number(f"{_base(at)}.steps.{place}.change", _style(effect, sign=True)),),
            amount=step.change,
            shape="bar-gain" if sign * step.change > 0 else "bar-cost",
        )
        for place, step in enumerate(effect.steps)
        if step.change
    ]
    row = facts.row(effect.metric, effect.arm)
    now = Net(
        label=("This run",),
        value=(facts.number(f"{_base(at)}.now", _style(effect)),),
        amount=effect.now,
        low=row.estimate.low if row is not None else None,
        high=row.estimate.high if row is not None else None,
    )
    return Figure(
        name="waterfall",
        caption=(*_of(facts, effect), ", in the unit of the metric; the line below this run is its range"),
        picture=waterfall([before, *bars], now, what="What moved the effect,", foot="no effect"),
    )


def _table(facts: Facts, at: int, effect: EffectMovement) -> Table:
    first = (Cell(words=("The run before",)), _number(facts, f"{_base(at)}.before", _style(effect)), _none(), _none())
    last = (Cell(words=("This run",)), _number(facts, f"{_base(at)}.now", _style(effect)), _none(), _none())
    steps = tuple(_row(facts, f"{_base(at)}.steps.{place}", effect, step) for place, step in enumerate(effect.steps))
    return Table(
        caption=("What moved: ", *_of(facts, effect)),
        name="movement-table",
        head=(("Moved by",), ("Effect",), ("Share of the change",), (facts.people.many.capitalize(),)),
        rows=(first, *steps, last),
    )


def _row(facts: Facts, key: str, effect: EffectMovement, step: Step) -> tuple[Cell, ...]:
    share = percent(0 if step.share is None else place_for(100 * step.share or 1.0))
    return (
        Cell(words=(CAUSES[step.cause],)),
        _number(facts, f"{key}.change", _style(effect, sign=True)),
        _number(facts, derived("percent", f"{key}.share"), share) if step.share is not None else _none(),
        _number(facts, f"{key}.units") if step.units is not None else _none(),
    )


def _number(facts: Facts, key: str, style: Style | None = None) -> Cell:
    if not facts.has(key):
        return _none()
    return Cell(words=(facts.number(key) if style is None else facts.number(key, style),), state="number")


def _none() -> Cell:
    return Cell(words=(MISSING,), state="number")
