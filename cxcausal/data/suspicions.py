"""Values that can be read and are most likely not meant so: twins of an id or group, thousands taken for decimals."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cxcausal.core.errors import Problem
from cxcausal.core.signs import key_of, likeness, quoted
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.roles import Roles
from cxcausal.data.rules import place_of

_BEYOND = "[^!-~]"
"""Anything but the visible signs of a keyboard."""
_UNSEEN = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]"
_SPACED = "^[\\s\u00a0\u2007\u202f\u3000]+|[\\s\u00a0\u2007\u202f\u3000]+$"
_MARKS, _DECOMPOSED, _COMPOSED = "[\u0300-\u036f]", "[A-Za-z][\u0300-\u036f]", "[\u00c0-\u024f]"
_LETTERS = {
    chr(n): unicodedata.normalize("NFD", chr(n))[0]
    for n in range(0xC0, 0x250)
    if unicodedata.normalize("NFD", chr(n)) != chr(n)
}
_GROUP = 3
_TWINS_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """What is looked at: the enrolled rows, how they are read, and what came of them.

    Attributes:
        levels: by text column, its values.
        numbers: the numeric columns. fractional: those with a value that is not whole.
        beyond: those with a value beyond 1.
    """

    engine: Engine
    opened: Opened
    rows: Table
    reader: Reader
    levels: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    fractional: frozenset[str]
    beyond: frozenset[str]


def suspicions(suspects: Suspects, spec: ExperimentSpec, roles: Roles) -> Iterator[Problem]:
    """Yield values that would count as something else than they most likely are; a declared type ends the doubt.

    Args:
        suspects: the rows and units.
        spec: the plan.
        roles: its columns by role.
    """
    for name in roles.ids:
        yield from _twin_ids(suspects, name)
    for name, levels in suspects.levels.items():
        if name in suspects.rows.columns and not _declared_text(suspects.reader, name):
            yield from _twin_levels(suspects, name, levels, shown=name in {*spec.segments, *spec.design.strata})
    for name in suspects.numbers:
        if name not in suspects.rows.columns or not suspects.reader.holds_text(name):
            continue
        if name in suspects.fractional and not _declared_number(suspects.reader, name):
            yield from _thousands(suspects, name)
        if name in suspects.fractional | suspects.beyond:
            yield from _truths(suspects, name)


def _declared_text(reader: Reader, name: str) -> bool:
    return name in reader.declared and reader.declared[name].type == "text"


def _declared_number(reader: Reader, name: str) -> bool:
    return name in reader.declared and reader.declared[name].type == "number"


def _twin_ids(suspects: Suspects, name: str) -> Iterator[Problem]:
    """Yield ids that case, blanks at their ends or hidden signs alone tell apart."""
    reader, declared = suspects.reader, _declared_text(suspects.reader, name)
    if not reader.holds_text(name):
        return
    text = reader.table[name]
    folded = _folded(suspects, text, letters=not declared)
    if folded is None:
        return
    # One after the other, as either may need much memory.
    ids, alike = (suspects.engine.fetch(suspects.rows.aggregate(n=one.nunique()))[0][0] for one in (text, folded))
    if ids == alike:
        return
    shapes = suspects.rows.select(shape=folded, id=text).distinct()
    counted = shapes.group_by("shape").aggregate(n=shapes.count())
    twins = counted.filter(counted.n > 1)
    broken = folded.isin(twins.shape)
    count = suspects.engine.fetch(suspects.rows.aggregate(n=broken.sum()))[0][0]
    if count:
        mend = "write every id in one way in all rows"
        if not declared:
            mend += f"; where they are different customers, say columns: {{{key_of(name)}: {{type: text}}}} below data"
        told = "case, blanks or hidden signs" if not declared else "blanks or hidden signs"
        yield _placed(suspects, name, broken, ("D320", f"ids are alike but for {told}", mend))


def _folded(suspects: Suspects, text: Value, *, letters: bool) -> Value | None:
    """Return ids without what may be noise; None where no id has any, which a cheaper look tells."""
    one = text.fill_null("")
    found = _looked(
        suspects,
        {
            "odd": one.re_search(_BEYOND).any(),
            "lower": (one != one.upper()).any(),
            "upper": (one != one.lower()).any(),
        },
    )
    folded = _without_noise(suspects, text) if found["odd"] else text
    if letters and found["lower"] and found["upper"]:
        folded = folded.lower()
    return None if folded is text else folded


def _without_noise(suspects: Suspects, text: Value) -> Value:
    """Return ids without blanks at their ends and hidden signs, and letters in one form where there are two."""
    one = text.fill_null("")
    found = _looked(
        suspects,
        {
            "noisy": one.re_search(f"{_UNSEEN}|{_SPACED}").any(),
            "decomposed": one.re_search(_DECOMPOSED).any(),
            "composed": one.re_search(_COMPOSED).any(),
        },
    )
    if found["noisy"]:
        text = text.re_replace(_UNSEEN, "").re_replace(_SPACED, "")
    if found["decomposed"] and found["composed"]:
        text = text.translate("".join(_LETTERS), "".join(_LETTERS.values())).re_replace(_MARKS, "")
    return text


def _looked(suspects: Suspects, looks: Mapping[str, Value]) -> Mapping[str, bool]:
    found = suspects.engine.fetch(suspects.rows.aggregate(**looks))[0]
    return dict(zip(looks, found, strict=True))


def _twin_levels(suspects: Suspects, name: str, levels: tuple[str, ...], *, shown: bool) -> Iterator[Problem]:
    """Yield groups that look the same; those of segments are told, as the report tells them."""
    alike: dict[str, list[str]] = {}
    for level in levels:
        alike.setdefault(likeness(level), []).append(level)
    twins = [found for shape, found in alike.items() if shape and len(found) > 1]
    for first, *others in twins[:_TWINS_TOLD]:
        broken = suspects.reader.text(name).isin([first, *others])
        entries = ", ".join(f"{quoted(other)}: {quoted(first)}" for other in others)
        mend = (
            f"say columns: {{{key_of(name)}: {{map: {{{entries}}}}}}} below data"
            if shown
            else "write them alike in the data"
        )
        mend += f"; where they differ in meaning, say columns: {{{key_of(name)}: {{type: text}}}} below data"
        what = "two groups are alike but for case, blanks, hidden or look-alike signs"
        yield _placed(suspects, name, broken, ("D326", what, mend))


def _thousands(suspects: Suspects, name: str) -> Iterator[Problem]:
    """Yield numbers such as 1.200 beside 950: no program writes decimals so, and all write thousands so."""
    sign = suspects.reader.decimal
    text = suspects.reader.stored_text(name)
    where = text.find(sign)
    pointed = where >= 0
    grouped = (text.length() - where == _GROUP + 1) & where.between(1, _GROUP) & text[0:1].between("1", "9")
    whole = ~pointed & (text.length() <= _GROUP) & text[0:1].between("1", "9")
    looks = {
        "all": (~pointed | grouped).all(),
        "padded": (pointed & text.endswith("0")).any(),
        "small": (~pointed & (text.length() <= _GROUP)).sum() == (~pointed).sum(),
        "wholes": whole.any(),
    }
    if all(suspects.engine.fetch(suspects.rows.aggregate(**looks))[0]):
        shown = "1.200 beside 950" if sign == "." else "1,200 beside 950"
        what = f"the '{sign}' most likely parts thousands ({shown}), and would be read as a decimal sign"
        mend = "export the numbers without signs between thousands; "
        mend += f"where they are decimals, say columns: {{{key_of(name)}: {{type: number}}}} below data"
        yield _placed(suspects, name, pointed, ("D324", what, mend))


def _truths(suspects: Suspects, name: str) -> Iterator[Problem]:
    """Yield true and false among other numbers than 0 and 1, unless the plan says what they mean."""
    text, declared = suspects.reader.stored_text(name), suspects.reader.declared.get(name)
    broken = text.lower().isin(["true", "false"])
    if declared is not None and declared.map:
        broken = broken & text.notin(list(declared.map))
    found = suspects.engine.fetch(suspects.rows.filter(broken).select(word=text).distinct().order_by("word"))
    if found:
        entries = ", ".join(f"{word}: {int(word.lower() == 'true')}" for (word,) in found)
        mend = f"correct them, or say columns: {{{key_of(name)}: {{map: {{{entries}}}}}}} below data"
        yield _placed(suspects, name, broken, ("D329", "true or false stands among numbers", mend))


def _placed(suspects: Suspects, name: str, broken: Value, told: tuple[str, str, str]) -> Problem:
    code, what, mend = told
    label, numbers = place_of(suspects.engine, suspects.opened, suspects.rows, broken)
    where = f"{label} row {numbers[0]} column {name}" if numbers else f"{label} column {name}"
    rows = f" (row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))})" if numbers else ""
    return Problem(where=where, code=code, what=f"{what}{rows}", mend=mend)
