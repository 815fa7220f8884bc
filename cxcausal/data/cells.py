"""Cells: one pass over the units, grouped by arm and every text column at once, and then added up exactly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from cxcausal.core.answers import Key
from cxcausal.data.engine import Engine, Value
from cxcausal.data.exact import Grid, with_halves
from cxcausal.data.subjects import Population, Subject, always_counts, components_of, population_of
from cxcausal.data.tallies import Summand, Tally, summand_of
from cxcausal.data.units import Units

MAX_CELLS = 2_000
"""More groups than this are cheaper in several passes than in one, as every sum of every group is fetched."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A table that somebody asked for: a subject's sums, or with None the units alone, per arm and `by`."""

    subject: Subject | None
    by: tuple[str, ...]
    population: Population


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The tallies of a wish by (arm, group), and the grids of its components."""

    tallies: Mapping[tuple[str, Key], Tally]
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """One group of a pass: its arm, whether its units are mature, its text values and every subject's sums."""

    arm: str
    mature: bool
    values: Mapping[str, str]
    units: Tally
    subjects: Mapping[Subject, Tally]


def wish_for(subject: Subject, by: tuple[str, ...] = ()) -> Wish:
    """Return the wish for a subject's sums over its own population."""
    return Wish(subject=subject, by=by, population=population_of(subject))


def tally(engine: Engine, units: Units, wishes: Sequence[Wish]) -> Mapping[Wish, Answered]:
    """Return every wished table, in as few passes over the units as possible."""
    answers: dict[Wish, Answered] = {}
    for columns, granted in _passes(units, dict.fromkeys(wishes)):
        subjects = tuple(dict.fromkeys(wish.subject for wish in granted if wish.subject is not None))
        parts = {subject: components_of(subject, units.table, units.numbers) for subject in subjects}
        summands = {
            subject: summand_of(f"s{index}", parts[subject], complete=always_counts(subject, units.numbers))
            for index, subject in enumerate(subjects)
        }
        values = {
            name: value for subject in subjects for name, value in summands[subject].values(parts[subject]).items()
        }
        cells = _cells(engine, units, columns, values, summands)
        for wish in granted:
            grids = () if wish.subject is None else summands[wish.subject].grids
            answers[wish] = Answered(tallies=_gathered(units, cells, wish), grids=grids)
    return answers


def _passes(units: Units, wishes: Mapping[Wish, None]) -> Iterator[tuple[tuple[str, ...], tuple[Wish, ...]]]:
    """Yield the grouping columns of each pass with the wishes that it grants.

    Text columns are put together while the groups stay few; a wish goes to the first pass that has all its columns.
    """
    groups: list[list[str]] = [[]]
    for wish in sorted(wishes, key=lambda one: one.subject is None):
        if any(set(wish.by) <= set(group) for group in groups):
            continue
        for group in groups:
            widened = list(dict.fromkeys((*group, *wish.by)))
            if _size(units, widened) <= MAX_CELLS:
                group[:] = widened
                break
        else:
            groups.append(list(wish.by))
    waiting = list(wishes)
    for group in groups:
        granted = tuple(wish for wish in waiting if set(wish.by) <= set(group))
        waiting = [wish for wish in waiting if wish not in granted]
        if granted:
            yield tuple(group), granted


def _size(units: Units, columns: Sequence[str]) -> int:
    return len(units.arms) * (1 + units.maturity_known) * prod(len(units.levels[name]) for name in columns)


def _cells(
    engine: Engine,
    units: Units,
    columns: tuple[str, ...],
    values: Mapping[str, Value],
    summands: Mapping[Subject, Summand],
) -> list[_Cell]:
    """Run the grouped query of one pass."""
    texts = (units.key(f"text:{name}") for name in columns)
    keys = [units.key("arm"), *(["mature"] if units.maturity_known else []), *texts]
    split = dict.fromkeys(name for summand in summands.values() for name in summand.split)
    table = with_halves(units.table.select(*keys, **values), tuple(split))
    sums: dict[str, Value] = {"units": table.count()}
    for summand in summands.values():
        sums |= summand.sums(table)
    rows = engine.fetch(table.group_by(keys).aggregate(**sums))
    return [_read(row, columns, summands, dated=units.maturity_known) for row in rows]


def _read(
    row: Sequence[int | None], columns: tuple[str, ...], summands: Mapping[Subject, Summand], *, dated: bool
) -> _Cell:
    """Return one row of a pass as a cell; the order is that of the query's columns."""
    arm, mature, rest = row[0], bool(row[1]) if dated else True, row[1 + dated :]
    texts, units, rest = rest[: len(columns)], rest[len(columns)] or 0, rest[len(columns) + 1 :]
    found: dict[Subject, Tally] = {}
    for subject, summand in summands.items():
        found[subject] = summand.tally(rest[: summand.width], units)
        rest = rest[summand.width :]
    values = {name: _text(text) for name, text in zip(columns, texts, strict=True)}
    return _Cell(arm=str(arm), mature=mature, values=values, units=Tally(units=units), subjects=found)


def _text(stored: object) -> str:
    """Return a stored text, of which a missing one is the empty text."""
    return "" if stored is None else str(stored)


def _gathered(units: Units, cells: Sequence[_Cell], wish: Wish) -> Mapping[tuple[str, Key], Tally]:
    """Add up the cells that fall together in the wished grouping; in all, an arm without units has zeros."""
    found: dict[tuple[str, Key], Tally] = {} if wish.by else {(arm, ()): Tally() for arm in units.arms}
    for cell in cells:
        if cell.mature or wish.population == "enrolled":
            key = (cell.arm, tuple(cell.values[name] for name in wish.by))
            mine = cell.units if wish.subject is None else cell.subjects[wish.subject]
            found.setdefault(key, Tally()).add(mine)
    return dict(sorted(found.items()))
