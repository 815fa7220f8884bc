"""The long table of effects, as the appendix prints it."""

from collections.abc import Sequence

from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts, Row
from cxcausal.report.rounding import TO, Style, place_for
from cxcausal.report.text import MISSING, Sentence

_TEXTS = {
    "metric": "Metric",
    "arm": "Arm",
    "control": "Against",
    "population": "Population",
    "scale": "Scale",
    "estimand": "Estimand",
    "method": "Method",
    "adjustment": "Adjusted",
    "trimming": "Trimmed",
}
_ALWAYS = frozenset({"metric", "arm", "population"})
_NUMBERS = (
    *("Estimate", "Low", "High", "Level", "SE", "p", "p adjusted"),
    *("With", "Without", "n with", "n without"),
)
_DIGITS = 3


def effect_table(facts: Facts, rows: Sequence[Row], caption: str, name: str) -> Table:
    """Return rows of the effects table with every number that belongs to them, in the units of the result.

    What is the same in every row is said once, in the caption.
    """
    told = [text for text in _TEXTS if text in _ALWAYS or len({getattr(row.estimate, text) for row in rows}) > 1]
    return Table(
        caption=(caption, *_same(facts, rows, told)),
        name=name,
        head=tuple((title,) for title in (*(_TEXTS[text] for text in told), *_NUMBERS)),
        rows=tuple(_cells(facts, row, told) for row in rows),
        wide=True,
        bases=tuple(row.key("")[:-1] for row in rows),
    )


def _same(facts: Facts, rows: Sequence[Row], told: Sequence[str]) -> Sentence:
    """Return what all rows have in common, as `; scale: absolute`."""
    if not rows:
        return ()
    same = [(f"; {_TEXTS[text].lower()}: ", facts.quote(rows[0].key(text))) for text in _TEXTS if text not in told]
    return tuple(piece for pair in same for piece in pair)


def _cells(facts: Facts, row: Row, told: Sequence[str]) -> tuple[Cell, ...]:
    texts = tuple(Cell(words=_text(facts, row, name)) for name in told)
    if row.estimate.status == "ok" and row.estimate.set_low is not None and row.estimate.set_high is not None:
        return (*texts, *_set(facts, row))
    if not row.computed:
        reason: Sentence = (
            ("not computed, because: ", facts.quote(row.key("reason"))) if row.estimate.reason else ("not computed",)
        )
        return (*texts, Cell(words=reason, span=len(_NUMBERS)))
    return (*texts, *_numbers(facts, row))


def _text(facts: Facts, row: Row, name: str) -> Sentence:
    return facts.population(row) if name == "population" else (facts.quote(row.key(name)),)


def _set(facts: Facts, row: Row) -> tuple[Cell, ...]:
    """Return the cells of an effect that is known only to lie in a set: its ends, and the interval around them."""
    effect = Style(place=place_for(row.low, row.high, digits=_DIGITS), references=(0.0,))
    first, last = (facts.number(row.key(part), effect) for part in ("set_low", "set_high"))
    low, high = (_number((facts.number(row.key(part), effect),)) for part in ("low", "high"))
    level: Sentence = (facts.level(row),) if row.estimate.level is not None else (MISSING,)
    counts = (_count(facts, row, part) for part in ("n_treated", "n_control"))
    return (_number((first, TO, last)), low, high, _number(level), *(_number((MISSING,)),) * 5, *counts)


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
