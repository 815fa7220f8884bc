"""The long table of effects, as the appendix prints it."""

from collections.abc import Sequence

from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts, Row
from cxcausal.report.rounding import Style, place_for
from cxcausal.report.text import MISSING, Sentence

_HEAD = (
    *("Metric", "Arm", "Against", "Population", "Scale", "Estimand", "Method", "Adjusted", "Trimmed"),
    *("Estimate", "Low", "High", "Level", "SE", "p", "p adjusted", "With", "Without", "n with", "n without"),
)
_TEXTS = ("metric", "arm", "control", "population", "scale", "estimand", "method", "adjustment", "trimming")
_DIGITS = 3


def effect_table(facts: Facts, rows: Sequence[Row], caption: str, name: str) -> Table:
    """Return rows of the effects table with every number that belongs to them, in the units of the result."""
    return Table(
        caption=(caption,),
        name=name,
        head=tuple((title,) for title in _HEAD),
        rows=tuple(_cells(facts, row) for row in rows),
        wide=True,
    )


def _cells(facts: Facts, row: Row) -> tuple[Cell, ...]:
    texts = tuple(Cell(words=(facts.quote(row.key(name)),)) for name in _TEXTS)
    if not row.computed:
        reason: Sentence = (
            ("not computed, because: ", facts.quote(row.key("reason"))) if row.estimate.reason else ("not computed",)
        )
        empty = tuple(_number((MISSING,)) for _ in range(len(_HEAD) - len(_TEXTS) - 1))
        return (*texts, Cell(words=reason), *empty)
    return (*texts, *_numbers(facts, row))


def _numbers(facts: Facts, row: Row) -> tuple[Cell, ...]:
    effect = Style(place=place_for(row.low, row.high, digits=_DIGITS), references=(0.0,))
    level: Sentence = (facts.level(row),) if row.estimate.level is not None else (MISSING,)
    return (
        *(_number((facts.number(row.key(part), effect),)) for part in ("point", "low", "high")),
        _number(level),
        _significant(facts, row, "se"),
        *(_p(facts, row, part) for part in ("p", "p_adjusted")),
        *(_significant(facts, row, part) for part in ("mean_treated", "mean_control")),
        *(_count(facts, row, part) for part in ("n_treated", "n_control")),
    )


def _significant(facts: Facts, row: Row, part: str) -> Cell:
    value = getattr(row.estimate, part)
    if value is None:
        return _number((MISSING,))
    return _number((facts.number(row.key(part), Style(place=place_for(value, digits=4) if value else 0)),))


def _p(facts: Facts, row: Row, part: str) -> Cell:
    return _number((facts.p_value(row.key(part)),) if getattr(row.estimate, part) is not None else (MISSING,))


def _count(facts: Facts, row: Row, part: str) -> Cell:
    return _number((facts.number(row.key(part)),) if getattr(row.estimate, part) is not None else (MISSING,))


def _number(words: Sentence) -> Cell:
    return Cell(words=words, state="number")
