"""Counts of identities: duplicates, units of one coin in several arms, and distinct units per group."""

from collections.abc import Mapping, Sequence

import ibis

from cxcausal.core.answers import Counts, Duplicates, Flow, Key, MaturedCounts
from cxcausal.core.queries import CountQuery, MaturedQuery, MixedQuery
from cxcausal.data.clock import matured_by
from cxcausal.data.engine import Engine, Opened
from cxcausal.data.rules import place_of
from cxcausal.data.tallies import Tally
from cxcausal.data.units import Units


def identity_of(units: Units, of: str) -> str | None:
    """Return the column of an identity; None where every row is one."""
    return units.unit if of == "unit" else units.randomization_unit


def is_unique(engine: Engine, units: Units, column: str) -> bool:
    """Tell whether no two enrolled rows share an identity."""
    table = units.table
    rows, distinct = engine.fetch(table.aggregate(rows=table.count(), distinct=table[column].nunique()))[0]
    return bool(rows == distinct)


def duplicates(engine: Engine, units: Units) -> Duplicates:
    """Return how many units are repeated within an arm, and how many stand in several."""
    if units.unit is None:
        return Duplicates(repeated=0, mixed=0)
    per_arm = units.table.group_by(unit=units.table[units.unit], arm="arm").aggregate(rows=units.table.count())
    per_unit = per_arm.group_by("unit").aggregate(most=per_arm.rows.max(), arms=per_arm.count())
    found = per_unit.aggregate(repeated=(per_unit.most > 1).sum(), mixed=(per_unit.arms > 1).sum())
    repeated, mixed = engine.fetch(found)[0]
    return Duplicates(repeated=repeated or 0, mixed=mixed or 0)


def repeated_rows(engine: Engine, units: Units, opened: Opened) -> tuple[str, tuple[int, ...]]:
    """Return the file and the numbers of up to five rows whose unit stood before in the same arm; never its id."""
    if units.unit is None or opened.row is None:
        return opened.source.label, ()
    table = units.table
    place = ["file", "row"] if "file" in table.columns else ["row"]
    window = ibis.window(group_by=[table[units.unit], table.arm], order_by=place)
    earlier = table.select(*place, before=ibis.row_number().over(window))
    again = earlier.filter(earlier.before > 0).drop("before")
    stored = {"row": opened.row} if len(place) == 1 else {"row": opened.row, "file": opened.file}
    numbered = opened.table.mutate(**stored)
    return place_of(engine, opened, numbered.semi_join(again, place), ibis.literal(True))


def mixed(engine: Engine, units: Units, query: MixedQuery) -> int:
    """Return how many identities stand in more than one arm."""
    column = identity_of(units, query.of)
    if column is None:
        return 0
    table = units.table
    per_identity = table.group_by(identity=table[column]).aggregate(first=table.arm.min(), last=table.arm.max())
    return int(engine.fetch(per_identity.aggregate(n=(per_identity["first"] != per_identity["last"]).sum()))[0][0] or 0)


def distinct_counts(engine: Engine, units: Units, query: CountQuery, column: str) -> Counts:
    """Return distinct identities per arm × group."""
    table = units.table.filter(units.table.mature) if query.population == "analysed" else units.table
    keys = ["arm", *(f"text:{name}" for name in query.by)]
    counted = table.group_by(keys).aggregate(n=table[column].nunique())
    return {(arm, tuple(group)): n for arm, *group, n in sorted(engine.fetch(counted))}


def distinct(engine: Engine, units: Units, column: str) -> int:
    """Return how many identities are enrolled."""
    return int(engine.fetch(units.table.aggregate(n=units.table[column].nunique()))[0][0])


def flow(
    units: Units,
    enrolled: Mapping[tuple[str, Key], Tally],
    analysed: Mapping[tuple[str, Key], Tally],
    randomized: int,
) -> Flow:
    """Return the way of the units from file to analysis.

    Args:
        units: knows the rows in the file.
        enrolled: tallies of all units per arm.
        analysed: tallies of the matured units per arm.
        randomized: enrolled randomisation units.
    """
    none = Tally()
    all_by_arm = {arm: enrolled.get((arm, ()), none).units for arm in units.arms}
    done_by_arm = {arm: analysed.get((arm, ()), none).units for arm in units.arms}
    total, done = sum(all_by_arm.values()), sum(done_by_arm.values())
    return Flow(
        rows=units.rows,
        filtered_out=units.rows - total - _entered(units),
        enrolled=total,
        immature=total - done,
        analysed=done,
        randomization_units=randomized,
        enrolled_by_arm=all_by_arm,
        immature_by_arm={arm: n - done_by_arm[arm] for arm, n in all_by_arm.items()},
        analysed_by_arm=done_by_arm,
        matures_on=units.matures_on,
        maturity_known=units.maturity_known,
        enrolled_from=units.enrolled_from,
        enrolled_to=units.enrolled_to,
        days_to_mature=units.days_to_mature,
        entry=units.entry,
    )


def _entered(units: Units) -> int:
    """Return how many rows were left out before the filter had its last say: they are told apart."""
    if units.entry is None:
        return 0
    return units.entry.later + sum(units.entry.unexposed_by_arm.values())


def matured(engine: Engine, units: Units, queries: Sequence[MaturedQuery]) -> Mapping[MaturedQuery, MaturedCounts]:
    """Answer every query about how many units' windows were over by some dates."""
    return {query: matured_by(engine, units.table, query.dates, query.days) for query in queries}
